internal import DimpleMutex

/// Objects in memory, shared by all that hold the value: for tests and previews.
public final class MemoryStorage: ObjectStorage {
  private let objects: Mutex<[String: [UInt8]]>
  private let pageSize: Int

  /// Starts with `objects`, by key.
  ///
  /// - Parameter pageSize: The most objects that one page of a listing holds; S3's 1,000 unless a test wants less.
  public init(_ objects: [String: [UInt8]] = [:], pageSize: Int = 1000) {
    self.objects = Mutex(objects)
    self.pageSize = max(1, pageSize)
  }

  /// `memory`
  public var description: String { "memory" }

  /// Every object by key: a copy to look into, or to go back to with ``restore(_:)``.
  public var snapshot: [String: [UInt8]] { objects.withLock { $0 } }

  /// Replaces every object, as a bucket's owner might.
  public func restore(_ snapshot: [String: [UInt8]]) { objects.withLock { $0 = snapshot } }

  /// See ``ObjectStorage/list(prefix:after:)``.
  public func list(prefix: String, after cursor: ListCursor?) async throws -> ListPage {
    try Task.checkCancellation()
    let after = cursor?.token ?? ""
    let found = objects.withLock { objects in
      objects.filter { $0.key.utf8.starts(with: prefix.utf8) && $0.key > after }
    }
    let keys = found.keys.sorted()
    let page = keys.prefix(pageSize).map { ObjectInfo(key: $0, size: Int64(found[$0]?.count ?? 0)) }
    let next = keys.count > pageSize ? page.last.map { ListCursor(token: $0.key) } : nil
    return ListPage(objects: page, next: next)
  }

  /// See ``ObjectStorage/get(_:maximumSize:)``.
  public func get(_ key: String, maximumSize: Int) async throws -> [UInt8] {
    try Task.checkCancellation()
    try KeyRules.validate(key, operation: "get \(key)")
    guard let bytes = objects.withLock({ $0[key] }) else { throw RemoteError.noSuchObject(key) }
    guard bytes.count <= maximumSize else {
      throw RemoteError.objectTooLarge(key, size: Int64(bytes.count), maximumSize: maximumSize)
    }
    return bytes
  }

  /// See ``ObjectStorage/put(_:_:condition:)``.
  public func put(_ key: String, _ bytes: [UInt8], condition: PutCondition) async throws {
    try Task.checkCancellation()
    try KeyRules.validate(key, operation: "put \(key)")
    let exists = objects.withLock { objects in
      if condition == .ifAbsent, objects[key] != nil { return true }
      objects[key] = bytes
      return false
    }
    if exists { throw RemoteError.objectExists(key) }
  }

  /// See ``ObjectStorage/delete(_:)``.
  public func delete(_ key: String) async throws {
    try Task.checkCancellation()
    try KeyRules.validate(key, operation: "delete \(key)")
    objects.withLock { $0[key] = nil }
  }
}
