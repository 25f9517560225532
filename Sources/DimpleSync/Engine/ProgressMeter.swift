internal import DimpleMutex

/// Where a sync says how far it is.
final class ProgressMeter: Sendable {
  private struct State {
    var phases: [SyncProgress.Phase: SyncProgress] = [:]
    var durations: [SyncProgress.Phase: Duration] = [:]
    /// What the sync is doing, and since when.
    var current: (phase: SyncProgress.Phase, since: Duration)?

    /// Counts the time up to now for the current phase.
    mutating func measure(now: Duration) {
      if let current { durations[current.phase, default: .zero] += now - current.since }
    }
  }

  private let state = Mutex(State())
  private let listeners = Broadcast<SyncProgress>()
  private let stopwatch: Stopwatch

  /// - Parameter clock: Measures the phases.
  init(_ clock: any Clock<Duration>) { stopwatch = Stopwatch(clock) }

  /// How long the running sync has been in each phase so far.
  var durations: [SyncProgress.Phase: Duration] {
    let now = stopwatch.elapsed
    return state.withLock { state in
      state.measure(now: now)
      if let current = state.current { state.current = (current.phase, now) }
      return state.durations
    }
  }

  /// A new listener's; the newest of so many wait for it.
  func stream(buffered: Int) -> AsyncStream<SyncProgress> { listeners.stream(buffered: buffered) }

  /// What there is to do in a phase; nothing is done of it yet.
  func plan(_ phase: SyncProgress.Phase, transactions: Int64 = 0, bytes: Int64? = nil) {
    state.withLock { state in
      var progress = SyncProgress(phase)
      progress.totalTransactions = transactions
      progress.totalBytes = bytes
      state.phases[phase] = progress
    }
  }

  /// The sync now does this, and has done that much more of it.
  func advance(_ phase: SyncProgress.Phase, transactions: Int64 = 0, bytes: Int64 = 0) {
    // Sent under the lock, so that counts arrive in their order.
    let now = stopwatch.elapsed
    state.withLock { state in
      if state.current?.phase != phase {
        state.measure(now: now)
        state.current = (phase, now)
      }
      var progress = state.phases[phase] ?? SyncProgress(phase)
      progress.transactions = saturatingSum([progress.transactions, transactions])
      progress.bytes = saturatingSum([progress.bytes, bytes])
      state.phases[phase] = progress
      listeners.send(progress)
    }
  }

  /// No sync runs.
  func end() {
    state.withLock { state in
      state = State()
      listeners.forget()
    }
  }
}

/// Of numbers that may come from outside: as much as fits.
func saturatingSum(_ numbers: some Sequence<Int64>) -> Int64 {
  numbers.reduce(0) { sum, number in
    let (result, overflow) = sum.addingReportingOverflow(number)
    return overflow ? .max : result
  }
}
