import DimpleMutex

/// Counts the requests of a sync that a fault could strike.
final class Candidates: Sendable {
  private let counter = Mutex(0)

  var count: Int { counter.withLock { $0 } }

  /// The number of the one that is made now, from 1.
  func next() -> Int {
    counter.withLock { count in
      count += 1
      return count
    }
  }
}
