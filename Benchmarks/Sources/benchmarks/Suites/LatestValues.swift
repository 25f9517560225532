import Synchronization

/// The latest value of each of many queries, and who waits for them to change.
final class LatestValues: Sendable {
  private struct State {
    var latest: [Int?]
    /// What the waiter has seen of the first queries, and how many of these still show it.
    var seen: [Int?] = []
    var unchanged = 0
    var waiter: CheckedContinuation<Void, Never>?
  }

  private let state: Mutex<State>

  init(queries: Int) { state = Mutex(State(latest: Array(repeating: nil, count: queries))) }

  func first(_ count: Int) -> [Int?] { state.withLock { Array($0.latest.prefix(count)) } }

  func receive(_ value: Int, of query: Int) {
    let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
      let old = state.latest[query]
      state.latest[query] = value
      guard state.seen.indices.contains(query), old == state.seen[query], value != old else { return nil }
      state.unchanged -= 1
      guard state.unchanged == 0 else { return nil }
      defer { state.waiter = nil }
      return state.waiter
    }
    waiter?.resume()
  }

  /// Until each of the first queries shows another value than `seen` has for it.
  func waitUntilAllDiffer(from seen: [Int?]) async {
    await withCheckedContinuation { continuation in
      let isDone = state.withLock { state in
        state.seen = seen
        state.unchanged = zip(seen, state.latest).count { $0 == $1 }
        if state.unchanged > 0 { state.waiter = continuation }
        return state.unchanged == 0
      }
      if isDone { continuation.resume() }
    }
  }
}
