import DimpleChangelog
import DimpleStore
import DimpleTestSupport
import Testing

@Suite("Rebuilding a table logs what differs, not what was copied")
struct RebuildTests {
  private static let original = """
    CREATE TABLE T(id INTEGER PRIMARY KEY, a, b); INSERT INTO T VALUES (1, 'x', 1), (2, 'y', 2), (3, 'z', 3);
    """

  /// Both orders of steps: rename the new table at the end, or the old one at the beginning.
  static let rebuilds: [@Sendable (String, String) -> String] = [
    { table, copy in
      "CREATE TABLE N\(table); INSERT INTO N \(copy) FROM T; DROP TABLE T; ALTER TABLE N RENAME TO T;"
    },
    { table, copy in
      "ALTER TABLE T RENAME TO old; CREATE TABLE T\(table); INSERT INTO T \(copy) FROM old; DROP TABLE old;"
    },
  ]

  private func rebuilt(_ order: Int, _ table: String, _ copy: String) throws -> (log: [String], t: TrackedDatabase) {
    let t = try TrackedDatabase(Self.original)
    let id = try t.id(of: "T")
    let columns = try t.table("T").columns.map(\.id)
    let log = try t.logged(Self.rebuilds[order](table, copy))
    #expect(try t.id(of: "T") == id)
    #expect(try t.table("T").columns.prefix(columns.count).map(\.id) == columns)
    return (log, t)
  }

  @Test("A faithful copy logs nothing, and tracking goes on under the old ids", arguments: 0...1)
  func faithful(_ order: Int) throws {
    let (log, t) = try rebuilt(order, "(id INTEGER PRIMARY KEY, a TEXT NOT NULL, b)", "SELECT *")
    #expect(log == [])
    #expect(try t.lastTransaction == 1)
    #expect(try t.logged("UPDATE T SET a = 'q' WHERE id = 2") == ["update T[2] a='q'"])
    #expect(try t.changes().map(\.transaction) == [1, 1, 1, 2])
    #expect(try t.rows("SELECT name FROM dimple_table WHERE state > 0") == ["'T'"])
  }

  @Test("Values, rows and columns that differ are logged", arguments: 0...1)
  func differences(_ order: Int) throws {
    let (log, t) = try rebuilt(
      order, "(id INTEGER PRIMARY KEY, a, b, c DEFAULT 7)",
      "SELECT id + (id = 3), upper(a), b, CASE id WHEN 1 THEN 8 ELSE 7 END")
    #expect(log == ["update T[1] a='X' c=8", "update T[2] a='Y'", "insert T[4] a='Z' b=3 c=7", "delete T[3]"])
    #expect(try t.logged("UPDATE T SET c = 0 WHERE id = 4") == ["update T[4] c=0"])
  }

  @Test("What is written between the steps is logged under the table's ids")
  func writesBetween() throws {
    let t = try TrackedDatabase(Self.original)
    #expect(
      try t.logged(
        """
        UPDATE T SET a = 'before' WHERE id = 1;
        CREATE TABLE N(c, b, a, id INTEGER PRIMARY KEY); INSERT INTO N SELECT NULL, b, a, id FROM T;
        DROP TABLE T;
        UPDATE N SET c = 'between', a = 'a' WHERE id = 2; DELETE FROM N WHERE id = 3;
        ALTER TABLE N RENAME TO T;
        INSERT INTO T VALUES ('c', 'b', 'a', 9);
        """)
        == [
          "update T[1] a='before'", "update T[2] c='between' a='a'", "delete T[3]", "insert T[9] c='c' b='b' a='a'",
        ])
  }

  @Test("Twice in one transaction")
  func twice() throws {
    let t = try TrackedDatabase(Self.original)
    let sql = Self.rebuilds[0]("(id INTEGER PRIMARY KEY, b, a)", "SELECT id, b, a")
    #expect(try t.logged(sql + sql + "UPDATE T SET b = 0 WHERE id = 1") == ["update T[1] b=0"])
  }

  @Test("A table whose key changes is another table")
  func otherKey() throws {
    let t = try TrackedDatabase(Self.original)
    let id = try t.id(of: "T")
    let log = try t.logged(Self.rebuilds[0]("(a PRIMARY KEY, id)", "SELECT a, id"))
    #expect(log == ["insert T['x'] id=1", "insert T['y'] id=2", "insert T['z'] id=3"])
    #expect(try t.id(of: "T") != id)
  }

  @Test("A new table of the name that is no copy keeps its rows, and the old ones are not deleted")
  func noCopy() throws {
    let t = try TrackedDatabase(Self.original)
    let log = try t.logged(
      "CREATE TABLE N(id INTEGER PRIMARY KEY, a); INSERT INTO N VALUES (50, 'n'); DROP TABLE T; ALTER TABLE N RENAME TO T"
    )
    #expect(log == ["insert T[50] a='n'"])
  }

  @Test("Children keep their references, and a rolled back rebuild leaves all as it was")
  func rolledBack() throws {
    let t = try TrackedDatabase(
      Self.original + "CREATE TABLE C(id INTEGER PRIMARY KEY, t REFERENCES T); INSERT INTO C VALUES (1, 2)",
      foreignKeys: false)
    let id = try t.id(of: "T")
    #expect(throws: Stop.self) {
      try t.database.write { connection in
        try connection.script(SQL(raw: Self.rebuilds[0]("(id INTEGER PRIMARY KEY, a)", "SELECT id, a")))
        throw Stop()
      }
    }
    #expect(try t.id(of: "T") == id)
    #expect(try t.logged("UPDATE T SET b = 9 WHERE id = 2") == ["update T[2] b=9"])
    #expect(try t.logged(Self.rebuilds[0]("(id INTEGER PRIMARY KEY, b, a)", "SELECT id, b, a")) == [])
    #expect(try t.logged("DELETE FROM T WHERE id = 1") == ["delete T[1] b=1 a='x'"])
  }
}
