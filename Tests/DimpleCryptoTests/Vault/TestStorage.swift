import DimpleMutex
import DimpleRemote

/// Objects in memory, with the faults that a vault must survive: failing puts, stale listings, unconditional puts.
final class TestStorage: ObjectStorage {
  private struct State {
    var objects: [String: [UInt8]] = [:]
    var putCount = 0
    var hidden: Set<String> = []
    var failingPut: Int?
    var beforePut: [String: @Sendable () async throws -> Void] = [:]
    var log: [String] = []
  }

  private let state = Mutex(State())
  private let honoursConditions: Bool

  init(honoursConditions: Bool = true) { self.honoursConditions = honoursConditions }

  var description: String { "test" }

  var keys: [String] { state.withLock { $0.objects.keys.sorted() } }
  var puts: Int { state.withLock { $0.putCount } }
  /// The operations so far: `get dimple.json`.
  var log: [String] { state.withLock { $0.log } }

  subscript(key: String) -> [UInt8]? {
    get { state.withLock { $0.objects[key] } }
    set { state.withLock { $0.objects[key] = newValue } }
  }

  /// Objects that exist but that neither listings nor gets show yet.
  func hide(_ key: String) { state.withLock { _ = $0.hidden.insert(key) } }
  func showAll() { state.withLock { $0.hidden = [] } }

  /// Makes the put with this number, counted from 1, throw without storing.
  func failPut(_ number: Int?) { state.withLock { $0.failingPut = number } }

  /// Runs once, right before the next put of a key that starts with `prefix`.
  func beforePut(_ prefix: String, _ body: @escaping @Sendable () async throws -> Void) {
    state.withLock { $0.beforePut[prefix] = body }
  }

  func list(prefix: String, after cursor: ListCursor?) async throws -> ListPage {
    state.withLock { state in
      state.log.append("list \(prefix)")
      let keys = state.objects.keys.filter { $0.hasPrefix(prefix) && !state.hidden.contains($0) }.sorted()
      return ListPage(objects: keys.map { ObjectInfo(key: $0, size: Int64(state.objects[$0]?.count ?? 0)) })
    }
  }

  func get(_ key: String, maximumSize: Int) async throws -> [UInt8] {
    try state.withLock { state in
      state.log.append("get \(key)")
      guard let bytes = state.objects[key], !state.hidden.contains(key) else {
        throw RemoteError(.notFound, operation: "get \(key)", message: "there is no such object")
      }
      guard bytes.count <= maximumSize else {
        throw RemoteError(.tooLarge, operation: "get \(key)", message: "\(bytes.count) bytes")
      }
      return bytes
    }
  }

  func put(_ key: String, _ bytes: [UInt8], condition: PutCondition) async throws {
    let hook = state.withLock { state in
      state.beforePut.keys.first(where: key.hasPrefix).flatMap { state.beforePut.removeValue(forKey: $0) }
    }
    try await hook?()
    try state.withLock { state in
      state.log.append("put \(key)")
      state.putCount += 1
      if state.putCount == state.failingPut {
        throw RemoteError(.unreachable, operation: "put \(key)", message: "injected")
      }
      if condition == .ifAbsent, honoursConditions, state.objects[key] != nil {
        throw RemoteError(.preconditionFailed, operation: "put \(key)", message: "the key exists")
      }
      state.objects[key] = bytes
    }
  }

  func delete(_ key: String) async throws {
    state.withLock { state in
      state.log.append("delete \(key)")
      state.objects[key] = nil
    }
  }
}
