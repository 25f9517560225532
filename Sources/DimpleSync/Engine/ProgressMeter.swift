internal import DimpleMutex

/// Where a sync says how far it is.
final class ProgressMeter: Sendable {
  private let phases = Mutex<[SyncProgress.Phase: SyncProgress]>([:])
  private let listeners = Broadcast<SyncProgress>()

  /// A new listener's; the newest of so many wait for it.
  func stream(buffered: Int) -> AsyncStream<SyncProgress> { listeners.stream(buffered: buffered) }

  /// What there is to do in a phase; nothing is done of it yet.
  func plan(_ phase: SyncProgress.Phase, transactions: Int64 = 0, bytes: Int64? = nil) {
    phases.withLock { phases in
      var progress = SyncProgress(phase)
      progress.totalTransactions = transactions
      progress.totalBytes = bytes
      phases[phase] = progress
    }
  }

  /// The sync now does this, and has done that much more of it.
  func advance(_ phase: SyncProgress.Phase, transactions: Int64 = 0, bytes: Int64 = 0) {
    // Sent under the lock, so that counts arrive in their order.
    phases.withLock { phases in
      var progress = phases[phase] ?? SyncProgress(phase)
      progress.transactions = saturatingSum([progress.transactions, transactions])
      progress.bytes = saturatingSum([progress.bytes, bytes])
      phases[phase] = progress
      listeners.send(progress)
    }
  }

  /// No sync runs.
  func end() {
    phases.withLock { phases in
      phases = [:]
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
