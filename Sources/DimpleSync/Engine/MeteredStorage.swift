internal import DimpleMutex
internal import DimpleRemote

/// What was asked of the storage, and how much went over the wire.
///
/// One request is one call of `ObjectStorage`; a backend that repeats what failed in passing sends more.
public struct SyncTraffic: Sendable, Hashable {
  /// Pages of listings.
  public var lists = 0
  /// Objects asked for.
  public var gets = 0
  /// Objects sent.
  public var puts = 0
  /// Objects removed.
  public var deletes = 0
  /// Of the objects that arrived, in bytes; listings are not counted.
  public var bytesReceived: Int64 = 0
  /// Of the objects sent, arrived or not, in bytes.
  public var bytesSent: Int64 = 0

  /// None.
  public init() {}

  /// All requests.
  public var requests: Int { lists + gets + puts + deletes }

  /// What was added since `earlier`.
  func since(_ earlier: SyncTraffic) -> SyncTraffic {
    var difference = self
    difference.lists -= earlier.lists
    difference.gets -= earlier.gets
    difference.puts -= earlier.puts
    difference.deletes -= earlier.deletes
    difference.bytesReceived -= earlier.bytesReceived
    difference.bytesSent -= earlier.bytesSent
    return difference
  }
}

/// Counts what an engine asks of its storage; a request that fails counts too.
final class MeteredStorage: ObjectStorage {
  private let base: any ObjectStorage
  private let state = Mutex(SyncTraffic())

  init(_ base: any ObjectStorage) { self.base = base }

  /// Since the beginning.
  var traffic: SyncTraffic { state.withLock { $0 } }

  var description: String { base.description }

  func list(prefix: String, after cursor: ListCursor?) async throws -> ListPage {
    state.withLock { $0.lists += 1 }
    return try await base.list(prefix: prefix, after: cursor)
  }

  func get(_ key: String, maximumSize: Int) async throws -> [UInt8] {
    state.withLock { $0.gets += 1 }
    let bytes = try await base.get(key, maximumSize: maximumSize)
    state.withLock { $0.bytesReceived += Int64(bytes.count) }
    return bytes
  }

  func put(_ key: String, _ bytes: [UInt8], condition: PutCondition) async throws {
    state.withLock {
      $0.puts += 1
      $0.bytesSent += Int64(bytes.count)
    }
    try await base.put(key, bytes, condition: condition)
  }

  func delete(_ key: String) async throws {
    state.withLock { $0.deletes += 1 }
    try await base.delete(key)
  }
}
