import DimpleChangelog
import DimpleRemote
import DimpleStore
import DimpleSync
import DimpleTestSupport
import Testing

@Suite("New rows go into state and tables many to a statement, and what comes of them is the same")
struct GatheredRowsTests {
  private static let migrations = [
    Migration(
      "1",
      """
      CREATE TABLE Item (id INTEGER PRIMARY KEY, code TEXT UNIQUE, size INTEGER NOT NULL DEFAULT 7, note);
      CREATE TABLE Part (id TEXT PRIMARY KEY NOT NULL, item INTEGER REFERENCES Item) WITHOUT ROWID;
      """)
  ]

  private func replica(
    _ storage: any ObjectStorage, rowsPerStatement: Int, later: Int64 = 0, snapshots: Bool = false
  ) throws -> SimulatedReplica {
    var options = SyncEngine.Options()
    options.rowsPerStatement = rowsPerStatement
    options.smallestSnapshot = snapshots ? 1 : .max
    return try SimulatedReplica(
      storage: storage, clock: ManualClock(milliseconds: 1_800_000_000_000 + later), options: options,
      migrations: Self.migrations)
  }

  /// A hundred rows, and children; one has a value that JSON has to escape, one a NULL.
  private func fill(_ database: Database) async throws {
    try await database.write { connection in
      for id in 1...100 {
        let note: String? = id == 33 ? "a \"quoted\" one" : id == 66 ? nil : "note \(id)"
        try connection.execute("INSERT INTO Item (id, code, note) VALUES (\(id), \("c\(id)"), \(note))")
        try connection.execute("INSERT INTO Part VALUES (\("p\(id)"), \(id))")
      }
    }
  }

  /// Taken one by one, each row finds by itself whether it is new.
  private func expectSame(_ replicas: SimulatedReplica..., sourceLocation: SourceLocation = #_sourceLocation) throws {
    let expected = replicas[0].database
    for replica in replicas.dropFirst() {
      let database = replica.database
      #expect(try database.fingerprint() == expected.fingerprint(), sourceLocation: sourceLocation)
      #expect(try Set(database.heldRows()) == Set(expected.heldRows()), sourceLocation: sourceLocation)
      #expect(try database.stateFingerprint() == expected.stateFingerprint(), sourceLocation: sourceLocation)
    }
  }

  @Test("Where some keys and unique values are taken, statement by statement", arguments: [2, 3, 32])
  func conflicts(rowsPerStatement: Int) async throws {
    let storage = MemoryStorage()
    let writer = try replica(storage, rowsPerStatement: rowsPerStatement)
    try await fill(writer.database)
    _ = try await writer.engine.sync()

    let other = try replica(storage, rowsPerStatement: rowsPerStatement, later: 50)
    try await other.database.execute("INSERT INTO Item (id, code) VALUES (40, 'own'), (1000, 'c70')")
    #expect(try await other.engine.sync().newlyHeldRows == 1)
    #expect(try await writer.engine.sync().newlyHeldRows == 1)
    #expect(try other.database.heldRows().map(\.key) == [[.integer(1000)]])

    let alone = try replica(storage, rowsPerStatement: 1)
    let changed = try await alone.engine.sync().changedRows
    let newcomer = try replica(storage, rowsPerStatement: rowsPerStatement)
    #expect(try await newcomer.engine.sync().changedRows == changed && changed >= 200)
    try expectSame(alone, newcomer, other, writer)
    // A row of a statement that failed was taken by itself then, and has one birth.
    for id in 1...100 {
      let histories = try [alone, newcomer].map { replica in
        try #require(replica.database.changelog).history(of: "Item", key: [id]).versions.map {
          "\($0.operation) \($0.stamp) \($0.changedColumns)"
        }
      }
      #expect(histories[0] == histories[1] && !histories[0].isEmpty)
    }
  }

  @Test("A delete and a second insert among them", arguments: [2, 32])
  func lives(rowsPerStatement: Int) async throws {
    let storage = MemoryStorage()
    let writer = try replica(storage, rowsPerStatement: rowsPerStatement)
    try await fill(writer.database)
    try await writer.database.execute("DELETE FROM Part WHERE item IN (10, 11, 12)")
    try await writer.database.execute("DELETE FROM Item WHERE id IN (10, 11, 12)")
    try await writer.database.execute("INSERT INTO Item (id, code) VALUES (11, 'again')")
    _ = try await writer.engine.sync()
    let (alone, newcomer) = (
      try replica(storage, rowsPerStatement: 1), try replica(storage, rowsPerStatement: rowsPerStatement)
    )
    for replica in [alone, newcomer] { _ = try await replica.engine.sync() }
    try expectSame(alone, newcomer, writer)
    // A second time, every one of them is known.
    try await writer.database.execute("UPDATE Item SET size = size + 1")
    for replica in [writer, alone, newcomer] { _ = try await replica.engine.sync() }
    try expectSame(alone, newcomer, writer)
  }

  @Test("From a snapshot, with rows that need the parser, and one that is held", arguments: [2, 3, 32])
  func snapshot(rowsPerStatement: Int) async throws {
    let storage = MemoryStorage()
    let writer = try replica(storage, rowsPerStatement: rowsPerStatement, snapshots: true)
    let other = try replica(storage, rowsPerStatement: rowsPerStatement, later: 50)
    try await other.database.execute("INSERT INTO Item (id, code) VALUES (1000, 'c70')")
    _ = try await other.engine.sync()
    try await fill(writer.database)
    #expect(try await writer.engine.sync().wroteSnapshot)

    let alone = try replica(storage, rowsPerStatement: 1, snapshots: true)
    let newcomer = try replica(storage, rowsPerStatement: rowsPerStatement, snapshots: true)
    for replica in [alone, newcomer] { #expect(try await replica.engine.sync().mergedSnapshot) }
    #expect(try newcomer.database.heldRows().map(\.key) == [[.integer(1000)]])
    try expectSame(alone, newcomer, writer)
    #expect(try await newcomer.engine.verify().isHealthy)
  }
}
