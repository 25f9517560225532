internal import DimpleMutex
internal import Dispatch

/// Lends out connections, first come, first served, to threads and to tasks alike.
///
/// Who finds none free waits: a thread by blocking, a task by suspending. Nobody is overtaken.
final class Lane: Sendable {
  private struct State {
    var idle: [Slot]
    var waiters = WaiterQueue()
    var isClosed = false
    var onDrained: [@Sendable () -> Void] = []
  }

  let slots: [Slot]
  private let state: Mutex<State>

  /// - Parameter canReopen: a connection that broke is replaced; in memory, its data would be gone without a word.
  init(count: Int, label: String, canReopen: Bool, open: @escaping @Sendable () throws -> Connection) {
    slots = (0..<max(1, count)).map { Slot(label: "\(label)-\($0)", canReopen: canReopen, open: open) }
    state = Mutex(State(idle: slots.reversed()))
  }

  deinit {
    for slot in slots { slot.close() }
  }

  /// Whether this thread is inside a closure of this lane.
  var isHeldByCurrentThread: Bool { slots.contains(where: \.isHeldByCurrentThread) }

  /// Whether all connections are lent out.
  var isBusy: Bool { state.withLock { $0.idle.isEmpty } }

  /// How many wait their turn.
  var waitingCount: Int { state.withLock { $0.waiters.count } }

  /// Runs the body with a connection on this thread, which waits its turn.
  func run<T>(_ body: (Connection) throws -> T) throws -> T {
    let slot = try acquire()
    defer { release(slot) }
    return try slot.run(cancellation: nil, body)
  }

  /// Runs the body with a connection on a thread of the lane's own; the task waits suspended.
  ///
  /// Cancelling the task takes it out of the queue, or interrupts the statement that runs: `CancellationError`.
  func run<T: Sendable>(_ body: @escaping @Sendable (Connection) throws -> T) async throws -> T {
    let slot = try await acquireAsync()
    let flag = CancellationFlag()
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<T, any Error>) in
        slot.queue.async {
          let result = Result { try slot.run(cancellation: flag, body) }
          self.release(slot)
          continuation.resume(with: result.mapError { Self.cancellation($0, flag) })
        }
      }
    } onCancel: {
      flag.set()
    }
  }

  private static func cancellation(_ error: any Error, _ flag: CancellationFlag) -> any Error {
    if flag.isSet, let error = error as? StoreError, [.interrupted, .busy].contains(error.code) {
      return CancellationError()
    }
    return error
  }

  /// Runs the body on this thread if a connection is free, and tells whether one was; a closed lane has nothing to do.
  func runIfIdle(_ body: (Connection) throws -> Void) throws -> Bool {
    let (slot, isClosed) = state.withLock { ($0.isClosed ? nil : $0.idle.popLast(), $0.isClosed) }
    guard let slot else { return isClosed }
    defer { release(slot) }
    try slot.run(cancellation: nil, body)
    return true
  }

  private func acquire() throws -> Slot {
    if let grant = state.withLock({ Self.take(&$0) }) { return try grant.get() }
    let signal = DispatchSemaphore(value: 0)
    let turn = Turn()
    let immediate: Grant? = state.withLock { state in
      if let grant = Self.take(&state) { return grant }
      state.waiters.append { grant in
        turn.set(grant)
        signal.signal()
      }
      return nil
    }
    if let immediate { return try immediate.get() }
    signal.wait()
    return try turn.get().get()
  }

  private func acquireAsync() async throws -> Slot {
    try Task.checkCancellation()
    let ticket = state.withLock { $0.waiters.makeTicket() }
    let grant: Grant = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let immediate: Grant? = state.withLock { state in
          if let grant = Self.take(&state) { return grant }
          // Cancelled before it could be queued: the handler below found nothing to take out.
          if Task.isCancelled { return .failure(CancellationError()) }
          state.waiters.append(ticket: ticket) { continuation.resume(returning: $0) }
          return nil
        }
        if let immediate { continuation.resume(returning: immediate) }
      }
    } onCancel: {
      let waiter = state.withLock { $0.waiters.remove(ticket) }
      waiter?(.failure(CancellationError()))
    }
    return try grant.get()
  }

  private static func take(_ state: inout State) -> Grant? {
    if state.isClosed { return .failure(Self.closedError) }
    return state.idle.popLast().map { .success($0) }
  }

  private func release(_ slot: Slot) {
    let (next, drained): (Waiter?, [@Sendable () -> Void]) = state.withLock { state in
      if let next = state.waiters.popFirst() { return (next, []) }
      state.idle.append(slot)
      guard state.isClosed, state.idle.count == slots.count else { return (nil, []) }
      defer { state.onDrained = [] }
      return (nil, state.onDrained)
    }
    next?(.success(slot))
    for action in drained { action() }
  }

  /// Refuses all who wait and all who come, waits for the work that runs, and closes the connections.
  func close() {
    let drained = DispatchSemaphore(value: 0)
    drain { drained.signal() }
    drained.wait()
    for slot in slots { slot.close() }
  }

  /// As ``close()``, the waiting suspended.
  func close() async {
    await withCheckedContinuation { continuation in drain { continuation.resume() } }
    for slot in slots { slot.close() }
  }

  private func drain(_ action: @escaping @Sendable () -> Void) {
    let (refused, isDrained): ([Waiter], Bool) = state.withLock { state in
      state.isClosed = true
      let isDrained = state.idle.count == slots.count
      if !isDrained { state.onDrained.append(action) }
      return (state.waiters.removeAll(), isDrained)
    }
    for waiter in refused { waiter(.failure(Self.closedError)) }
    if isDrained { action() }
  }

  private static var closedError: StoreError {
    StoreError(.closed, operation: "acquire a connection", message: "The database is closed.")
  }

  /// Hands a grant from the thread that gives it to the one that waits.
  private final class Turn: Sendable {
    private let grant = Mutex<Grant?>(nil)
    func set(_ new: Grant) { grant.withLock { $0 = new } }
    func get() -> Grant { grant.withLock { $0 } ?? .failure(Lane.closedError) }
  }
}

/// A slot, or why there is none.
typealias Grant = Result<Slot, any Error>
