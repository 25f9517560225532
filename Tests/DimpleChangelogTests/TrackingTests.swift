import DimpleChangelog
import DimpleStore
import DimpleTestSupport
import Testing

@Suite("Every write is logged, and nothing else")
struct TrackingTests {
  @Test("Insert, update and delete, with what changed and nothing more")
  func plainWrites() throws {
    let t = try TrackedDatabase("CREATE TABLE T(id INTEGER PRIMARY KEY, a, b)")
    #expect(try t.logged("INSERT INTO T VALUES (1, 'x', NULL)") == ["insert T[1] a='x' b=NULL"])
    #expect(try t.logged("UPDATE T SET b = 2.5 WHERE id = 1") == ["update T[1] b=2.5"])
    #expect(try t.logged("UPDATE T SET a = 'x', b = 2.5") == [])
    #expect(try t.logged("UPDATE T SET a = 'y' WHERE id = 7") == [])
    #expect(try t.logged("DELETE FROM T") == ["delete T[1]"])
  }

  @Test("A value counts as changed when its type or bytes do")
  func typeAndBytes() throws {
    let t = try TrackedDatabase("CREATE TABLE T(id INTEGER PRIMARY KEY, a COLLATE NOCASE, b)")
    try t.script("INSERT INTO T VALUES (1, 'abc', 1)")
    #expect(try t.logged("UPDATE T SET a = 'ABC'") == ["update T[1] a='ABC'"])
    #expect(try t.logged("UPDATE T SET b = 1.0") == ["update T[1] b=1.0"])
    #expect(try t.logged("UPDATE T SET b = '1'") == ["update T[1] b='1'"])
    #expect(try t.logged("UPDATE T SET b = x'31'") == ["update T[1] b=x[49]"])
    #expect(try t.logged("UPDATE T SET b = ''") == ["update T[1] b=''"])
    #expect(try t.logged("UPDATE T SET b = x''") == ["update T[1] b=x[]"])
    #expect(try t.logged("UPDATE T SET b = NULL") == ["update T[1] b=NULL"])
    #expect(try t.logged("UPDATE T SET b = 0.0") == ["update T[1] b=0.0"])
  }

  @Test("REPLACE deletes the rows it conflicts with, by key or by another UNIQUE column")
  func replace() throws {
    let t = try TrackedDatabase("CREATE TABLE T(id INTEGER PRIMARY KEY, u UNIQUE, a)")
    try t.script("INSERT INTO T VALUES (1, 'p', 1), (2, 'q', 2), (3, 'r', 3)")
    #expect(try t.logged("REPLACE INTO T VALUES (1, 'p', 9)") == ["delete T[1]", "insert T[1] u='p' a=9"])
    #expect(try t.logged("INSERT OR REPLACE INTO T VALUES (4, 'q', 9)") == ["delete T[2]", "insert T[4] u='q' a=9"])
    let both = try t.logged("REPLACE INTO T VALUES (1, 'r', 0)")
    #expect(Set(both.dropLast()) == ["delete T[1]", "delete T[3]"] && both.last == "insert T[1] u='r' a=0")
    #expect(try t.logged("UPDATE OR REPLACE T SET u = 'q' WHERE id = 1") == ["delete T[4]", "update T[1] u='q'"])
    #expect(try t.rows("SELECT * FROM T") == ["1 'q' 0"])
  }

  @Test("UPSERT is an insert or an update")
  func upsert() throws {
    let t = try TrackedDatabase("CREATE TABLE T(id TEXT PRIMARY KEY, n)")
    let sql = "INSERT INTO T VALUES ('a', 1) ON CONFLICT(id) DO UPDATE SET n = n + excluded.n"
    #expect(try t.logged(sql) == ["insert T['a'] n=1"])
    #expect(try t.logged(sql) == ["update T['a'] n=2"])
    #expect(try t.logged("INSERT INTO T VALUES ('a', 1) ON CONFLICT DO NOTHING") == [])
  }

  @Test("The outer OR clause neither loses nor overwrites log rows", arguments: ["IGNORE", "REPLACE", "FAIL", "ABORT"])
  func outerConflictClause(_ clause: String) throws {
    let t = try TrackedDatabase("CREATE TABLE T(id INTEGER PRIMARY KEY, a)")
    // The clock stands still: only the counter keeps the log's keys apart.
    let log = try t.logged("INSERT OR \(clause) INTO T VALUES (1, 'x'), (2, 'y'), (3, 'z')")
    #expect(log == ["insert T[1] a='x'", "insert T[2] a='y'", "insert T[3] a='z'"])
  }

  @Test("INSERT OR IGNORE logs the rows it keeps")
  func ignore() throws {
    let t = try TrackedDatabase("CREATE TABLE T(id INTEGER PRIMARY KEY, a)")
    try t.script("INSERT INTO T VALUES (2, 'old')")
    #expect(
      try t.logged("INSERT OR IGNORE INTO T VALUES (1, 'x'), (2, 'y'), (3, 'z')")
        == ["insert T[1] a='x'", "insert T[3] a='z'"])
  }

  @Test("INSERT OR FAIL keeps the rows before the failure, in table and log")
  func fail() throws {
    let t = try TrackedDatabase("CREATE TABLE T(id INTEGER PRIMARY KEY, a)")
    try t.script("INSERT INTO T VALUES (2, 'old')")
    try t.database.write { connection in
      let error = #expect(throws: StoreError.self) {
        try connection.execute("INSERT OR FAIL INTO T VALUES (1, 'x'), (2, 'y'), (3, 'z')")
      }
      #expect(error?.code == .uniqueConstraint)
    }
    #expect(try t.log(after: 1) == ["insert T[1] a='x'"])
    #expect(try t.rows("SELECT id FROM T") == ["1", "2"])
  }

  @Test("DELETE without WHERE, which SQLite would truncate, logs every row")
  func truncate() throws {
    let t = try TrackedDatabase("CREATE TABLE T(id INTEGER PRIMARY KEY)")
    try t.script("INSERT INTO T VALUES (1), (2), (3)")
    #expect(try Set(t.logged("DELETE FROM T")) == ["delete T[1]", "delete T[2]", "delete T[3]"])
  }

  @Test("Changing a key is a delete and an insert of the whole row, each with a time of its own")
  func rekey() throws {
    let t = try TrackedDatabase("CREATE TABLE T(id TEXT PRIMARY KEY COLLATE NOCASE, a, b)")
    try t.script("INSERT INTO T VALUES ('x', 1, 2)")
    #expect(try t.logged("UPDATE T SET id = 'y', a = 5") == ["delete T['x']", "insert T['y'] a=5 b=2"])
    #expect(try t.logged("UPDATE T SET id = 'Y'") == ["delete T['y']", "insert T['Y'] a=5 b=2"])
    #expect(try t.logged("UPDATE T SET id = 'Y'") == [])
    let stamps = try t.changes().map(\.stamp)
    #expect(stamps == stamps.sorted() && Set(stamps).count == stamps.count)
  }

  @Test("A rowid set by its other names is a changed key")
  func rowidAlias() throws {
    let t = try TrackedDatabase("CREATE TABLE T(id INTEGER PRIMARY KEY, a)")
    try t.script("INSERT INTO T VALUES (1, 'x')")
    #expect(try t.logged("UPDATE T SET rowid = 9") == ["delete T[1]", "insert T[9] a='x'"])
  }

  @Test("A key made by SQLite is logged")
  func automaticKey() throws {
    let t = try TrackedDatabase("CREATE TABLE T(id INTEGER PRIMARY KEY AUTOINCREMENT, a)")
    #expect(try t.logged("INSERT INTO T(a) VALUES ('x'), ('y')") == ["insert T[1] a='x'", "insert T[2] a='y'"])
  }

  @Test("Composite, blob, real and WITHOUT ROWID keys")
  func keys() throws {
    let t = try TrackedDatabase(
      """
      CREATE TABLE C(a, k2 TEXT, k1 INTEGER, PRIMARY KEY (k1, k2));
      CREATE TABLE W(k BLOB PRIMARY KEY, a REAL) WITHOUT ROWID;
      CREATE TABLE O(k REAL PRIMARY KEY);
      """)
    #expect(try t.logged("INSERT INTO C VALUES ('x', 'two', 1)") == ["insert C[1,'two'] a='x'"])
    #expect(try t.logged("UPDATE C SET k2 = 'three'") == ["delete C[1,'two']", "insert C[1,'three'] a='x'"])
    #expect(try t.logged("DELETE FROM C") == ["delete C[1,'three']"])
    #expect(try t.logged("INSERT INTO W VALUES (x'00ff', 3)") == ["insert W[x[0, 255]] a=3.0"])
    #expect(try t.logged("REPLACE INTO W VALUES (x'00ff', 4)") == ["delete W[x[0, 255]]", "insert W[x[0, 255]] a=4.0"])
    #expect(try t.logged("INSERT INTO O VALUES (2)") == ["insert O[2.0]"])
    #expect(try t.logged("DELETE FROM O") == ["delete O[2.0]"])
  }

  @Test("Affinity and STRICT: the log has what the table stores")
  func affinity() throws {
    let t = try TrackedDatabase(
      """
      CREATE TABLE A(id INTEGER PRIMARY KEY, i INTEGER, r REAL, n NUMERIC, t TEXT, b BLOB, "any" ANY);
      CREATE TABLE S(id INTEGER PRIMARY KEY, r REAL, "any" ANY) STRICT;
      """)
    #expect(
      try t.logged("INSERT INTO A VALUES ('1', '7', '8', '9.0', 10, '11', '007')")
        == ["insert A[1] i=7 r=8.0 n=9 t='10' b='11' any=7"])
    #expect(try t.logged("INSERT INTO S VALUES (1, 5, '007')") == ["insert S[1] r=5.0 any='007'"])
    #expect(try t.rows("SELECT r, typeof(\"any\") FROM S") == ["5.0 'text'"])
  }

  @Test("Generated columns are not logged")
  func generatedColumns() throws {
    let t = try TrackedDatabase(
      "CREATE TABLE T(id INTEGER PRIMARY KEY, v AS (a + 1) VIRTUAL, a, s AS (a * 2) STORED, b)")
    #expect(try t.logged("INSERT INTO T VALUES (1, 20, 'b')") == ["insert T[1] a=20 b='b'"])
    #expect(try t.logged("UPDATE T SET a = 30") == ["update T[1] a=30"])
  }

  @Test("More columns than a function takes arguments")
  func wideTable() throws {
    let names = (0..<400).map { "c\($0)" }
    let t = try TrackedDatabase("CREATE TABLE T(id INTEGER PRIMARY KEY, \(names.joined(separator: ", ")))")
    try t.script("INSERT INTO T VALUES (1, \((0..<400).map(String.init).joined(separator: ", ")))")
    let insert = try #require(try t.changes().last)
    #expect(insert.columns == (0..<400).map { ColumnValue(name: "c\($0)", value: .integer(Int64($0))) })
    #expect(try t.logged("UPDATE T SET c399 = 'z', c0 = 'a', c98 = 'm'") == ["update T[1] c0='a' c98='m' c399='z'"])
    #expect(try t.logged("UPDATE T SET c200 = 200") == [])
    let rekeyed = try t.logged("UPDATE T SET id = 2")
    #expect(rekeyed.first == "delete T[1]" && rekeyed.last?.hasSuffix("c398=398 c399='z'") == true)
  }

  @Test("Cascades are logged as what they do to each table")
  func cascades() throws {
    let t = try TrackedDatabase(
      """
      CREATE TABLE P(id INTEGER PRIMARY KEY);
      CREATE TABLE C(id INTEGER PRIMARY KEY, p REFERENCES P ON DELETE CASCADE ON UPDATE CASCADE);
      CREATE TABLE N(id INTEGER PRIMARY KEY, p REFERENCES P ON DELETE SET NULL ON UPDATE SET NULL);
      INSERT INTO P VALUES (1), (2); INSERT INTO C VALUES (10, 1); INSERT INTO N VALUES (20, 1), (21, 2);
      """)
    #expect(try Set(t.logged("DELETE FROM P WHERE id = 1")) == ["delete P[1]", "delete C[10]", "update N[20] p=NULL"])
    #expect(
      try Set(t.logged("INSERT INTO C VALUES (11, 2); UPDATE P SET id = 3 WHERE id = 2"))
        == ["insert C[11] p=2", "delete P[2]", "insert P[3]", "update C[11] p=3", "update N[21] p=NULL"])
  }

  @Test("A row that refers to itself keeps its reference when its key changes")
  func selfReference() throws {
    let t = try TrackedDatabase(
      "CREATE TABLE T(id INTEGER PRIMARY KEY, parent REFERENCES T ON UPDATE CASCADE, a); INSERT INTO T VALUES (1, 1, 'x')"
    )
    let log = try t.logged("UPDATE T SET id = 2")
    #expect(log.suffix(2) == ["delete T[1] parent=1 a='x'", "insert T[2] parent=2 a='x'"])
    #expect(try t.rows("SELECT * FROM T") == ["2 2 'x'"])
  }

  @Test(
    "A trigger that a foreign key's action sets off writes to the row being updated: the log ends with what the row has",
    arguments: ["id = 2", "id = 2, a = 'y'"])
  func triggerAmidUpdate(assignments: String) throws {
    let t = try TrackedDatabase(
      """
      CREATE TABLE P(id INTEGER PRIMARY KEY, a, b);
      CREATE TABLE C(id INTEGER PRIMARY KEY, p REFERENCES P ON UPDATE CASCADE);
      INSERT INTO P VALUES (1, 'x', 'b'); INSERT INTO C VALUES (10, 1);
      """)
    try t.script("CREATE TRIGGER noted AFTER UPDATE ON C BEGIN UPDATE P SET a = 'noted' WHERE id = NEW.p; END")
    let log = try t.logged("UPDATE P SET \(assignments)")
    #expect(log.suffix(2) == ["delete P[1] a='x' b='b'", "insert P[2] a='noted' b='b'"])
    #expect(try t.rows("SELECT * FROM P") == ["2 'noted' 'b'"])
    try t.script("DROP TRIGGER noted")
    #expect(try t.logged("UPDATE P SET id = 3").contains("insert P[3] a='noted' b='b'"))
  }

  @Test("A delete logs the old values where another table refers by NO ACTION or RESTRICT")
  func parentsKeepDeletedValues() throws {
    let t = try TrackedDatabase(
      """
      CREATE TABLE P(id INTEGER PRIMARY KEY, a);
      CREATE TABLE Q(id INTEGER PRIMARY KEY, a);
      INSERT INTO P VALUES (1, 'x'), (2, 'y'); INSERT INTO Q VALUES (1, 'x');
      """)
    #expect(try t.logged("DELETE FROM P WHERE id = 1") == ["delete P[1]"])
    try t.script(
      """
      CREATE TABLE C(id INTEGER PRIMARY KEY, p REFERENCES P);
      CREATE TABLE D(id INTEGER PRIMARY KEY, q REFERENCES Q ON DELETE CASCADE);
      """)
    #expect(try t.logged("UPDATE P SET id = 3, a = 'z'") == ["delete P[2] a='y'", "insert P[3] a='z'"])
    #expect(try t.logged("DELETE FROM P") == ["delete P[3] a='z'"])
    #expect(try t.logged("DELETE FROM Q") == ["delete Q[1]"])
  }

  @Test("A write inside a trigger of the app is logged, and replays to the same row")
  func userTriggers() throws {
    let t = try TrackedDatabase(
      """
      CREATE TABLE T(id INTEGER PRIMARY KEY, a, n DEFAULT 0);
      CREATE TABLE L(id INTEGER PRIMARY KEY, what);
      CREATE TRIGGER touched AFTER UPDATE OF a ON T BEGIN UPDATE T SET n = n + 1 WHERE id = NEW.id; END;
      CREATE TRIGGER made AFTER INSERT ON T BEGIN
        UPDATE T SET a = upper(a) WHERE id = NEW.id;
        INSERT INTO L(what) VALUES ('made ' || NEW.id);
      END;
      """)
    #expect(
      try t.logged("INSERT INTO T(id, a) VALUES (1, 'x')")
        == ["insert T[1] a='x' n=0", "update T[1] a='X'", "update T[1] n=1", "insert L[1] what='made 1'"])
    #expect(try t.logged("UPDATE T SET a = 'y'") == ["update T[1] a='y'", "update T[1] n=2"])
  }

  @Test("A trigger that ends the statement with RAISE(IGNORE) does not end tracking")
  func raiseIgnore() throws {
    let t = try TrackedDatabase(
      """
      CREATE TABLE T(id INTEGER PRIMARY KEY, a);
      CREATE TRIGGER late AFTER INSERT ON T BEGIN SELECT RAISE(IGNORE); END;
      CREATE TRIGGER early BEFORE DELETE ON T BEGIN SELECT RAISE(IGNORE); END;
      """)
    #expect(try t.logged("INSERT INTO T VALUES (1, 'x')") == ["insert T[1] a='x'"])
    #expect(try t.logged("DELETE FROM T") == [])
    #expect(try t.rows("SELECT * FROM T") == ["1 'x'"])
  }

  @Test("Writes through a view are logged as what its trigger writes")
  func instead() throws {
    let t = try TrackedDatabase(
      """
      CREATE TABLE T(id INTEGER PRIMARY KEY, a);
      CREATE VIEW V AS SELECT id, a FROM T;
      CREATE TRIGGER v_insert INSTEAD OF INSERT ON V BEGIN INSERT INTO T VALUES (NEW.id, 'via ' || NEW.a); END;
      """)
    #expect(try t.logged("INSERT INTO V VALUES (1, 'view')") == ["insert T[1] a='via view'"])
  }

  @Test("Virtual tables, their shadow tables, temporary and untracked tables stay out")
  func otherTables() throws {
    let t = try TrackedDatabase(
      """
      CREATE TABLE T(id INTEGER PRIMARY KEY, a);
      CREATE VIRTUAL TABLE F USING fts5(a);
      CREATE TEMP TABLE M(a);
      CREATE TABLE "cache"(a);
      """, untracked: ["Cache"])
    #expect(try t.logged("INSERT INTO F VALUES ('x'); INSERT INTO M VALUES (1); INSERT INTO Cache VALUES (1)") == [])
    #expect(try t.rows("SELECT count(*) FROM F") == ["1"])
    #expect(try t.lastTransaction == 0)
  }

  @Test("Names are quoted, whatever they are", arguments: ["order", "a b", "a\" , \"b", "'", "NEW", "Ä", "x'00'", "1"])
  func names(_ name: String) throws {
    let quoted = SQL.quoted(identifier: name)
    let t = try TrackedDatabase("CREATE TABLE \(quoted)(\(quoted) PRIMARY KEY, \(SQL.quoted(identifier: name + "2")))")
    #expect(try t.logged("INSERT INTO \(quoted) VALUES (1, 2)") == ["insert \(name)[1] \(name)2=2"])
    #expect(
      try t.logged("UPDATE \(quoted) SET \(quoted) = 3") == ["delete \(name)[1]", "insert \(name)[3] \(name)2=2"])
    #expect(try t.logged("DELETE FROM \(quoted)") == ["delete \(name)[3]"])
  }

  @Test("Names that SQLite tells apart are different tables")
  func unicodeNames() throws {
    let t = try TrackedDatabase(
      """
      CREATE TABLE "Ä"(id INTEGER PRIMARY KEY); CREATE TABLE "ä"(id INTEGER PRIMARY KEY);
      CREATE TABLE "\u{E9}"(id INTEGER PRIMARY KEY); CREATE TABLE "e\u{301}"(id INTEGER PRIMARY KEY);
      """)
    let names = try ["Ä", "ä", "\u{E9}", "e\u{301}"].map { name in
      try t.script("INSERT INTO \"\(name)\" VALUES (1)")
      return try #require(try t.changes().last).table
    }
    #expect(names.map { Array($0.utf8) } == ["Ä", "ä", "\u{E9}", "e\u{301}"].map { Array($0.utf8) })
  }

  @Test("A key that may be NULL is tracked; NULL in it is refused with the remedy, and the statement undone")
  func nullKey() throws {
    let t = try TrackedDatabase("CREATE TABLE T(id TEXT PRIMARY KEY, a); INSERT INTO T VALUES ('x', 1)")
    for sql in [
      "INSERT INTO T VALUES ('y', 2), (NULL, 3)", "INSERT INTO T(a) VALUES (4)", "UPDATE T SET id = NULL",
    ] {
      let error = #expect(throws: StoreError.self) { try t.script(sql) }
      let cause = error?.underlying as? ChangelogError
      #expect(cause?.code == .nullKey && cause?.hint.contains("NOT NULL") == true)
      // Who reads only the store's error learns as much.
      for part in ["nullKey", "“T”", "NOT NULL"] { #expect(error?.message.contains(part) == true) }
    }
    #expect(try t.rows("SELECT * FROM T") == ["'x' 1"])
    #expect(try t.log() == ["insert T['x'] a=1"])
  }

  @Test("A table without a primary key is refused, with the remedy")
  func missingPrimaryKey() throws {
    let t = try TrackedDatabase()
    let error = #expect(throws: ChangelogError.self) { try t.script("CREATE TABLE T(a)") }
    #expect(error?.code == .missingPrimaryKey && error?.hint.contains("untracked") == true)
    #expect(try t.rows("SELECT name FROM sqlite_schema WHERE name = 'T'") == [])
  }

  @Test("The library's functions are not for calling by hand, and take nothing that its triggers do not say")
  func functionsByHand() throws {
    let t = try TrackedDatabase(
      "CREATE TABLE T(id INTEGER PRIMARY KEY); CREATE TABLE U(a)", untracked: ["U"])
    for call in [
      "dimple_insert()", "dimple_insert(x'00')", "dimple_insert(x'000101')", "dimple_delete(1, 2)",
      "dimple_insert(x'00017f', 1)", "dimple_insert(x'000001', 1)", "dimple_insert(x'000101', 1, 2)", "dimple_update()",
      "dimple_update(x'000101', 1)", "dimple_update_more(1, x'00', 2)", "dimple_more(NULL, x'0001')",
    ] {
      let error = #expect(throws: StoreError.self, "\(call)") { try t.script("SELECT \(call)") }
      #expect(error?.code == .notAllowed, "\(call)")
      try t.script("CREATE TRIGGER forger AFTER INSERT ON U BEGIN SELECT \(call); END")
      #expect(throws: StoreError.self, "\(call)") { try t.script("INSERT INTO U VALUES (1)") }
      try t.script("DROP TRIGGER forger")
    }
    #expect(try t.logged("INSERT INTO T VALUES (1)") == ["insert T[1]"])
    #expect(try t.changes().map(\.transaction) == [1])
  }

  @Test("uuid7() gives ascending UUIDs of version 7, to readers too")
  func uuid7() throws {
    let t = try TrackedDatabase()
    let texts = try t.rows("WITH n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 50) SELECT uuid7() FROM n")
    #expect(texts == texts.sorted() && Set(texts).count == 50 && texts.allSatisfy { $0.count == 38 })
  }
}
