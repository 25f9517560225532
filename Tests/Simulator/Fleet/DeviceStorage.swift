import DimpleMutex
import DimpleRemote

/// A device's way to the storage, which can be cut at a request, and on which other things happen meanwhile.
final class DeviceStorage: ObjectStorage {
  /// What is to happen during one sync; requests count from 1.
  struct Plan: Sendable {
    var interruption: Script.Interruption?
    var meanwhile: [Int: @Sendable () async -> Void] = [:]
  }

  private struct State {
    var plan = Plan()
    var requests = 0
    var wantsCancel = false
    var cancel: (@Sendable () -> Void)?
  }

  private let base: any ObjectStorage
  private let life: @Sendable () -> Lifeline
  private let state = Mutex(State())

  init(_ base: any ObjectStorage, life: @escaping @Sendable () -> Lifeline) {
    self.base = base
    self.life = life
  }

  func begin(_ plan: Plan) {
    state.withLock { $0 = State(plan: plan) }
  }

  /// How to cancel the sync that is about to make requests, or has made some.
  func onCancel(_ cancel: @escaping @Sendable () -> Void) {
    let isLate = state.withLock { state in
      state.cancel = cancel
      return state.wantsCancel
    }
    if isLate { cancel() }
  }

  /// What came of the sync: how many requests it made, and whether it was cancelled.
  func end() -> (requests: Int, wasCancelled: Bool) {
    state.withLock { state in
      defer { state = State() }
      return (state.requests, state.wantsCancel)
    }
  }

  private func pass<T: Sendable>(_ body: () async throws -> T) async throws -> T {
    let (number, plan) = state.withLock { state in
      state.requests += 1
      return (state.requests, state.plan)
    }
    if life().isDead { throw DeviceDied() }
    if let action = plan.meanwhile[number] { await action() }
    if plan.interruption == .dieBefore(request: number) { life().end() }
    if plan.interruption == .cancel(request: number) { cancel() }
    if life().isDead { throw DeviceDied() }
    let result: Result<T, any Error>
    do { result = .success(try await body()) } catch { result = .failure(error) }
    if plan.interruption == .dieAfter(request: number) {
      life().end()
      throw DeviceDied()
    }
    return try result.get()
  }

  private func cancel() {
    let cancel = state.withLock { state in
      state.wantsCancel = true
      return state.cancel
    }
    cancel?()
  }

  var description: String { base.description }

  func list(prefix: String, after cursor: ListCursor?) async throws -> ListPage {
    try await pass { try await base.list(prefix: prefix, after: cursor) }
  }

  func get(_ key: String, maximumSize: Int) async throws -> [UInt8] {
    try await pass { try await base.get(key, maximumSize: maximumSize) }
  }

  func put(_ key: String, _ bytes: [UInt8], condition: PutCondition) async throws {
    try await pass { try await base.put(key, bytes, condition: condition) }
  }

  func delete(_ key: String) async throws {
    try await pass { try await base.delete(key) }
  }
}
