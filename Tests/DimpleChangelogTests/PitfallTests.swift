import DimpleChangelog
import DimpleStore
import DimpleTestSupport
import Testing

/// What SQLite does by itself that would lose, invent or bend changes. Each test first shows that it does so, where that can
/// be shown through the store.
@Suite("Pitfalls of SQLite")
struct PitfallTests {
  @Test func jsonRoundsDoublesAndRefusesBlobsAndTheLogDoesNeither() throws {
    let t = try TrackedDatabase("CREATE TABLE T(id INTEGER PRIMARY KEY, a, b)")
    let sum = 0.1 + 0.2
    try t.database.execute("INSERT INTO T VALUES (1, \(sum), x'00ff')")
    #expect(try t.rows("SELECT a IS json_extract(json_array(a), '$[0]') FROM T") == ["0"])
    #expect(throws: StoreError.self) { try t.rows("SELECT json_array(b) FROM T") }
    #expect(try t.changes().first?.columns.map(\.value) == [.real(sum), .blob([0, 255])])
  }

  @Test func foreignKeysAreSwitchedBeforeTheTransactionSinceThePragmaIsIgnoredInside() throws {
    let t = try TrackedDatabase()
    func isOn(_ connection: Connection) throws -> Int? { try connection.querySingle(Int.self, "PRAGMA foreign_keys") }
    try t.database.withMergeTransaction { connection throws in #expect(try isOn(connection) == 0) }
    try t.database.write { connection throws in
      connection.withInternalAccess { try? connection.script("PRAGMA foreign_keys = OFF") }
      #expect(try isOn(connection) == 1)
    }
  }

  @Test func withTriggersOffNothingCascadesEitherSoThatNoRowGoesUnlogged() throws {
    let t = try TrackedDatabase(
      """
      CREATE TABLE P(id INTEGER PRIMARY KEY);
      CREATE TABLE C(id INTEGER PRIMARY KEY, p REFERENCES P(id) ON DELETE CASCADE);
      INSERT INTO P VALUES (1), (2); INSERT INTO C VALUES (1, 1), (2, 2);
      """)
    let before = try t.log()
    try t.database.withMergeTransaction { try $0.script("DELETE FROM P WHERE id = 1") }
    #expect(try t.rows("SELECT id FROM C") == ["1", "2"])
    #expect(try t.log() == before)
    #expect(try t.logged("DELETE FROM P WHERE id = 2") == ["delete C[2]", "delete P[2]"])
  }

  @Test(.enabled(if: ForeignProgram.isInstalled, "needs the sqlite3 program"))
  func renumberedRowidsDoNotMatterSinceTheLogDoesNotKnowThem() throws {
    let file = try TemporaryFile()
    let first = try TrackedDatabase(
      "CREATE TABLE T(k TEXT PRIMARY KEY, a); INSERT INTO T VALUES ('x', 1), ('y', 2); DELETE FROM T WHERE k = 'x'",
      path: file.path)
    #expect(try first.rows("SELECT rowid FROM T") == ["2"])
    try first.database.close()
    // VACUUM may renumber rowids; this does, whatever the version.
    let renumber = "DROP TRIGGER dimple_1_update; UPDATE T SET rowid = 71; VACUUM"
    #expect(try ForeignProgram.run(file.path, renumber).status == 0)
    let second = try TrackedDatabase(path: file.path)
    #expect(try second.rows("SELECT rowid IS 2 FROM T") == ["0"])
    #expect(try second.logged("UPDATE T SET a = 3") == ["update T['y'] a=3"])
  }

  @Test func theHooksSeeAStatementThatIsUndoneAndTheLogDoesNot() throws {
    let t = try TrackedDatabase("CREATE TABLE T(id INTEGER PRIMARY KEY, a UNIQUE); INSERT INTO T VALUES (9, 'x')")
    let before = try t.lastTransaction
    try t.database.write { connection in
      // Two rows are in before the third fails.
      #expect(throws: StoreError.self) { try connection.script("INSERT INTO T VALUES (1, 1), (2, 2), (3, 'x')") }
      #expect(throws: Stop.self) {
        try connection.savepoint {
          try connection.execute("INSERT INTO T VALUES (4, 4)")
          throw Stop()
        }
      }
    }
    #expect(try t.log(after: before) == [])
    #expect(try t.lastTransaction == before)
  }

  @Test func renamingAColumnDoesNotRenameItInLiteralsSoTriggersKnowItByNumber() throws {
    let t = try TrackedDatabase("CREATE TABLE T(id INTEGER PRIMARY KEY, first)")
    let triggers = try t.rows("SELECT sql FROM sqlite_schema WHERE type = 'trigger'")
    #expect(triggers.count == 3 && triggers.allSatisfy { !$0.contains("'first") })
    #expect(
      try t.logged("ALTER TABLE T RENAME COLUMN first TO second; INSERT INTO T VALUES (1, 2)").last
        == "insert T[1] second=2")
  }

  @Test func aDroppedTableFiresNoDeleteTriggersAndItsRebuildIsTrackedOn() throws {
    let t = try TrackedDatabase("CREATE TABLE T(id INTEGER PRIMARY KEY, a); INSERT INTO T VALUES (1, 'x'), (2, 'y')")
    let rebuild = """
      CREATE TABLE New(id INTEGER PRIMARY KEY, a TEXT NOT NULL, b DEFAULT 5); INSERT INTO New(id, a) SELECT id, a FROM T;
      DROP TABLE T; ALTER TABLE New RENAME TO T;
      """
    #expect(try t.logged(rebuild).allSatisfy { !$0.hasPrefix("delete") })
    #expect(try t.rows("SELECT count(*) FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'T'") == ["3"])
    #expect(
      try t.logged("UPDATE T SET b = 6 WHERE id = 1; DELETE FROM T") == [
        "update T[1] b=6", "delete T[1]", "delete T[2]",
      ])
  }
}
