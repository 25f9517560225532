internal import DimpleMutex

/// One sync per database at a time in this process, whichever engines ask; in the order they came. Likewise the opening of an
/// engine's vault.
final class SyncQueue: Sendable {
  /// What is done one at a time.
  enum Key: Hashable, Sendable {
    /// A database file, by its absolute path without links.
    case file(String)
    /// An in-memory database; whoever syncs it keeps it alive.
    case memory(ObjectIdentifier)
    /// The vault of an engine, which is alive as long as it opens it.
    case opening(ObjectIdentifier)
  }

  private struct Waiter {
    var ticket: UInt64
    var continuation: CheckedContinuation<Void, any Error>
  }

  private struct State {
    /// A key is present as long as somebody is at it.
    var waiters: [Key: [Waiter]] = [:]
    /// Cancelled before they began to wait.
    var cancelled: Set<UInt64> = []
    var lastTicket: UInt64 = 0
  }

  /// Of the process.
  static let shared = SyncQueue()

  private let state = Mutex(State())

  /// Suspends until nobody else is at it.
  ///
  /// - Throws: `CancellationError`; then the turn is somebody else's.
  func enter(_ key: Key) async throws {
    try Task.checkCancellation()
    let ticket = state.withLock { state in
      state.lastTicket += 1
      return state.lastTicket
    }
    // Afterwards the handler no longer runs.
    defer { state.withLock { _ = $0.cancelled.remove(ticket) } }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
        let result: Result<Void, any Error>? = state.withLock { state in
          if state.cancelled.contains(ticket) { return .failure(CancellationError()) }
          guard state.waiters[key] != nil else {
            state.waiters[key] = []
            return .success(())
          }
          state.waiters[key]?.append(Waiter(ticket: ticket, continuation: continuation))
          return nil
        }
        if let result { continuation.resume(with: result) }
      }
    } onCancel: {
      let waiter = state.withLock { state -> CheckedContinuation<Void, any Error>? in
        guard let index = state.waiters[key]?.firstIndex(where: { $0.ticket == ticket }) else {
          state.cancelled.insert(ticket)
          return nil
        }
        return state.waiters[key]?.remove(at: index).continuation
      }
      waiter?.resume(throwing: CancellationError())
    }
  }

  /// The next one's turn.
  func leave(_ key: Key) {
    let next = state.withLock { state -> CheckedContinuation<Void, any Error>? in
      if state.waiters[key]?.isEmpty ?? true {
        state.waiters[key] = nil
        return nil
      }
      return state.waiters[key]?.removeFirst().continuation
    }
    next?.resume()
  }

  /// How many wait for it.
  func waiting(_ key: Key) -> Int { state.withLock { $0.waiters[key]?.count ?? 0 } }
}
