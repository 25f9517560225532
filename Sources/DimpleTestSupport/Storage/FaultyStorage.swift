internal import DimpleMutex
public import DimpleRemote

/// A storage that goes wrong as told: what a network, an overloaded server or a hostile owner may do to a sync.
///
/// Some faults break the contract of `ObjectStorage` (order, completeness) on purpose: sync must stand them.
public final class FaultyStorage: ObjectStorage {
  private struct State {
    var schedule: FaultSchedule
    var requests = 0
    var occurrences: [String: Int] = [:]
    var counts: [StorageFault: Int] = [:]
    var pages: [String: ListPage] = [:]
  }

  private let base: any ObjectStorage
  private let seed: UInt64
  private let delay: @Sendable (StorageRequest) async throws -> Void
  private let state: Mutex<State>

  /// - Parameters:
  ///   - seed: Chooses the details (which bit, which error); the schedule has its own.
  ///   - delay: Awaited before each request: latency, or a place to stop a task at. It may throw.
  public init(
    _ base: any ObjectStorage, schedule: FaultSchedule, seed: UInt64 = 0,
    delay: @escaping @Sendable (StorageRequest) async throws -> Void = { _ in }
  ) {
    self.base = base
    self.seed = seed
    self.delay = delay
    state = Mutex(State(schedule: schedule))
  }

  /// What goes wrong from now on; ``FaultSchedule/none`` ends the faults.
  public var schedule: FaultSchedule {
    get { state.withLock { $0.schedule } }
    set { state.withLock { $0.schedule = newValue } }
  }

  /// How often each fault was carried out.
  public var counts: [StorageFault: Int] { state.withLock { $0.counts } }

  /// All requests so far.
  public var requestCount: Int { state.withLock { $0.requests } }

  /// The base's.
  public var description: String { base.description }

  /// See `ObjectStorage`.
  public func list(prefix: String, after cursor: ListCursor?) async throws -> ListPage {
    let (request, fault) = begin(.list, cursor.map { "\(prefix) after \($0.token)" } ?? prefix)
    try await delay(request)
    try failBefore(request, fault)
    if fault == .stale, let page = state.withLock({ $0.pages[request.key] }) {
      count(.stale)
      return page
    }
    let page = try await base.list(prefix: prefix, after: cursor)
    state.withLock { $0.pages[request.key] = page }
    return disturb(page, request, fault)
  }

  /// See `ObjectStorage`.
  public func get(_ key: String, maximumSize: Int) async throws -> [UInt8] {
    let (request, fault) = begin(.get, key)
    try await delay(request)
    try failBefore(request, fault)
    if fault == .lose {
      count(.lose)
      throw RemoteError.noSuchObject(key)
    }
    let bytes = try await base.get(key, maximumSize: maximumSize)
    return disturb(bytes, request, fault)
  }

  /// See `ObjectStorage`.
  public func put(_ key: String, _ bytes: [UInt8], condition: PutCondition) async throws {
    let (request, fault) = begin(.put, key)
    try await delay(request)
    try failBefore(request, fault)
    try await base.put(key, bytes, condition: condition)
    try failAfter(request, fault)
  }

  /// See `ObjectStorage`.
  public func delete(_ key: String) async throws {
    let (request, fault) = begin(.delete, key)
    try await delay(request)
    try failBefore(request, fault)
    try await base.delete(key)
    try failAfter(request, fault)
  }
}

// MARK: - Carrying out the faults

extension FaultyStorage {
  private func begin(_ operation: StorageRequest.Operation, _ key: String) -> (StorageRequest, StorageFault?) {
    let (request, schedule) = state.withLock { state in
      state.requests += 1
      state.occurrences["\(operation) \(key)", default: 0] += 1
      let occurrence = state.occurrences["\(operation) \(key)"] ?? 1
      let request = StorageRequest(
        operation: operation, key: key, number: state.requests, occurrence: occurrence)
      return (request, state.schedule)
    }
    return (request, schedule.fault(request))
  }

  private func count(_ fault: StorageFault) { state.withLock { $0.counts[fault, default: 0] += 1 } }

  private func failBefore(_ request: StorageRequest, _ fault: StorageFault?) throws {
    guard fault == .failBefore else { return }
    count(.failBefore)
    throw passingError(request)
  }

  private func failAfter(_ request: StorageRequest, _ fault: StorageFault?) throws {
    guard fault == .failAfter else { return }
    count(.failAfter)
    throw passingError(request)
  }

  private func passingError(_ request: StorageRequest) -> RemoteError {
    var random = FaultSchedule.random(seed, request)
    let code = random.pick([RemoteError.Code.unreachable, .timedOut, .throttled, .serverFailed]) ?? .serverFailed
    return RemoteError(
      code, operation: "\(request.operation) \(request.key)", message: "A fault was injected.", hint: "Try again.")
  }

  private func disturb(_ bytes: [UInt8], _ request: StorageRequest, _ fault: StorageFault?) -> [UInt8] {
    var random = FaultSchedule.random(seed, request)
    guard !bytes.isEmpty else { return bytes }
    let place = random.below(bytes.count)
    switch fault {
    case .truncate:
      count(.truncate)
      return Array(bytes.prefix(place))
    case .corrupt:
      count(.corrupt)
      var bytes = bytes
      bytes[place] ^= 1 << UInt8(random.below(8))
      return bytes
    default: return bytes
    }
  }

  private func disturb(_ page: ListPage, _ request: StorageRequest, _ fault: StorageFault?) -> ListPage {
    var random = FaultSchedule.random(seed, request)
    var page = page
    guard !page.objects.isEmpty else { return page }
    let place = random.below(page.objects.count)
    switch fault {
    case .omit: page.objects.remove(at: place)
    case .duplicate: page.objects.insert(page.objects[place], at: random.below(page.objects.count + 1))
    case .reorder: page.objects.shuffle(using: &random)
    default: return page
    }
    fault.map(count)
    return page
  }
}
