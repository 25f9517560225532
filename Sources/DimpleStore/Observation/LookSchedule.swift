/// When to look whether somebody else committed: decides in a value, without clock or files.
///
/// A file that changes says that a commit is on its way, not that it is done: the last write to the log comes just before
/// the commit can be seen. So after each sign there are several looks, further and further apart. And signs come in
/// swarms, this database's own commits among them: after the first look, those of the next 10 ms are taken together.
struct LookSchedule {
  /// Look now; after the delay, say so with ``timerFired(_:)``.
  struct Look: Equatable {
    let timer: UInt64
    let delayMilliseconds: Int
  }

  private static let delays = [10, 20, 50, 100, 300, 1000]

  /// Looks made since the last sign.
  private var looks = 0
  private var timer: UInt64 = 0
  private var hasSignToAnswer = false

  /// The file has changed.
  mutating func signCame() -> Look? {
    if looks == 1 {
      hasSignToAnswer = true
      return nil
    }
    looks = 0
    return look()
  }

  /// The delay of a look has passed; one that a newer look has replaced is passed over.
  mutating func timerFired(_ id: UInt64) -> Look? {
    guard id == timer else { return nil }
    if hasSignToAnswer { looks = 0 }
    guard looks < Self.delays.count else {
      looks = 0
      return nil
    }
    return look()
  }

  /// The look could not be made: it does not count.
  mutating func lookFailed() {
    looks = max(1, looks - 1)
  }

  private mutating func look() -> Look {
    hasSignToAnswer = false
    timer += 1
    looks += 1
    return Look(timer: timer, delayMilliseconds: Self.delays[looks - 1])
  }
}
