internal import DimpleMutex
internal import Dispatch

/// Lends out connections, first come, first served, to threads and to tasks alike.
///
/// Who finds none free waits: a thread by blocking, a task by suspending. Nobody is overtaken.
final class Lane: Sendable {
  private struct State {
    var idle: [Slot]
    var waiters = WaiterQueue()
    /// Why nothing is lent out any more; `nil` while the lane is open.
    var closed: StoreError?
    var isSuspended = false
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
    do {
      return try slot.run(cancellation: nil, body)
    } catch { throw suspension(error) }
  }

  /// Runs the body with a connection on a thread of the lane's own; the task waits suspended.
  ///
  /// Cancelling the task takes it out of the queue, or interrupts the statement that runs: `CancellationError`.
  func run<T: Sendable>(_ body: @escaping @Sendable (Connection) throws -> T) async throws -> T {
    try Task.checkCancellation()
    let flag = CancellationFlag()
    return try await withTaskCancellationHandler {
      // Resumed exactly once: by the grant that fails, or by the job that it begins.
      try await HandOver<T>.wait { handOver in
        enter(flag) { grant in
          switch grant {
          case .failure(let error): handOver.resume(with: .failure(error))
          case .success(let slot):
            slot.worker.submit {
              let result = Result { try slot.run(cancellation: flag, body) }.mapError { self.suspension($0) }
              slot.worker.expectNext()
              self.release(slot)
              handOver.resume(with: result.mapError { Self.cancellation($0, flag) })
            }
          }
        }
      }
    } onCancel: {
      flag.set()
      let waiter = state.withLock { $0.waiters.remove(flag.ticket.load(ordering: .relaxed)) }
      waiter?(.failure(CancellationError()))
    }
  }

  /// Runs the body with a connection on a thread of the lane's own when its turn has come; nobody waits for it. A closed
  /// lane has nothing to do.
  func submit(_ body: @escaping @Sendable (Connection) -> Void) {
    enter(nil) { grant in
      guard case .success(let slot) = grant else { return }
      slot.worker.submit {
        // Only opening the connection can fail, and then there is nothing to do on it.
        try? slot.run(cancellation: nil, body)
        slot.worker.expectNext()
        self.release(slot)
      }
    }
  }

  /// Gives the waiter its turn: at once if a connection is free, otherwise on the thread that gives one back.
  ///
  /// - Parameter flag: whoever sets it takes the waiter out of the queue, by the ticket that it is given.
  private func enter(_ flag: CancellationFlag?, _ waiter: @escaping Waiter) {
    let immediate: Grant? = state.withLock { state in
      if let grant = Self.take(&state) { return grant }
      // Cancelled before it could be queued: the handler found nothing to take out.
      if flag?.isSet == true { return .failure(CancellationError()) }
      let ticket = state.waiters.append(waiter)
      flag?.ticket.store(ticket, ordering: .relaxed)
      return nil
    }
    if let immediate { waiter(immediate) }
  }

  /// What was stopped by ``suspend()``, which waits for it, is told so.
  private func suspension(_ error: any Error) -> any Error {
    guard let stopped = error as? StoreError, stopped.code == .interrupted, isSuspended else { return error }
    return Self.suspendedError
  }

  private static func cancellation(_ error: any Error, _ flag: CancellationFlag) -> any Error {
    if flag.isSet, let error = error as? StoreError, [.interrupted, .busy, .suspended].contains(error.code) {
      return CancellationError()
    }
    return error
  }

  /// Runs the body on this thread if a connection is free, and tells whether one was; a closed lane has nothing to do.
  func runIfIdle(_ body: (Connection) throws -> Void) throws -> Bool {
    let (slot, isClosed): (Slot?, Bool) = state.withLock {
      let isOut = $0.closed != nil || $0.isSuspended
      return (isOut ? nil : $0.idle.popLast(), isOut)
    }
    guard let slot else { return isClosed }
    defer { release(slot) }
    try slot.run(cancellation: nil, body)
    return true
  }

  /// Throws if the lane is closed or suspended.
  func checkOpen() throws {
    let (closed, isSuspended) = state.withLock { ($0.closed, $0.isSuspended) }
    if let closed { throw closed }
    if isSuspended { throw Self.suspendedError }
  }

  private func acquire() throws -> Slot {
    if let grant = state.withLock({ Self.take(&$0) }) { return try grant.get() }
    let signal = DispatchSemaphore(value: 0)
    let turn = Turn()
    let immediate: Grant? = state.withLock { state in
      if let grant = Self.take(&state) { return grant }
      _ = state.waiters.append { grant in
        turn.set(grant)
        signal.signal()
      }
      return nil
    }
    if let immediate { return try immediate.get() }
    signal.wait()
    return try turn.get().get()
  }

  private static func take(_ state: inout State) -> Grant? {
    if let closed = state.closed { return .failure(closed) }
    if state.isSuspended { return .failure(Self.suspendedError) }
    return state.idle.popLast().map { .success($0) }
  }

  private func release(_ slot: Slot) {
    let (next, drained): (Waiter?, [@Sendable () -> Void]) = state.withLock { state in
      // With the lock held, so that a request to stop is for the holder of its moment and for nobody after it.
      slot.stop.clear()
      if let next = state.waiters.popFirst() { return (next, []) }
      state.idle.append(slot)
      guard state.closed != nil || state.isSuspended, state.idle.count == slots.count else { return (nil, []) }
      defer { state.onDrained = [] }
      return (nil, state.onDrained)
    }
    next?(.success(slot))
    for action in drained { action() }
  }

  /// Refuses all who wait and all who come, waits for the work that runs, and closes the connections.
  func close(because reason: StoreError = Lane.closedError) {
    end(.closing(reason))
    for slot in slots { slot.close() }
  }

  /// Refuses all who wait and all who come until ``resume()``, stops the work that runs, waits for it to roll back, and
  /// closes the connections if they can be opened again.
  func suspend() {
    end(.suspending)
    for slot in slots where slot.canReopen { slot.close(checkpointing: false) }
  }

  /// Lends out connections again.
  func resume() { state.withLock { $0.isSuspended = false } }

  /// Whether ``suspend()`` was called last.
  var isSuspended: Bool { state.withLock { $0.isSuspended } }

  /// Stops the work that runs; what comes after it is not concerned.
  func interrupt() {
    state.withLock { state in
      for slot in slots where !state.idle.contains(where: { $0 === slot }) { slot.stop.set() }
    }
  }

  private enum Ending {
    case suspending
    case closing(StoreError)
  }

  private func end(_ ending: Ending) {
    let drained = DispatchSemaphore(value: 0)
    drain(ending) { drained.signal() }
    if case .suspending = ending { interrupt() }
    drained.wait()
  }

  /// As ``close()``, without waiting for the work that runs: its thread closes the connections when it is done.
  func closeWhenIdle() {
    drain(.closing(Self.closedError)) { [slots] in
      for slot in slots { slot.close() }
    }
  }

  /// As ``close()``, at once for the caller: the connections are closed on threads of the lane's own.
  func closeInBackground(_ completion: @escaping @Sendable () -> Void) {
    drain(.closing(Self.closedError)) {
      let group = DispatchGroup()
      for slot in self.slots {
        // The lane must not be let go meanwhile: it would close the connection, too.
        slot.worker.queue.async(group: group) { withExtendedLifetime(self) { slot.close() } }
      }
      group.notify(queue: .global(), execute: completion)
    }
  }

  /// As ``close()``, the waiting suspended.
  func close() async {
    await withCheckedContinuation { continuation in
      drain(.closing(Self.closedError)) { continuation.resume() }
    }
    for slot in slots { slot.close() }
  }

  private func drain(_ ending: Ending, _ action: @escaping @Sendable () -> Void) {
    let error =
      switch ending {
      case .suspending: Self.suspendedError
      case .closing(let reason): reason
      }
    let (refused, isDrained): ([Waiter], Bool) = state.withLock { state in
      if case .closing = ending { state.closed = state.closed ?? error } else { state.isSuspended = true }
      let isDrained = state.idle.count == slots.count
      if !isDrained { state.onDrained.append(action) }
      return (state.waiters.removeAll(), isDrained)
    }
    for waiter in refused { waiter(.failure(error)) }
    if isDrained { action() }
  }

  static var closedError: StoreError {
    StoreError(.closed, operation: "acquire a connection", message: "The database is closed.")
  }

  static var suspendedError: StoreError {
    StoreError(
      .suspended, operation: "acquire a connection", message: "The database is suspended.",
      hint: "Call resume() when the app is back in the foreground, and try again.")
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
