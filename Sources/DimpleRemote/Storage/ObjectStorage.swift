/// The far side, seen as a flat map from keys to immutable bytes: a bucket, a folder, a dictionary.
///
/// Sync needs nothing more of a backend than these four operations, and assumes as little of them as the weakest object
/// store gives: no locks, no compare-and-swap, no ordering between different keys, and listings that may be stale.
///
/// Keys obey ``KeyRules``; anything else throws ``RemoteError/Code/invalidKey``. Two keys of one storage are never such that
/// one is the other's folder (`a` beside `a/b`) or differ in case alone: a file system cannot hold both, and a backend may
/// refuse the second. Every method may be called from any task at any time, concurrently. Every method honours task
/// cancellation by throwing `CancellationError`.
public protocol ObjectStorage: Sendable {
  /// Where the objects live, for people: `s3://bucket/prefix`, `/path/to/folder`, `memory`. Never holds a secret.
  var description: String { get }

  /// One page of the objects whose key starts with `prefix`, in ascending byte order of their keys.
  ///
  /// - Parameters:
  ///   - prefix: Plain text, not a folder: `log/a` finds `log/abc`. Empty lists everything. It need not be a key.
  ///   - cursor: `nil` for the first page, then ``ListPage/next`` of the page before.
  /// - Throws: ``RemoteError``. An empty prefix or one that nothing matches is an empty page, not an error.
  func list(prefix: String, after cursor: ListCursor?) async throws -> ListPage

  /// The whole object under `key`.
  ///
  /// - Parameter maximumSize: In bytes. A longer object throws ``RemoteError/Code/tooLarge`` before it is held in memory: the
  ///   bucket may be hostile.
  /// - Throws: ``RemoteError/Code/notFound`` when there is none; other ``RemoteError``s.
  func get(_ key: String, maximumSize: Int) async throws -> [UInt8]

  /// Stores `bytes` under `key`, whole or not at all: a reader sees the old object or the new one, never a part.
  ///
  /// Idempotent: storing the same bytes again changes nothing. When this throws, the outcome is unknown; the object may
  /// be there. When it returns, the object survives a crash of the far side as well as that side can promise.
  ///
  /// - Throws: ``RemoteError/Code/preconditionFailed`` when `condition` is ``PutCondition/ifAbsent``, the backend honours it and
  ///   the key exists. A backend that cannot honour the condition stores unconditionally. Other ``RemoteError``s.
  func put(_ key: String, _ bytes: [UInt8], condition: PutCondition) async throws

  /// Removes the object under `key`; removing what is not there succeeds.
  func delete(_ key: String) async throws
}

/// What must hold for a put to be carried out.
public enum PutCondition: Sendable, Hashable {
  /// Store always.
  case none
  /// Store only where no object has the key yet (`If-None-Match: *`); a second belt, never relied upon.
  case ifAbsent
}

/// Where a listing goes on. Opaque: only the storage that made it can read it.
public struct ListCursor: Sendable, Hashable {
  /// What the backend wrote into it.
  public let token: String

  /// Made by backends only.
  public init(token: String) { self.token = token }
}

/// One page of a listing.
public struct ListPage: Sendable, Hashable {
  /// Ascending by key.
  public var objects: [ObjectInfo]
  /// `nil` on the last page.
  public var next: ListCursor?
  /// The far side's own clock when it answered, in milliseconds since 1970, where it tells: a second opinion on ours.
  public var serverTimeMilliseconds: Int64?

  /// A page; `next` and the time may be unknown.
  public init(objects: [ObjectInfo], next: ListCursor? = nil, serverTimeMilliseconds: Int64? = nil) {
    self.objects = objects
    self.next = next
    self.serverTimeMilliseconds = serverTimeMilliseconds
  }
}

/// What a listing says of one object.
public struct ObjectInfo: Sendable, Hashable {
  /// The full key, prefix included.
  public var key: String
  /// In bytes.
  public var size: Int64

  /// A listing's row.
  public init(key: String, size: Int64) {
    self.key = key
    self.size = size
  }
}

extension ObjectStorage {
  /// Stores unconditionally. See ``put(_:_:condition:)``.
  public func put(_ key: String, _ bytes: [UInt8]) async throws {
    try await put(key, bytes, condition: .none)
  }
}
