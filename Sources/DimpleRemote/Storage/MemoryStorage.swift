internal import Synchronization

/// Objects in memory, shared by all that hold the value: for tests and previews.
public final class MemoryStorage: ObjectStorage {
  private let objects = Mutex<[String: [UInt8]]>([:])
  private static let pageSize = 1000

  /// Starts empty.
  public init() {}

  /// `memory`
  public var description: String { "memory" }

  /// See ``ObjectStorage/list(prefix:after:)``.
  public func list(prefix: String, after cursor: ListCursor?) async throws -> ListPage {
    try Task.checkCancellation()
    let found = objects.withLock { objects in
      objects.filter { $0.key.hasPrefix(prefix) && $0.key > cursor?.token ?? "" }
        .map { ObjectInfo(key: $0.key, size: Int64($0.value.count)) }
    }.sorted { $0.key < $1.key }
    let page = Array(found.prefix(Self.pageSize))
    let next = found.count > page.count ? page.last.map { ListCursor(token: $0.key) } : nil
    return ListPage(objects: page, next: next)
  }

  /// See ``ObjectStorage/get(_:maximumSize:)``.
  public func get(_ key: String, maximumSize: Int) async throws -> [UInt8] {
    try Task.checkCancellation()
    guard let bytes = objects.withLock({ $0[key] }) else {
      throw RemoteError(.notFound, operation: "get \(key)", message: "There is no such object.")
    }
    guard bytes.count <= maximumSize else {
      throw RemoteError(.tooLarge, operation: "get \(key)", message: "The object has \(bytes.count) bytes.")
    }
    return bytes
  }

  /// See ``ObjectStorage/put(_:_:condition:)``.
  public func put(_ key: String, _ bytes: [UInt8], condition: PutCondition) async throws {
    try Task.checkCancellation()
    let exists = objects.withLock { objects in
      if condition == .ifAbsent, objects[key] != nil { return true }
      objects[key] = bytes
      return false
    }
    if exists {
      throw RemoteError(.preconditionFailed, operation: "put \(key)", message: "The object exists already.")
    }
  }

  /// See ``ObjectStorage/delete(_:)``.
  public func delete(_ key: String) async throws {
    try Task.checkCancellation()
    objects.withLock { $0[key] = nil }
  }
}
