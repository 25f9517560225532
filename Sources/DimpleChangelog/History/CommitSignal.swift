internal import DimpleMutex
internal import DimpleStore

/// Wakes a reader of the log when somebody has committed, in this process or another.
///
/// Born set. Waiting for it clears it *before* the reader reads, so that a commit during the read sets it again: a wake-up
/// may be one too many, and is never one too few. It counts nothing and queues nothing.
final class CommitSignal: Sendable {
  private struct State {
    var isSet = true
    var waiter: CheckedContinuation<Void, Never>?
    var commits: CommitObservation?
  }

  private let state = Mutex(State())

  init(_ database: Database) {
    let commits = database.observeCommits { [weak self] _ in self?.set() }
    state.withLock { $0.commits = commits }
  }

  deinit { state.withLock { $0.commits }?.cancel() }

  private func set() {
    let waiter = state.withLock { state in
      state.isSet = true
      defer { state.waiter = nil }
      return state.waiter
    }
    waiter?.resume()
  }

  /// Suspends until there was a commit since the last time; `false` once the task is cancelled.
  func wait() async -> Bool {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let goesOn = state.withLock { state in
          if state.isSet || Task.isCancelled { return true }
          state.waiter = continuation
          return false
        }
        if goesOn { continuation.resume() }
      }
    } onCancel: {
      let waiter = state.withLock { state in
        defer { state.waiter = nil }
        return state.waiter
      }
      waiter?.resume()
    }
    if Task.isCancelled { return false }
    state.withLock { $0.isSet = false }
    return true
  }
}
