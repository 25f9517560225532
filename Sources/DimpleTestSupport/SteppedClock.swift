internal import DimpleMutex

/// A clock that moves only when told to: who sleeps wakes when the clock is moved past the deadline.
public final class SteppedClock: Clock {
  /// A moment, as the time since the clock was made.
  public typealias Instant = RecordingClock.Instant

  private struct Sleeper {
    var deadline: Duration
    var continuation: CheckedContinuation<Void, any Error>
  }

  private struct State {
    var now = Duration.zero
    var lastID: UInt64 = 0
    var cancelled: Set<UInt64> = []
    var sleepers: [UInt64: Sleeper] = [:]
    /// Those who wait for somebody to sleep until such a moment.
    var watchers: [(deadline: Duration, continuation: CheckedContinuation<Void, Never>)] = []
  }

  private let state = Mutex(State())

  /// Starts at zero.
  public init() {}

  /// As far as it was moved.
  public var now: Instant { Instant(offset: state.withLock { $0.now }) }

  /// None.
  public var minimumResolution: Duration { .zero }

  /// Suspends until the clock is moved that far.
  ///
  /// - Throws: `CancellationError`, at once when the task is cancelled.
  public func sleep(until deadline: Instant, tolerance: Duration?) async throws {
    let id = state.withLock { state in
      state.lastID += 1
      return state.lastID
    }
    defer { state.withLock { _ = $0.cancelled.remove(id) } }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let (result, watchers) = begin(id, Sleeper(deadline: deadline.offset, continuation: continuation))
        if let result { continuation.resume(with: result) }
        for watcher in watchers { watcher.resume() }
      }
    } onCancel: {
      let sleeper = state.withLock { state in
        let sleeper = state.sleepers.removeValue(forKey: id)
        if sleeper == nil { state.cancelled.insert(id) }
        return sleeper
      }
      sleeper?.continuation.resume(throwing: CancellationError())
    }
  }

  private func begin(
    _ id: UInt64, _ sleeper: Sleeper
  ) -> (Result<Void, any Error>?, [CheckedContinuation<Void, Never>]) {
    state.withLock { state in
      if state.cancelled.contains(id) { return (.failure(CancellationError()), []) }
      if sleeper.deadline <= state.now { return (.success(()), []) }
      state.sleepers[id] = sleeper
      let satisfied = state.watchers.filter { $0.deadline == sleeper.deadline }.map(\.continuation)
      state.watchers.removeAll { $0.deadline == sleeper.deadline }
      return (nil, satisfied)
    }
  }

  /// Suspends for good: only cancelling the task ends it. For tests of what is cancelled.
  ///
  /// - Throws: `CancellationError`.
  public static func suspendUntilCancelled() async throws {
    try await SteppedClock().sleep(until: Instant(offset: .seconds(1)), tolerance: nil)
  }

  /// Suspends until somebody sleeps until exactly `deadline`, as time since the clock was made.
  public func waitForSleeper(until deadline: Duration) async {
    await withCheckedContinuation { continuation in
      let isThere = state.withLock { state in
        if state.sleepers.values.contains(where: { $0.deadline == deadline }) { return true }
        state.watchers.append((deadline, continuation))
        return false
      }
      if isThere { continuation.resume() }
    }
  }

  /// Moves the clock, and wakes those whose time has come.
  public func advance(by duration: Duration) {
    let due = state.withLock { state in
      state.now += duration
      let now = state.now
      let due = state.sleepers.filter { $0.value.deadline <= now }
      for id in due.keys { state.sleepers[id] = nil }
      return due.values.sorted { $0.deadline < $1.deadline }
    }
    for sleeper in due { sleeper.continuation.resume() }
  }
}
