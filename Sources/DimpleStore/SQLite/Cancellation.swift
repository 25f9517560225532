internal import CSQLite
internal import Synchronization

/// Lets another thread stop what a connection is doing for a caller who no longer waits.
final class Cancellation: Sendable {
  private struct State {
    var isCancelled = false
    /// The connection at work, while it is.
    var target: Target?
  }

  private struct Target: @unchecked Sendable {  // interrupting an open handle is thread-safe
    let handle: OpaquePointer
  }

  private let state = Mutex(State())

  var isCancelled: Bool { state.withLock { $0.isCancelled } }

  func cancel() {
    state.withLock { state in
      state.isCancelled = true
      // Under the lock: the connection cannot be closed or lent to the next before this returns.
      if let target = state.target { sqlite3_interrupt(target.handle) }
    }
  }

  /// Runs `body` on `connection`; from its end on, `cancel()` no longer reaches the connection.
  func run<T>(on connection: Connection, _ body: (Connection) throws -> T) throws -> T {
    let target = Target(handle: connection.handle)
    let isCancelled = state.withLock { state in
      state.target = target
      return state.isCancelled
    }
    connection.cancellation = self
    defer {
      connection.cancellation = nil
      state.withLock { $0.target = nil }
    }
    if isCancelled { throw CancellationError() }
    return try body(connection)
  }
}
