import DimpleStore
import DimpleTestSupport
import Foundation
import Testing

@Suite struct MigrationFilesTests {
  let folder: DimpleStoreTests.TemporaryFolder

  init() throws { folder = try DimpleStoreTests.TemporaryFolder() }

  private func write(_ name: String, _ sql: String) throws {
    try Data(sql.utf8).write(to: URL(fileURLWithPath: folder.path(name)))
  }

  @Test func filesAreAppliedByNumberAndAnEditIsRefused() throws {
    try write("10_rows.sql", "INSERT INTO t VALUES (1); -- the first\nINSERT INTO t VALUES (2);")
    try write("2_table.sql", "CREATE TABLE t (x);\n")
    try write("notes.txt", "not SQL")
    let migrations = try Migration.files(inDirectory: folder.url.path)
    #expect(migrations.map(\.name) == ["2_table", "10_rows"])
    let db = try Database(folder.path(), migrations: migrations)
    #expect(try db.query(Int.self, "SELECT x FROM t") == [1, 2])
    try db.close()
    try write("2_table.sql", "CREATE TABLE t (x INTEGER);\n")
    let error = storeError {
      _ = try Database(folder.path(), migrations: Migration.files(inDirectory: folder.url.path))
    }
    #expect(error?.code == .migrationHistoryChanged)
    #expect(error?.message.contains("'2_table'") == true)
  }

  @Test func anUnclearOrderOrFolderIsRefused() throws {
    #expect(storeError { _ = try Migration.files(inDirectory: folder.path("none")) }?.code == .cannotOpen)
    try write("1_a.sql", "")
    try write("b.sql", "")
    let mixed = storeError { _ = try Migration.files(inDirectory: folder.url.path) }
    #expect(mixed?.message.contains("'b.sql'") == true)
    try FileManager.default.removeItem(atPath: folder.path("b.sql"))
    try write("01_c.sql", "")
    #expect(storeError { _ = try Migration.files(inDirectory: folder.url.path) }?.code == .migrationHistoryChanged)
  }

  @Test func upToOpensAnOlderVersion() throws {
    let all = [Migration("a", "CREATE TABLE a (x)"), Migration("b", "CREATE TABLE b (x)")]
    let path = folder.path()
    _ = try Database(path, migrations: all.upTo("a"))
    #expect(try Database(path).query(String.self, "SELECT name FROM sqlite_schema WHERE name IN ('a', 'b')") == ["a"])
    _ = try Database(path, migrations: all)
    #expect(storeError { _ = try Database(path, migrations: all.upTo("a")) }?.code == .newerDatabase)
    #expect(storeError { _ = try all.upTo("c") }?.hint.isEmpty == false)
  }

  @Test func erasingOnChangeIsForThoseWhoAskForIt() throws {
    var configuration = Configuration()
    configuration.erasesOnMigrationChange = true
    let old = [Migration("a", "CREATE TABLE a (x)")]
    let new = [Migration("a", "CREATE TABLE a (x, y)")]
    try Database(folder.path(), migrations: old).execute("INSERT INTO a VALUES (1)")
    #expect(
      try Database(folder.path(), configuration: configuration, migrations: old).rows("SELECT x FROM a").count == 1)
    #expect(storeError { _ = try Database(folder.path(), migrations: new) }?.code == .migrationHistoryChanged)
    #expect(try Database(folder.path(), configuration: configuration, migrations: new).rows("SELECT y FROM a").isEmpty)
    #expect(try Database(folder.path(), migrations: new).rows("SELECT y FROM a").isEmpty)
    #expect(
      storeError { _ = try Database(folder.path(), configuration: configuration, migrations: new + new) }?.code
        == .migrationHistoryChanged)
  }
}

@Suite struct RebuildTests {
  private static let first = Migration(
    "first",
    """
    CREATE TABLE parent (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, old TEXT, upper AS (upper(name)));
    CREATE TABLE child (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES parent ON DELETE CASCADE);
    CREATE TABLE audit (name TEXT);
    CREATE INDEX byName ON parent (name);
    CREATE TRIGGER onParent AFTER INSERT ON parent BEGIN INSERT INTO audit VALUES (NEW.name); END;
    CREATE VIEW names AS SELECT name FROM parent;
    INSERT INTO parent (name, old) VALUES ('a', 'x'), (NULL, 'y'), ('gone', 'z');
    INSERT INTO child (parent) VALUES (1), (2);
    DELETE FROM parent WHERE id = 3;
    """)

  private static let columns: SQL =
    "id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, added INTEGER NOT NULL DEFAULT 7, upper AS (upper(name))"

  private func rebuild(checks: Bool = true, _ extra: SQL? = nil) -> Migration {
    Migration("rebuild", checksForeignKeysAtEnd: checks) { connection in
      try connection.rebuildTable("parent", columns: Self.columns, values: ["name": "coalesce(name, 'none')"])
      if let extra { try connection.execute(extra) }
    }
  }

  @Test func rowsReferencesIndexesTriggersAndViewsStay() throws {
    let db = try Database.inMemory(migrations: [Self.first, rebuild()])
    #expect(try db.query(String.self, "SELECT name || added || upper FROM parent ORDER BY id") == ["a7A", "none7NONE"])
    #expect(try db.query(Int.self, "SELECT parent FROM child ORDER BY id") == [1, 2])
    #expect(try db.query(String.self, "SELECT name FROM names ORDER BY name") == ["a", "none"])
    try db.execute("INSERT INTO parent (name) VALUES ('new')")
    #expect(try db.queryOne(Int.self, "SELECT max(id) FROM parent") == 4)
    #expect(try db.query(String.self, "SELECT name FROM audit WHERE name = 'new'") == ["new"])
    #expect(
      try db.query(String.self, "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql != ''") == ["byName"])
    #expect(try db.queryOne(Int.self, "PRAGMA foreign_keys") == 1)
    try db.execute("DELETE FROM parent WHERE id = 1")
    #expect(try db.query(Int.self, "SELECT parent FROM child") == [2])
    #expect(try db.integrityCheck().isEmpty)
  }

  @Test func aRowWithoutItsParentRollsBackAsAWhole() throws {
    let folder = try DimpleStoreTests.TemporaryFolder()
    let error = storeError {
      _ = try Database(folder.path(), migrations: [Self.first, rebuild("DELETE FROM parent WHERE id = 2")])
    }
    #expect(error?.code == .foreignKeyConstraint)
    #expect(error?.message.contains("'child'") == true)
    let db = try Database(folder.path(), migrations: [Self.first])
    #expect(try db.query(String.self, "SELECT old FROM parent ORDER BY id") == ["x", "y"])
  }

  @Test func withForeignKeysEnforcedItIsRefused() throws {
    let error = storeError { _ = try Database.inMemory(migrations: [Self.first, rebuild(checks: false)]) }
    #expect(error?.code == .notAllowed)
    #expect(error?.hint.contains("checksForeignKeysAtEnd") == true)
  }
}

@Suite struct SchemaHistoryTests {
  private static let table = Migration("table", "CREATE TABLE t (x)")
  private static let column = Migration("column", "ALTER TABLE t ADD COLUMN y DEFAULT 1")

  @Test func everyVersionIsFilledMigratedAndChecked() throws {
    var seen: [String] = []
    try SchemaHistory([Self.table, Self.column]).verify { version, old in
      seen.append("old \(version) \(try old.rows("SELECT * FROM t").count)")
      try old.execute("INSERT INTO t (x) VALUES (5)")
    } then: { version, new in
      seen.append("new \(version) \(try new.queryOne(Int.self, "SELECT x + y FROM t") ?? 0)")
    }
    #expect(seen == ["old table 0", "new table 6", "old column 0", "new column 6"])
  }

  @Test func aMigrationThatDependsOnRowsIsFound() throws {
    let fickle = Migration("fickle") { connection in
      if try connection.rows("SELECT 1 FROM t").isEmpty { try connection.execute("CREATE TABLE u (x)") }
    }
    let failure = #expect(throws: SchemaHistory.Failure.self) {
      try SchemaHistory([Self.table, fickle]).verify { version, old in
        if version == "table" { try old.execute("INSERT INTO t VALUES (1)") }
      }
    }
    #expect(failure?.version == "table")
  }

  @Test func anEditInCodeDiffersFromTheRecord() throws {
    let folder = try DimpleStoreTests.TemporaryFolder()
    let history = SchemaHistory([Self.table, Migration("code") { try $0.execute("CREATE TABLE u (x)") }])
    #expect(throws: SchemaHistory.Failure.self) { try history.verify(recordedIn: folder.url.path) }
    try history.record(in: folder.url.path)
    try history.verify(recordedIn: folder.url.path)
    let edited = SchemaHistory([Self.table, Migration("code") { try $0.execute("CREATE TABLE u (y)") }])
    #expect(throws: SchemaHistory.Failure.self) { try edited.verify(recordedIn: folder.url.path) }
  }
}
