internal import Dispatch
internal import Synchronization

/// Lends connections, each to one holder at a time, first come first served. One of capacity 1 is the writer's gate.
///
/// Who waits is suspended or blocked, never spinning; a cancelled waiter leaves the queue.
final class ConnectionPool: Sendable {
  /// A connection on its way between holders.
  final class Lease: @unchecked Sendable {  // the pool hands it to one holder at a time
    let connection: Connection
    init(_ connection: Connection) { self.connection = connection }
  }

  private struct State {
    var idle: [Lease] = []
    var openCount = 0
    var waiters: [Waiter] = []
    var isClosed = false
  }

  private enum Turn {
    case lease(Lease)
    /// The holder may open one more.
    case open
  }

  private struct Waiter {
    let id: UInt64
    let resume: @Sendable (Result<Turn, any Error>) -> Void
  }

  private let state = Mutex(State())
  private let capacity: Int
  private let nextID = Atomic<UInt64>(0)
  private let open: @Sendable () throws -> Connection

  init(capacity: Int, open: @escaping @Sendable () throws -> Connection) {
    self.capacity = capacity
    self.open = open
  }

  // MARK: - Taking

  /// Blocks the thread until it is the caller's turn.
  func take() throws -> Lease {
    let turn = try waitForTurn()
    return try fulfil(turn)
  }

  private func waitForTurn() throws -> Turn {
    let semaphore = DispatchSemaphore(value: 0)
    let result = Mutex<Result<Turn, any Error>?>(nil)
    enqueue(id: makeID()) { turn in
      result.withLock { $0 = turn }
      semaphore.signal()
    }
    semaphore.wait()
    guard let turn = result.withLock({ $0 }) else { throw Self.closed() }
    return try turn.get()
  }

  /// Suspends the task until it is the caller's turn.
  ///
  /// - Throws: `CancellationError` if the task is cancelled while it waits.
  func take() async throws -> Lease {
    let id = makeID()
    let turn = try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Turn, any Error>) in
        enqueue(id: id) { continuation.resume(with: $0) }
        // The handler may have run before there was anybody to take out of the queue.
        if Task.isCancelled { abandon(id) }
      }
    } onCancel: {
      abandon(id)
    }
    return try fulfil(turn)
  }

  private func makeID() -> UInt64 { nextID.wrappingAdd(1, ordering: .relaxed).newValue }

  private func enqueue(id: UInt64, _ resume: @escaping @Sendable (Result<Turn, any Error>) -> Void) {
    let immediate = state.withLock { state -> Result<Turn, any Error>? in
      if state.isClosed { return .failure(Self.closed()) }
      if let lease = state.idle.popLast() { return .success(.lease(lease)) }
      if state.openCount < capacity {
        state.openCount += 1
        return .success(.open)
      }
      state.waiters.append(Waiter(id: id, resume: resume))
      return nil
    }
    if let immediate { resume(immediate) }
  }

  private func abandon(_ id: UInt64) {
    let waiter = state.withLock { state -> Waiter? in
      guard let index = state.waiters.firstIndex(where: { $0.id == id }) else { return nil }
      return state.waiters.remove(at: index)
    }
    waiter?.resume(.failure(CancellationError()))
  }

  private func fulfil(_ turn: Turn) throws -> Lease {
    switch turn {
    case .lease(let lease): return lease
    case .open:
      do { return Lease(try open()) } catch {
        // The place is free again: let the next waiter try.
        let next = state.withLock { state -> Waiter? in
          if state.waiters.isEmpty {
            state.openCount -= 1
            return nil
          }
          return state.waiters.removeFirst()
        }
        next?.resume(.success(.open))
        throw error
      }
    }
  }

  // MARK: - Giving back

  func giveBack(_ lease: Lease) {
    let next = state.withLock { state -> Waiter? in
      if !state.waiters.isEmpty { return state.waiters.removeFirst() }
      if !state.isClosed { state.idle.append(lease) }
      return nil
    }
    next?.resume(.success(.lease(lease)))
  }

  /// Closes the idle connections; those lent are closed when they come back, and no more are lent.
  func close() {
    let (idle, waiters) = state.withLock { state in
      state.isClosed = true
      defer {
        state.idle = []
        state.waiters = []
      }
      return (state.idle, state.waiters)
    }
    for waiter in waiters { waiter.resume(.failure(Self.closed())) }
    _ = idle
  }

  private static func closed() -> StoreError {
    StoreError(.closed, operation: "use the database", message: "The database was closed.", hint: "Open it again.")
  }
}
