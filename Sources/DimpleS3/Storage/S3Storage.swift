public import DimpleRemote

/// A prefix of a bucket as the far side.
///
/// Passing failures are thrown as they come: put a `RetryingStorage` around it. A conditional put relies on the server
/// (`If-None-Match: *`); one that does not know it stores unconditionally, as the contract allows.
public final class S3Storage: ObjectStorage {
  /// The requests themselves.
  public let client: S3Client
  private let prefix: String

  /// Nothing is asked of the server yet.
  public convenience init(_ configuration: S3Configuration) {
    self.init(S3Client(configuration))
  }

  /// Uses the client's bucket, and its configuration's prefix.
  public init(_ client: S3Client) {
    self.client = client
    prefix = client.configuration.prefix
  }

  /// `s3://bucket/prefix`
  public var description: String { client.configuration.description }

  /// See `ObjectStorage`. Objects that others put there under keys that are none of ours are left out.
  public func list(prefix: String, after cursor: ListCursor?) async throws -> ListPage {
    let page = try await client.list(prefix: self.prefix + prefix, continuationToken: cursor?.token)
    let objects = page.objects.compactMap { object -> ObjectInfo? in
      let key = String(object.key.dropFirst(self.prefix.count))
      return KeyRules.isValid(key) ? ObjectInfo(key: key, size: object.size) : nil
    }
    return ListPage(
      // Directory buckets list in an order of their own.
      objects: objects.sorted { $0.key < $1.key },
      next: page.continuationToken.map { ListCursor(token: $0) },
      serverTimeMilliseconds: page.serverTimeMilliseconds)
  }

  /// See `ObjectStorage`.
  public func get(_ key: String, maximumSize: Int) async throws -> [UInt8] {
    try KeyRules.validate(key, operation: "get \(key)")
    return try await client.get(prefix + key, maximumSize: maximumSize)
  }

  /// See `ObjectStorage`.
  public func put(_ key: String, _ bytes: [UInt8], condition: PutCondition) async throws {
    try KeyRules.validate(key, operation: "put \(key)")
    try await client.put(prefix + key, bytes, ifAbsent: condition == .ifAbsent)
  }

  /// See `ObjectStorage`.
  public func delete(_ key: String) async throws {
    try KeyRules.validate(key, operation: "delete \(key)")
    try await client.delete(prefix + key)
  }
}
