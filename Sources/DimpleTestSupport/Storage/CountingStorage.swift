internal import DimpleMutex
public import DimpleRemote

/// A storage that counts what is asked of it: for tests that bound the requests of a sync.
///
/// A request that fails counts too.
public final class CountingStorage: ObjectStorage {
  /// What was asked since the start or the last ``reset()``.
  public struct Counts: Sendable, Hashable {
    /// Pages asked for.
    public var lists = 0
    /// Objects asked for.
    public var gets = 0
    /// Objects sent.
    public var puts = 0
    /// Removals asked for.
    public var deletes = 0
    /// What successful gets gave.
    public var bytesRead = 0
    /// What puts sent, successful or not.
    public var bytesWritten = 0

    /// Nothing was asked yet.
    public init() {}

    /// All requests.
    public var requests: Int { lists + gets + puts + deletes }
  }

  private let base: any ObjectStorage
  private let state = Mutex(Counts())

  /// Starts at zero.
  public init(_ base: any ObjectStorage) { self.base = base }

  /// What was asked since the start or the last ``reset()``.
  public var counts: Counts { state.withLock { $0 } }

  /// Back to zero; returns what it was.
  @discardableResult
  public func reset() -> Counts {
    state.withLock { counts in
      defer { counts = Counts() }
      return counts
    }
  }

  /// The base's.
  public var description: String { base.description }

  /// See `ObjectStorage`.
  public func list(prefix: String, after cursor: ListCursor?) async throws -> ListPage {
    state.withLock { $0.lists += 1 }
    return try await base.list(prefix: prefix, after: cursor)
  }

  /// See `ObjectStorage`.
  public func get(_ key: String, maximumSize: Int) async throws -> [UInt8] {
    state.withLock { $0.gets += 1 }
    let bytes = try await base.get(key, maximumSize: maximumSize)
    state.withLock { $0.bytesRead += bytes.count }
    return bytes
  }

  /// See `ObjectStorage`.
  public func put(_ key: String, _ bytes: [UInt8], condition: PutCondition) async throws {
    state.withLock {
      $0.puts += 1
      $0.bytesWritten += bytes.count
    }
    try await base.put(key, bytes, condition: condition)
  }

  /// See `ObjectStorage`.
  public func delete(_ key: String) async throws {
    state.withLock { $0.deletes += 1 }
    try await base.delete(key)
  }
}
