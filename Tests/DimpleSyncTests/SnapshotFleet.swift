import DimpleChangelog
import DimpleRemote
import DimpleStore
import DimpleTestSupport
import Testing

@testable import DimpleSync

/// Replicas that write snapshots early, of small parts.
struct SnapshotFleet {
  static let schema = """
    CREATE TABLE List (id TEXT PRIMARY KEY NOT NULL, title TEXT);
    CREATE TABLE Item (
      id TEXT PRIMARY KEY NOT NULL, list TEXT REFERENCES List(id), text TEXT, code INTEGER UNIQUE);
    """

  let storage: any ObjectStorage
  var schema = Self.schema

  static var options: SyncEngine.Options {
    var options = SyncEngine.Options()
    options.smallestSnapshot = 1
    options.snapshotPartSize = 600
    return options
  }

  func replica(
    _ storage: (any ObjectStorage)? = nil, schema: String? = nil, path: String? = nil,
    options: SyncEngine.Options = Self.options
  ) throws -> SimulatedReplica {
    try SimulatedReplica(
      storage: storage ?? self.storage, path: path, options: options,
      migrations: [Migration("schema", "\(raw: schema ?? self.schema)")])
  }

  /// Lists and items, and a snapshot of them, at the latest when a sync finds them in the vault.
  func write(_ replica: SimulatedReplica, items: Range<Int> = 0..<40) async throws {
    for index in items {
      try await replica.database.write { connection in
        try connection.execute("INSERT OR IGNORE INTO List VALUES (\("list \(index % 3)"), 'a list')")
        try connection.execute(
          "INSERT INTO Item VALUES (\("item \(index)"), \("list \(index % 3)"), \("text \(index)"), \(index))")
      }
    }
    let reports = [try await replica.engine.sync(), try await replica.engine.sync()]
    #expect(reports.contains { $0.wroteSnapshot })
  }

  func snapshots() async throws -> SnapshotCatalog {
    SnapshotCatalog(
      try await storage.listAll(prefix: "snap/").compactMap { object in
        TransparentVault().openName(String(object.key.dropFirst(5))).flatMap(SnapshotName.init(record:)).map {
          .init(key: object.key, name: $0, size: object.size)
        }
      })
  }

  /// All others' packs go: what is not in a snapshot is lost to a newcomer.
  func removePacks() async throws {
    for object in try await storage.listAll(prefix: "log/") { try await storage.delete(object.key) }
  }

  func expectEqual(
    _ one: SimulatedReplica, _ other: SimulatedReplica, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    #expect(try one.database.fingerprint() == other.database.fingerprint(), sourceLocation: sourceLocation)
    #expect(
      try Set(one.database.heldRows()) == Set(other.database.heldRows()), sourceLocation: sourceLocation)
    #expect(
      try other.database.rows("SELECT * FROM pragma_foreign_key_check").isEmpty, sourceLocation: sourceLocation)
  }
}
