import DimpleStore
import DimpleTestSupport
import Foundation
import Testing

/// More of what SQLite can do, used through the store as anybody would, on readers and the writer.
@Suite struct SQLFeatureFurtherTests {
  let db: Database

  init() throws { db = try Database.temporary() }

  @Test func anRTreeFindsWhatOverlaps() throws {
    try db.execute("CREATE VIRTUAL TABLE place USING rtree(id, west, east, +name)")
    try db.execute("INSERT INTO place VALUES (1, 0, 10, 'a'), (2, 20, 30, 'b'), (3, 5, 25, 'c')")
    try db.expect("SELECT name FROM place WHERE west <= 8 AND east >= 6 ORDER BY id", [["a"], ["c"]])
    #expect(try db.integrityCheck().isEmpty)
  }

  @Test func generatedColumnsAreReadAndIndexed() throws {
    try db.execute("CREATE TABLE t (a INTEGER, twice AS (a * 2), plus AS (a + 1) STORED)")
    try db.execute("CREATE INDEX byTwice ON t (twice)")
    try db.execute("INSERT INTO t (a) VALUES (1), (5)")
    try db.expect("SELECT a, plus FROM t WHERE twice = 10", [[5, 6]])
    #expect(storeError { try db.execute("INSERT INTO t (a, twice) VALUES (1, 2)") }?.code == .sqlError)
  }

  @Test func jsonIsMadeTakenApartAndIndexed() throws {
    try db.execute("CREATE TABLE t (j TEXT CHECK (json_valid(j)))")
    try db.execute("CREATE INDEX byName ON t (j ->> 'name')")
    try db.execute("INSERT INTO t VALUES (\(#"{"name":"a","tags":["x","y"]}"#))")
    try db.expect("SELECT tag.value FROM t, json_each(t.j, '$.tags') AS tag WHERE j ->> 'name' = 'a'", [["x"], ["y"]])
    try db.expect("SELECT json_object('n', 1)", [[#"{"n":1}"#]])
    #expect(storeError { try db.execute("INSERT INTO t VALUES ('{')") }?.code == .checkConstraint)
  }

  @Test func fullTextRanksAndShowsSnippetsOfAnExternalTable() throws {
    try db.write {
      try $0.script(
        """
        CREATE TABLE note (id INTEGER PRIMARY KEY, body TEXT);
        CREATE VIRTUAL TABLE noteText USING fts5(body, content='note', content_rowid='id', tokenize='unicode61');
        CREATE TRIGGER noteInserted AFTER INSERT ON note
        BEGIN INSERT INTO noteText (rowid, body) VALUES (NEW.id, NEW.body); END;
        CREATE TRIGGER noteDeleted AFTER DELETE ON note
        BEGIN INSERT INTO noteText (noteText, rowid, body) VALUES ('delete', OLD.id, OLD.body); END;
        INSERT INTO note (body) VALUES ('one fox'), ('fox and fox'), ('none');
        DELETE FROM note WHERE id = 1;
        """)
    }
    try db.expect(
      "SELECT snippet(noteText, 0, '[', ']', '…', 9) FROM noteText WHERE noteText MATCH \("fox") ORDER BY rank",
      [["[fox] and [fox]"]])
  }

  @Test func anAttachedDatabaseIsReadAndWrittenInOneTransaction() throws {
    let folder = try DimpleStoreTests.TemporaryFolder()
    let path = folder.path("other.db")
    var configuration = Configuration()
    configuration.prepareConnection = { try $0.execute("ATTACH \(path) AS other") }
    let db = try Database(folder.path(), configuration: configuration)
    try db.write { try $0.script("CREATE TABLE t (x); CREATE TABLE other.u (x)") }
    struct Undone: Error {}
    #expect(throws: Undone.self) {
      try db.write { connection in
        try connection.script("INSERT INTO t VALUES (1); INSERT INTO other.u VALUES (1)")
        throw Undone()
      }
    }
    try db.expect("SELECT (SELECT count(*) FROM t), (SELECT count(*) FROM other.u)", [[0, 0]])
    try db.write { try $0.script("INSERT INTO t VALUES (1); INSERT INTO other.u VALUES (2)") }
    try db.expect("SELECT t.x, u.x FROM t, other.u", [[1, 2]])
  }

  @Test func windowsRecursionAndUpsertWork() throws {
    try db.execute("CREATE TABLE t (k TEXT PRIMARY KEY, n INTEGER) STRICT, WITHOUT ROWID")
    for _ in 0..<2 { try db.execute("INSERT INTO t VALUES ('a', 1) ON CONFLICT (k) DO UPDATE SET n = n + 1") }
    try db.expect("SELECT k, n, row_number() OVER (ORDER BY k) FROM t", [["a", 2, 1]])
    try db.expect(
      "WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 3) SELECT sum(i) FROM c", [[6]])
  }
}

@Suite struct FixtureTests {
  @Test func aFixtureIsFreshAndFilled() throws {
    let db = try Database.fixture([Todo.migration], "INSERT INTO Todo (id, text) VALUES ('1', \("milk"))")
    try db.expect("SELECT text, completed FROM Todo", [["milk", 0]])
    try Database.fixture([Todo.migration]).expect("SELECT * FROM Todo", [])
    let folder = try DimpleStoreTests.TemporaryFolder()
    try Array("INSERT INTO Todo (id, text) VALUES ('2', 'bread');".utf8).withUnsafeBytes { bytes in
      let file = try #require(fopen(folder.path("rows.sql"), "w"))
      fwrite(bytes.baseAddress, 1, bytes.count, file)
      fclose(file)
    }
    try Database.fixture([Todo.migration], files: [folder.path("rows.sql")]).expect(
      "SELECT text FROM Todo", [["bread"]])
  }

  @Test func aMismatchShowsBoth() throws {
    let db = try Database.inMemory()
    let mismatch = #expect(throws: QueryMismatch.self) { try db.expect("SELECT 1 UNION SELECT 2", [[1], ["2"], [3]]) }
    let lines = mismatch.map { "\($0)".split(separator: "\n") } ?? []
    #expect(lines.count == 4)
    #expect(lines.filter { $0.hasPrefix("!") }.count == 2)
  }
}
