internal import DimpleMutex
internal import DimpleStore

/// One moment of the database, read part by part with requests in between, while the app goes on writing.
///
/// A database in memory, or without a write-ahead log, cannot keep a moment: there, all parts are read at once.
final class SnapshotMoment: Sendable {
  private let session: SyncSession
  private let snapshot: DatabaseSnapshot?
  private let prepared = Mutex<[SnapshotSource.EncodedPart]>([])

  init(_ session: SyncSession) throws {
    self.session = session
    do { snapshot = try session.database.snapshot() } catch let error as StoreError
      where error.code == .unsupportedFeature
    { snapshot = nil }
  }

  /// Nothing more is read; an error would only mean that it ended by itself.
  func end() { try? snapshot?.release() }

  private func read<T: Sendable>(_ body: @escaping @Sendable (SnapshotSource) throws -> T) async throws -> T {
    let session = session
    let run: @Sendable (Connection) throws -> T = { connection in
      let schema = try session.schemas.load(connection, session.changelog).schema
      return try body(
        SnapshotSource(connection: connection, changelog: session.changelog, schema: schema, vault: session.vault))
    }
    if let snapshot { return try await snapshot.read(run) }
    return try await session.database.read(run)
  }

  /// Asked for first. See ``SnapshotSource/coverage()``.
  func coverage() async throws -> SnapshotSource.Coverage? {
    let (size, isKept) = (session.options.snapshotPartSize, snapshot != nil)
    let (coverage, parts) = try await read { source in
      let coverage = try source.coverage()
      var parts: [SnapshotSource.EncodedPart] = []
      var position: SnapshotSource.Position? = isKept || coverage == nil ? nil : .init()
      while let start = position {
        parts.append(try source.part(parts.count, from: start, size: size))
        position = parts.last?.next
      }
      return (coverage, parts)
    }
    prepared.withLock { $0 = parts }
    return coverage
  }

  /// See ``SnapshotSource/value(of:)``.
  func value(of cell: LargeCell) async throws -> SQLValue? { try await read { try $0.value(of: cell) } }

  /// See ``SnapshotSource/part(_:from:size:)``.
  func part(_ index: Int, from position: SnapshotSource.Position) async throws -> SnapshotSource.EncodedPart {
    let known = prepared.withLock { $0.indices.contains(index) ? $0[index] : nil }
    if let known { return known }
    let size = session.options.snapshotPartSize
    return try await read { try $0.part(index, from: position, size: size) }
  }
}
