internal import DimpleMutex

/// One sequence that any number of listeners follow, each with a buffer of its own. A listener is told the latest element
/// first, so that it knows how things stand.
final class Broadcast<Element: Sendable>: Sendable {
  private struct State {
    var latest: Element?
    var listeners: [UInt64: AsyncStream<Element>.Continuation] = [:]
    var lastID: UInt64 = 0
    var isFinished = false
  }

  private let state = Mutex(State())

  deinit { finish() }

  /// A new listener's; when it is slow, the newest of so many elements wait for it.
  func stream(buffered: Int) -> AsyncStream<Element> {
    let (stream, continuation) = AsyncStream.makeStream(of: Element.self, bufferingPolicy: .bufferingNewest(buffered))
    let id: UInt64? = state.withLock { state in
      if let latest = state.latest { continuation.yield(latest) }
      if state.isFinished { return nil }
      state.lastID += 1
      state.listeners[state.lastID] = continuation
      return state.lastID
    }
    guard let id else {
      continuation.finish()
      return stream
    }
    continuation.onTermination = { [weak self] _ in self?.remove(id) }
    return stream
  }

  func send(_ element: Element) {
    // Under the lock: every listener sees the same order. Yielding runs nobody's code.
    state.withLock { state in
      state.latest = element
      for listener in state.listeners.values { listener.yield(element) }
    }
  }

  /// Who comes now is told nothing first.
  func forget() { state.withLock { $0.latest = nil } }

  /// The end for all listeners, present and future.
  func finish() {
    let listeners = state.withLock { state in
      state.isFinished = true
      defer { state.listeners = [:] }
      return state.listeners
    }
    for listener in listeners.values { listener.finish() }
  }

  private func remove(_ id: UInt64) { state.withLock { state in _ = state.listeners.removeValue(forKey: id) } }
}
