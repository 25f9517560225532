internal import DimpleMutex
internal import DimpleStore

/// Whether a query's result may have changed since it was last fetched.
///
/// Born dirty. A commit that touches the read set makes it dirty; waiting for that makes it clean. It is clean *before* the
/// fetch begins, so that a commit during the fetch counts.
final class QueryObservation: Sendable {
  private struct State {
    var isDirty = true
    /// Until the first fetch says what the query reads, every commit counts.
    var readSet: ReadSet?
    var waiter: CheckedContinuation<Void, Never>?
    var commits: CommitObservation?
  }

  private let state = Mutex(State())

  init(_ database: Database) {
    let commits = database.observeCommits { [weak self] event in self?.handle(event) }
    state.withLock { $0.commits = commits }
  }

  deinit { state.withLock { $0.commits }?.cancel() }

  private func handle(_ event: CommitEvent) {
    let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
      if let readSet = state.readSet, !event.touches(readSet) { return nil }
      state.isDirty = true
      defer { state.waiter = nil }
      return state.waiter
    }
    waiter?.resume()
  }

  /// From now on only commits that touch `readSet` count.
  func narrow(to readSet: ReadSet) {
    state.withLock { $0.readSet = readSet }
  }

  /// Suspends until a commit may have changed the result, and takes note of it; `false` once the task is cancelled.
  func waitUntilDirty() async -> Bool {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let resumeNow = state.withLock { state in
          if state.isDirty || Task.isCancelled { return true }
          state.waiter = continuation
          return false
        }
        if resumeNow { continuation.resume() }
      }
    } onCancel: {
      let waiter = state.withLock { state in
        defer { state.waiter = nil }
        return state.waiter
      }
      waiter?.resume()
    }
    if Task.isCancelled { return false }
    state.withLock { $0.isDirty = false }
    return true
  }
}
