internal import DimpleMutex
internal import DimpleStore

/// Whether a query's result may have changed since it was last fetched.
///
/// Born dirty. A commit that touches the read set makes it dirty; waiting for that makes it clean. It is clean *before* the
/// fetch begins, so that a commit during the fetch counts.
final class QueryObservation: Sendable {
  private struct State {
    /// Until a fetch says what the query reads, every commit counts.
    var readSet: ReadSet?
    /// What the query reads may have changed since the fetch began.
    var isReadSetOld = false
    var commits: CommitObservation?
  }

  private let signal = Signal(isSet: true)
  private let state = Mutex(State())

  init(_ database: Database) {
    let commits = database.observeCommits { [weak self] event in self?.handle(event) }
    state.withLock { $0.commits = commits }
  }

  deinit { state.withLock { $0.commits }?.cancel() }

  private func handle(_ event: CommitEvent) {
    let touches = state.withLock { state in
      // The same SQL may read other tables now, and what is committed to them before the next fetch has said so counts.
      if event.mayChangeSchema {
        state.readSet = nil
        state.isReadSetOld = true
      }
      return state.readSet.map { event.touches($0) } ?? true
    }
    if touches { signal.set() }
  }

  /// From now on only commits that touch `readSet` count, which the fetch that ends found.
  func narrow(to readSet: ReadSet) {
    state.withLock { state in
      // The next fetch, which is due, knows better.
      if !state.isReadSetOld { state.readSet = readSet }
    }
  }

  /// Suspends until a commit may have changed the result, and takes note of it; `false` once the task is cancelled.
  func waitUntilDirty() async -> Bool {
    guard await signal.wait() else { return false }
    // Schema changes so far are seen by the fetch that begins now.
    state.withLock { $0.isReadSetOld = false }
    return true
  }
}
