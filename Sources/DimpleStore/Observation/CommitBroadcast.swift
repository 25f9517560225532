internal import Synchronization

/// Tells those who asked of every commit.
final class CommitBroadcast: Sendable {
  private struct State {
    var handlers: [Int: @Sendable (CommitEvent) -> Void] = [:]
    var next = 0
  }

  private let state = Mutex(State())

  func send(_ event: CommitEvent) {
    // Outside the lock: a handler may end its own observation.
    let handlers = state.withLock { Array($0.handlers.values) }
    for handler in handlers { handler(event) }
  }

  func add(_ handler: @escaping @Sendable (CommitEvent) -> Void) -> CommitObservation {
    let id = state.withLock { state in
      state.next += 1
      state.handlers[state.next] = handler
      return state.next
    }
    return CommitObservation { [weak self] in self?.state.withLock { $0.handlers[id] = nil } }
  }
}

/// Ends with ``cancel()``, or with its last reference.
package final class CommitObservation: Sendable {
  private let onCancel: @Sendable () -> Void

  init(_ onCancel: @escaping @Sendable () -> Void) { self.onCancel = onCancel }

  deinit { onCancel() }

  package func cancel() { onCancel() }
}
