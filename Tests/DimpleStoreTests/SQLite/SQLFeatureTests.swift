import DimpleStore
import Testing

/// What SQLite can do, used through the store as anybody would.
@Suite struct SQLFeatureTests {
  let db: Database

  init() throws { db = try Database.inMemory() }

  @Test func fullTextSearchWorksAndIsObserved() throws {
    try db.execute("CREATE VIRTUAL TABLE doc USING fts5(body)")
    let log = EventLog()
    let observation = db.observeCommits { log.append($0) }
    try db.execute("INSERT INTO doc VALUES ('the quick brown fox'), ('lazy dog')")
    #expect(try db.query(String.self, "SELECT body FROM doc WHERE doc MATCH \("quick")") == ["the quick brown fox"])
    let reads = try db.read { try $0.readSet(of: "SELECT body FROM doc WHERE doc MATCH 'quick'") }
    #expect(log.taken().contains { $0.touches(reads) })
    observation.cancel()
  }

  @Test func strictAndWithoutRowIDTablesWork() throws {
    try db.execute("CREATE TABLE s (k TEXT PRIMARY KEY, n INTEGER NOT NULL) STRICT, WITHOUT ROWID")
    try db.execute("INSERT INTO s VALUES (\("a"), \(1))")
    #expect(storeError { try db.execute("INSERT INTO s VALUES ('b', 'text')") }?.code == .constraint)
    #expect(try db.query(Int.self, "SELECT n FROM s") == [1])
  }

  @Test func viewsWithTriggersAreWritten() throws {
    try db.write {
      try $0.script(
        """
        CREATE TABLE t (x); CREATE VIEW v AS SELECT x FROM t;
        CREATE TRIGGER r INSTEAD OF INSERT ON v BEGIN INSERT INTO t VALUES (NEW.x * 2); END;
        """)
    }
    let log = EventLog()
    let observation = db.observeCommits { log.append($0) }
    try db.execute("INSERT INTO v VALUES (4)")
    #expect(try db.query(Int.self, "SELECT x FROM v") == [8])
    #expect(log.taken().first?.tables["t"]?.insertedOrDeleted == true)
    observation.cancel()
  }

  @Test func returningGivesRows() throws {
    try db.execute("CREATE TABLE t (x)")
    let doubled = try db.write { try $0.query(Int.self, "INSERT INTO t VALUES (1), (2) RETURNING x * 2") }
    #expect(doubled == [2, 4])
    #expect(try db.query(Int.self, "SELECT x FROM t") == [1, 2])
  }

  @Test func jsonIsQueried() throws {
    #expect(try db.query(Int.self, "SELECT value FROM json_each(\("[1,2]"))") == [1, 2])
  }

  @Test func aDatabaseInUTF16ReadsTheSame() throws {
    _ = try db.rows("PRAGMA encoding = 'UTF-16le'")
    try db.execute("CREATE TABLE t (x)")
    try db.execute("INSERT INTO t VALUES (\("a\u{0}é👋"))")
    #expect(try db.queryOne(String.self, "PRAGMA encoding") == "UTF-16le")
    #expect(try db.rows("SELECT x FROM t").first?["x"] == .text("a\u{0}é👋"))
    #expect(try db.query(String.self, "SELECT x FROM t") == ["a\u{0}é👋"])
    let bytes = try db.read { connection in
      let statement = try connection.prepare("SELECT x FROM t")
      return try statement.step() ? statement.bytes(0) : []
    }
    #expect(bytes == Array("a\u{0}é👋".utf8))
  }

  @Test func aListLongerThanAnyoneWritesWorks() throws {
    let numbers = Array(0..<20000)
    #expect(try db.queryOne(Int.self, "SELECT 19999 IN \(numbers)") == 1)
  }
}
