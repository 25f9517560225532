import DimpleChangelog
import DimpleRemote
import DimpleStore
import DimpleSync
import DimpleTestSupport
import Testing

@Suite("Devices with different versions of the app")
struct SchemaCasesTests {
  private let first = Migration("1", "CREATE TABLE Item (id TEXT PRIMARY KEY NOT NULL, a TEXT)")
  private let second = Migration("2", "ALTER TABLE Item ADD COLUMN b TEXT DEFAULT 'none'")
  private let third = Migration("3", "CREATE TABLE Extra (id TEXT PRIMARY KEY NOT NULL, n INTEGER)")

  @Test func unknownColumnsAreKeptAndAppearAfterTheMigration() async throws {
    let storage = MemoryStorage()
    let path = TemporaryFile.path()
    defer { TemporaryFile.remove(path) }
    let new = try SimulatedReplica(storage: storage, migrations: [first, second, third])
    try await new.database.execute("INSERT INTO Item VALUES ('x', 'a1', 'b1')")
    try await new.database.execute("INSERT INTO Extra VALUES ('e', 5)")
    _ = try await new.engine.sync()

    let old = try SimulatedReplica(storage: storage, path: path, migrations: [first])
    _ = try await old.engine.sync()
    #expect(try await old.database.rows("SELECT a FROM Item").map { $0[0] } == [.text("a1")])
    #expect(try old.database.heldRows().map(\.reason) == [.unknownTable])
    // The old app saves a row whose newer column it does not know.
    try await old.database.execute("UPDATE Item SET a = 'a2'")
    _ = try await old.engine.sync()
    _ = try await new.engine.sync()
    #expect(
      try await new.database.rows("SELECT a, b FROM Item").map { [$0[0], $0[1]] } == [[.text("a2"), .text("b1")]])
    try await old.database.close()

    let updated = try SimulatedReplica(storage: storage, path: path, migrations: [first, second, third])
    _ = try await updated.engine.sync()
    #expect(
      try await updated.database.rows("SELECT a, b FROM Item").map { [$0[0], $0[1]] } == [[.text("a2"), .text("b1")]])
    #expect(try await updated.database.rows("SELECT n FROM Extra").map { $0[0] } == [.integer(5)])
    #expect(try updated.database.heldRows().isEmpty)
    #expect(try updated.database.fingerprint() == new.database.fingerprint())
  }

  @Test func rowsOfAnOlderAppGetTheNewColumnsDefault() async throws {
    let storage = MemoryStorage()
    let old = try SimulatedReplica(storage: storage, migrations: [first])
    let new = try SimulatedReplica(storage: storage, migrations: [first, second])
    try await old.database.execute("INSERT INTO Item VALUES ('x', 'a')")
    _ = try await old.engine.sync()
    _ = try await new.engine.sync()
    #expect(try await new.database.rows("SELECT b FROM Item").map { $0[0] } == [.text("none")])
  }

  @Test func aMigrationWhileOpenIsFollowed() async throws {
    let storage = MemoryStorage()
    let left = try SimulatedReplica(storage: storage, migrations: [first])
    let right = try SimulatedReplica(storage: storage, migrations: [first])
    try await left.database.execute("INSERT INTO Item VALUES ('x', 'a')")
    _ = try await left.engine.sync()
    _ = try await right.engine.sync()
    try await left.database.write { connection in
      try connection.execute("ALTER TABLE Item ADD COLUMN c INTEGER")
      try connection.execute("UPDATE Item SET c = 7")
    }
    _ = try await left.engine.sync()
    _ = try await right.engine.sync()
    try await right.database.execute("ALTER TABLE Item ADD COLUMN c INTEGER")
    _ = try await right.engine.sync()
    #expect(try await right.database.rows("SELECT c FROM Item").map { $0[0] } == [.integer(7)])
    #expect(try right.database.fingerprint() == left.database.fingerprint())
  }

  @Test func whatWasKeptForAMigrationLosesToLaterWrites() async throws {
    let storage = MemoryStorage()
    let path = TemporaryFile.path()
    defer { TemporaryFile.remove(path) }
    let new = try SimulatedReplica(storage: storage, migrations: [first, second])
    try await new.database.execute("INSERT INTO Item VALUES ('x', 'a', 'kept'), ('y', 'a', 'kept')")
    _ = try await new.engine.sync()
    let old = try SimulatedReplica(storage: storage, path: path, migrations: [first])
    _ = try await old.engine.sync()
    try await old.database.close()
    let updated = try SimulatedReplica(
      storage: storage, clock: ManualClock(milliseconds: 1_800_000_005_000), path: path, migrations: [first, second])
    // Before any sync has shown it what was kept.
    try await updated.database.execute("UPDATE Item SET b = 'later' WHERE id = 'x'")
    _ = try await updated.engine.sync()
    _ = try await new.engine.sync()
    for replica in [new, updated] {
      #expect(
        try await replica.database.rows("SELECT b FROM Item ORDER BY id").map { $0[0] }
          == [.text("later"), .text("kept")])
    }
    #expect(try updated.database.fingerprint() == new.database.fingerprint())
  }

  /// Both deleted and updated, the row is gone; whoever inserts it anew does not know the column that was updated.
  ///
  /// - Parameter isUpdatedFirst: Whether the app is updated before what it inserted is first synced.
  @Test(arguments: [false, true])
  func anOlderAppInsertsARowAnewThatANewerOneHadUpdated(isUpdatedFirst: Bool) async throws {
    let storage = MemoryStorage()
    let path = TemporaryFile.path()
    defer { TemporaryFile.remove(path) }
    let new = try SimulatedReplica(storage: storage, migrations: [first, second])
    try await new.database.execute("INSERT INTO Item VALUES ('x', 'a', 'b')")
    _ = try await new.engine.sync()
    let old = try SimulatedReplica(storage: storage, path: path, migrations: [first])
    _ = try await old.engine.sync()
    try await old.database.execute("DELETE FROM Item")
    for clock in [new.clock, old.clock] { clock.advance(milliseconds: 1000) }
    try await new.database.execute("UPDATE Item SET b = 'updated'")
    for replica in [old, new, old] { _ = try await replica.engine.sync() }
    #expect(try await old.database.rows("SELECT id FROM Item").isEmpty)
    for clock in [new.clock, old.clock] { clock.advance(milliseconds: 1000) }
    try await old.database.execute("INSERT INTO Item VALUES ('x', 'anew')")
    if !isUpdatedFirst { _ = try await old.engine.sync() }
    try await old.database.close()

    let updated = try SimulatedReplica(storage: storage, path: path, migrations: [first, second])
    for replica in [updated, new] { _ = try await replica.engine.sync() }
    for replica in [new, updated] {
      #expect(
        try await replica.database.rows("SELECT a, b FROM Item").map { [$0[0], $0[1]] }
          == [[.text("anew"), .text("updated")]])
    }
    #expect(try updated.database.fingerprint() == new.database.fingerprint())
    #expect(try await updated.engine.verify().isHealthy)
  }

  private func folders(_ column: String) -> Migration {
    Migration(
      "1",
      """
      CREATE TABLE Folder (id TEXT PRIMARY KEY NOT NULL, \(raw: column));
      CREATE TABLE Note (id TEXT PRIMARY KEY NOT NULL)
      """)
  }

  /// What an older app does not know.
  private let reference = Migration("2", "ALTER TABLE Note ADD COLUMN folder TEXT REFERENCES Folder ON DELETE RESTRICT")

  @Test(
    "A row that an older app deleted, and that a column it did not know refers to, is shown after a repair",
    arguments: [["log/"], ["snap/"], ["log/", "snap/"]])
  func olderAppDeletesAParent(valuesAreIn prefixes: [String]) async throws {
    let storage = MemoryStorage()
    let tables = folders("name TEXT")
    let path = TemporaryFile.path()
    defer { TemporaryFile.remove(path) }
    var options = SyncEngine.Options()
    options.smallestSnapshot = prefixes.contains("snap/") ? 1 : .max
    let new = try SimulatedReplica(storage: storage, options: options, migrations: [tables, reference])
    try await new.database.execute("INSERT INTO Folder VALUES ('f', 'mine')")
    _ = try await new.engine.sync()
    let firstPacks = try await storage.listAll(prefix: "log/")
    let old = try SimulatedReplica(storage: storage, path: path, migrations: [tables])
    _ = try await old.engine.sync()
    try await old.database.execute("DELETE FROM Folder")
    try await new.database.execute("INSERT INTO Note VALUES ('n', 'f')")
    for replica in [old, new, old] { _ = try await replica.engine.sync() }
    #expect(try new.database.keptRows().map(\.table) == ["Folder"])
    try await old.database.close()
    _ = try await new.engine.sync()
    #expect(try await storage.listAll(prefix: "snap/").isEmpty != prefixes.contains("snap/"))
    if !prefixes.contains("log/") {
      for pack in firstPacks { try await storage.delete(pack.key) }
    }

    let updated = try SimulatedReplica(storage: storage, path: path, migrations: [tables, reference])
    _ = try await updated.engine.sync()
    #expect(try updated.database.heldRows().map(\.reason) == [.missingParent])
    #expect(try await updated.engine.verify().findings.map(\.code) == [.unknownValues])
    let repair = try await updated.engine.repair()
    #expect(repair.found.findings.map(\.code) == [.unknownValues])
    #expect(repair.remaining.isHealthy)
    #expect(repair.correctedRows == 1)
    #expect(try updated.database.heldRows().isEmpty)
    #expect(try await updated.database.query(String.self, "SELECT name FROM Folder") == ["mine"])
    #expect(try updated.database.fingerprint() == new.database.fingerprint())
  }

  @Test("Of a deleted row with a large value, a snapshot is not taken for having NULL")
  func olderAppDeletesALargeParent() async throws {
    let storage = MemoryStorage()
    let tables = folders("picture BLOB")
    let path = TemporaryFile.path()
    defer { TemporaryFile.remove(path) }
    var options = SyncEngine.Options()
    options.smallestSnapshot = 1
    let new = try SimulatedReplica(storage: storage, options: options, migrations: [tables, reference])
    try await new.database.execute("INSERT INTO Folder VALUES ('f', \(LargeValues.blob(1)))")
    _ = try await new.engine.sync()
    let old = try SimulatedReplica(storage: storage, path: path, migrations: [tables])
    _ = try await old.engine.sync()
    try await old.database.execute("DELETE FROM Folder")
    try await new.database.execute("INSERT INTO Note VALUES ('n', 'f')")
    for replica in [old, new, old, new] { _ = try await replica.engine.sync() }
    try await old.database.close()
    #expect(try await !storage.listAll(prefix: "snap/").isEmpty)

    let updated = try SimulatedReplica(storage: storage, path: path, migrations: [tables, reference])
    _ = try await updated.engine.sync()
    _ = try await updated.engine.repair()
    #expect(try updated.database.heldRows().map(\.reason) == [.missingParent])
    #expect(try await updated.database.rows("SELECT picture FROM Folder").isEmpty)
    try await updated.database.close()
  }

  @Test("Of two rows that an older app deleted, and that one may mean, the older is shown after a repair")
  func olderAppDeletesTwoParents() async throws {
    let storage = MemoryStorage()
    let tables = Migration(
      "1",
      """
      CREATE TABLE Folder (id TEXT PRIMARY KEY NOT NULL COLLATE NOCASE, name TEXT);
      CREATE TABLE Note (id TEXT PRIMARY KEY NOT NULL)
      """)
    let reference = Migration("2", "ALTER TABLE Note ADD COLUMN folder TEXT REFERENCES Folder ON DELETE RESTRICT")
    let path = TemporaryFile.path()
    defer { TemporaryFile.remove(path) }
    let new = try SimulatedReplica(storage: storage, migrations: [tables, reference])
    try await new.database.execute("INSERT INTO Folder VALUES ('F', 'first')")
    _ = try await new.engine.sync()
    let old = try SimulatedReplica(storage: storage, path: path, migrations: [tables])
    _ = try await old.engine.sync()
    try await old.database.execute("INSERT OR REPLACE INTO Folder VALUES ('f', 'second')")
    try await old.database.execute("DELETE FROM Folder")
    try await new.database.execute("INSERT INTO Note VALUES ('n', 'f')")
    for replica in [old, new, old] { _ = try await replica.engine.sync() }
    try await old.database.close()

    let updated = try SimulatedReplica(storage: storage, path: path, migrations: [tables, reference])
    _ = try await updated.engine.sync()
    // What it does not know it cannot show.
    #expect(try await updated.database.query(String.self, "SELECT name FROM Folder") == ["second"])
    #expect(try await updated.engine.verify().findings.map(\.code) == [.unknownValues])
    #expect(try await updated.engine.repair().remaining.isHealthy)
    for replica in [updated, new] {
      #expect(try await replica.database.query(String.self, "SELECT name FROM Folder") == ["first"])
    }
    #expect(try updated.database.fingerprint() == new.database.fingerprint())
    try await updated.database.close()
  }

  /// A pack says that somebody wrote to `dimple_sync`: to this device it is a table that it does not know.
  @Test func aPackCannotWriteToTheLibrarysOwnTables() async throws {
    let storage = MemoryStorage()
    let forger = try SimulatedReplica(
      storage: storage, migrations: [Migration("1", "CREATE TABLE impostor (name TEXT PRIMARY KEY NOT NULL, value)")])
    try await forger.database.execute("INSERT INTO impostor VALUES ('format', 99), ('signingKey', x'00')")
    try await forger.database.write { connection in
      try connection.withInternalAccess {
        let update = try connection.prepare("UPDATE dimple_table SET name = 'dimple_sync' WHERE name = 'impostor'")
        while try update.step() {}
      }
    }
    _ = try await forger.engine.sync()
    let victim = try SimulatedReplica(storage: storage, migrations: [first])
    try await victim.database.execute("INSERT INTO Item VALUES ('x', 'a')")
    for _ in 0..<2 { #expect(try await victim.engine.sync().skipped.isEmpty) }
    #expect(try victim.database.heldRows().map(\.reason) == [.unknownTable, .unknownTable])
    #expect(
      try await victim.database.rows("SELECT value FROM dimple_sync WHERE name = 'format'").map { $0[0] }
        == [.integer(2)])
  }
}
