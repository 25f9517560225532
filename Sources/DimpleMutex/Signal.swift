/// Wakes the one task that waits; set while nobody waits, it lets the next wait go on at once.
///
/// Waiting clears it *before* whoever waited looks at what it is about, so that what happens during that look sets it again: a
/// wake-up may be one too many, and is never one too few. It counts nothing and queues nothing.
package final class Signal: Sendable {
  private struct State {
    var isSet: Bool
    var waiter: CheckedContinuation<Void, Never>?

    mutating func takeWaiter() -> CheckedContinuation<Void, Never>? {
      defer { waiter = nil }
      return waiter
    }
  }

  private let state: Mutex<State>

  /// - Parameter isSet: Whether the first wait goes on at once.
  package init(isSet: Bool = false) { state = Mutex(State(isSet: isSet)) }

  /// Wakes who waits, now or next. From any thread; runs nobody's code.
  package func set() {
    let waiter = state.withLock { state in
      state.isSet = true
      return state.takeWaiter()
    }
    waiter?.resume()
  }

  /// Suspends until it is set, and clears it. One task at a time.
  ///
  /// - Returns: `false` once the task is cancelled; it stays set then, if it was.
  package func wait() async -> Bool {
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
      state.withLock { $0.takeWaiter() }?.resume()
    }
    if Task.isCancelled { return false }
    state.withLock { $0.isSet = false }
    return true
  }
}
