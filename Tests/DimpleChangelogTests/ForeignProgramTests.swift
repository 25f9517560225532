import DimpleChangelog
import DimpleStore
import DimpleTestSupport
import Testing

@Suite("Other programs on the same file", .enabled(if: ForeignProgram.isInstalled, "needs the sqlite3 program"))
struct ForeignProgramTests {
  @Test(
    "Their writes to a tracked table are refused, and nothing changes",
    arguments: [
      "INSERT INTO T VALUES (2, 'b')", "UPDATE T SET a = 'b'", "DELETE FROM T", "REPLACE INTO T VALUES (1, 'b')",
      "INSERT OR IGNORE INTO T VALUES (3, 'c')",
    ])
  func writesAreRefused(_ sql: String) throws {
    let file = try TemporaryFile()
    let t = try TrackedDatabase(
      "CREATE TABLE T(id INTEGER PRIMARY KEY, a); INSERT INTO T VALUES (1, 'x')", path: file.path)
    let result = try ForeignProgram.run(file.path, sql)
    #expect(result.status != 0 && result.output.contains("no such function: dimple_"))
    #expect(try t.rows("SELECT * FROM T") == ["1 'x'"])
    #expect(try t.log() == ["insert T[1] a='x'"])
    #expect(try ForeignProgram.run(file.path, "SELECT a FROM T").output == "x\n")
  }

  @Test("A connection of this library without a changelog is refused alike")
  func storeAlone() throws {
    let file = try TemporaryFile()
    let t = try TrackedDatabase(
      "CREATE TABLE T(id INTEGER PRIMARY KEY, a); INSERT INTO T VALUES (1, 'x')", path: file.path)
    let plain = try Database(file.path)
    #expect(throws: StoreError.self) { try plain.execute("DELETE FROM T") }
    #expect(try t.rows("SELECT * FROM T") == ["1 'x'"])
  }

  @Test("Tables and columns that another program made are tracked from the next opening on, with their rows")
  func schemaMadeElsewhere() throws {
    let file = try TemporaryFile()
    let first = try TrackedDatabase(
      "CREATE TABLE T(id INTEGER PRIMARY KEY, a); INSERT INTO T VALUES (1, 'x')", path: file.path)
    try first.database.close()
    let result = try ForeignProgram.run(
      file.path,
      """
      CREATE TABLE U(id INTEGER PRIMARY KEY, u); INSERT INTO U VALUES (7, 'foreign');
      ALTER TABLE T ADD COLUMN b DEFAULT 3;
      CREATE TRIGGER again AFTER INSERT ON T BEGIN UPDATE T SET a = 'again' WHERE id = NEW.id; END;
      """)
    #expect(result.status == 0, "\(result.output)")
    let second = try TrackedDatabase(path: file.path)
    #expect(try second.log(after: 1) == ["insert U[7] u='foreign'"])
    #expect(
      try second.logged("INSERT INTO T VALUES (2, 'y', 4); UPDATE U SET u = 1")
        == ["insert T[2] a='y' b=4", "update T[2] a='again'", "update U[7] u=1"])
    #expect(try second.changes().map(\.transaction) == [1, 2, 3, 3, 3])
  }

  @Test("A table that another program dropped and made again is adopted anew")
  func tableMadeAgain() throws {
    let file = try TemporaryFile()
    let first = try TrackedDatabase(
      "CREATE TABLE T(id INTEGER PRIMARY KEY, a); INSERT INTO T VALUES (1, 'x')", path: file.path)
    try first.database.close()
    let sql = "DROP TABLE T; CREATE TABLE T(id INTEGER PRIMARY KEY, a); INSERT INTO T VALUES (2, 'y')"
    let result = try ForeignProgram.run(file.path, sql)
    #expect(result.status == 0, "\(result.output)")
    let second = try TrackedDatabase(path: file.path)
    #expect(try second.log(after: 1) == ["insert T[2] a='y'"])
    #expect(try second.logged("DELETE FROM T") == ["delete T[2]"])
  }

  @Test("A migration after another program added a column logs that column")
  func migrationAfterForeignChange() throws {
    let file = try TemporaryFile()
    let first = try TrackedDatabase(
      "CREATE TABLE T(id INTEGER PRIMARY KEY, a); INSERT INTO T VALUES (1, 'x')", path: file.path)
    try first.database.close()
    let result = try ForeignProgram.run(
      file.path,
      "ALTER TABLE T ADD COLUMN b; CREATE TABLE U(id INTEGER PRIMARY KEY); INSERT INTO U VALUES (5)")
    #expect(result.status == 0, "\(result.output)")
    let migration = Migration("m", "UPDATE T SET b = 2; CREATE TABLE V(id INTEGER PRIMARY KEY)")
    let second = try Database(file.path, configuration: Configuration().tracking(), migrations: [migration])
    #expect(
      try second.changelog?.changes().map(describe) == ["insert T[1] a='x'", "update T[1] b=2", "insert U[5]"])
  }

  @Test("A column added by another program is tracked from the next write on, without reopening")
  func changedWhileOpen() throws {
    let file = try TemporaryFile()
    let t = try TrackedDatabase(
      "CREATE TABLE T(id INTEGER PRIMARY KEY, a); INSERT INTO T VALUES (1, 'x')", path: file.path)
    let result = try ForeignProgram.run(file.path, "ALTER TABLE T ADD COLUMN b; CREATE TABLE Scratch(x)")
    #expect(result.status == 0, "\(result.output)")
    #expect(try t.logged("UPDATE T SET b = 3") == ["update T[1] b=3"])
    #expect(try ForeignProgram.run(file.path, "DROP TABLE Scratch").status == 0)
    #expect(try t.logged("UPDATE T SET b = 4") == ["update T[1] b=4"])
  }

  @Test("What another program renamed keeps its ids, where it lets it rename at all")
  func renamedElsewhere() throws {
    let file = try TemporaryFile()
    let first = try TrackedDatabase(
      "CREATE TABLE T(id INTEGER PRIMARY KEY, a, b); INSERT INTO T VALUES (1, 'x', 'y')", path: file.path)
    let id = try first.id(of: "T")
    try first.database.close()
    let result = try ForeignProgram.run(
      file.path, "ALTER TABLE T RENAME COLUMN a TO \"a \"\"2\"; ALTER TABLE T RENAME TO \"T 2\"")
    #expect(result.status == 0, "\(result.output)")
    let second = try TrackedDatabase(path: file.path)
    #expect(try second.log() == ["insert T 2[1] a \"2='x' b='y'"])
    #expect(try second.logged("UPDATE \"T 2\" SET \"a \"\"2\" = 1") == ["update T 2[1] a \"2=1"])
    #expect(try second.id(of: "T 2") == id)
  }
}
