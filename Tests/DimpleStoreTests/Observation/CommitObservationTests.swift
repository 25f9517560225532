import DimpleStore
import Testing

@Suite struct CommitObservationTests {
  let db: Database
  let log = EventLog()
  let observation: CommitObservation

  init() throws {
    db = try Database.inMemory()
    try db.write {
      try $0.script(
        """
        CREATE TABLE a (id INTEGER PRIMARY KEY, x, y, g AS (x * 2));
        CREATE TABLE b (id INTEGER PRIMARY KEY, a REFERENCES a(id) ON DELETE CASCADE ON UPDATE CASCADE, n);
        CREATE TABLE u (id INTEGER PRIMARY KEY, k UNIQUE ON CONFLICT REPLACE, n);
        CREATE TABLE w (k TEXT PRIMARY KEY, n) WITHOUT ROWID;
        INSERT INTO a VALUES (1, 1, 1); INSERT INTO b VALUES (1, 1, 1); INSERT INTO u VALUES (1, 1, 1), (2, 2, 2);
        """)
    }
    let log = log
    observation = db.observeCommits { log.append($0) }
  }

  private func event(_ sql: SQL) throws -> [String: TableChange]? {
    try db.execute(sql)
    let events = log.taken()
    #expect(events.count <= 1)
    return events.first?.tables
  }

  private let rows = TableChange(insertedOrDeleted: true)

  @Test func insertsAndDeletesChangeTheRows() throws {
    #expect(try event("INSERT INTO a (x) VALUES (5)") == ["a": rows])
    #expect(try event("INSERT INTO w VALUES ('k', 1)") == ["w": rows])
    #expect(try event("DELETE FROM w") == ["w": rows])
  }

  @Test func anUpdateNamesItsColumnsAndThoseGeneratedFromThem() throws {
    #expect(try event("UPDATE a SET y = 9") == ["a": TableChange(updatedColumns: ["y", "g"])])
    #expect(try event("UPDATE b SET n = 2, id = 7")?["b"]?.updatedColumns == ["n", "id"])
    #expect(try event("UPDATE b SET rowid = 8")?["b"]?.insertedOrDeleted == true)
  }

  @Test func aStatementThatChangesNoRowIsSilent() throws {
    #expect(try event("UPDATE a SET x = 1 WHERE id = 99") == nil)
    #expect(try event("DELETE FROM a WHERE id = 99") == nil)
    #expect(try event("INSERT OR IGNORE INTO a (id) VALUES (1)") == nil)
    #expect(try event("SELECT * FROM a") == nil)
  }

  @Test func foreignKeyActionsCount() throws {
    let changes = try #require(try event("DELETE FROM a WHERE id = 1"))
    #expect(changes["a"] == rows)
    #expect(changes["b"]?.insertedOrDeleted == true)
  }

  @Test func triggersCount() throws {
    try db.execute("CREATE TRIGGER r AFTER UPDATE OF x ON a BEGIN UPDATE b SET n = n + 1; END")
    _ = log.taken()
    #expect(try event("UPDATE a SET x = 3")?["b"] == TableChange(updatedColumns: ["n"]))
  }

  @Test func rowsReplacedByAnUpdateCount() throws {
    #expect(try event("UPDATE OR REPLACE a SET id = 1 WHERE id = 1")?["a"]?.insertedOrDeleted == true)
    #expect(try event("UPDATE u SET k = 2 WHERE id = 1")?["u"]?.insertedOrDeleted == true)
    #expect(try db.query(Int.self, "SELECT count(*) FROM u") == [1])
  }

  @Test func anUpsertIsBoth() throws {
    #expect(
      try event("INSERT INTO a (id, y) VALUES (1, 2) ON CONFLICT (id) DO UPDATE SET y = excluded.y")
        == ["a": TableChange(insertedOrDeleted: true, updatedColumns: ["y", "g"])])
  }

  @Test func aTransactionGivesOneEventAfterItsCommit() throws {
    let log = log
    try db.write { connection throws in
      try connection.execute("UPDATE a SET x = 2")
      try connection.execute("INSERT INTO w VALUES ('k', 1)")
      #expect(log.taken().isEmpty)
    }
    #expect(log.taken().map(\.tables) == [["a": TableChange(updatedColumns: ["x", "g"]), "w": rows]])
  }

  @Test func whatIsRolledBackGivesNoEvent() throws {
    struct Stop: Error {}
    _ = try? db.write { connection in
      try connection.execute("UPDATE a SET x = 2")
      throw Stop()
    }
    #expect(log.taken().isEmpty)
    try db.write { connection in
      try connection.execute("UPDATE a SET x = 3")
      do {
        try connection.savepoint {
          try connection.execute("UPDATE a SET x = 4")
          try connection.execute("INSERT INTO w VALUES ('k', 1)")
          throw Stop()
        }
      } catch is Stop {}
    }
    #expect(log.taken().map(\.tables) == [["a": TableChange(updatedColumns: ["x", "g"])]])
  }

  @Test func aStatementUsedBeforeAndAfterARolledBackSavepointCounts() throws {
    struct Stop: Error {}
    try db.write { connection in
      do {
        try connection.savepoint {
          try connection.execute("INSERT INTO w VALUES ('k', 1)")
          throw Stop()
        }
      } catch is Stop {}
      try connection.execute("INSERT INTO w VALUES ('k', 1)")
    }
    #expect(log.taken().map(\.tables) == [["w": rows]])
  }

  @Test func aReturningStatementThatIsNotReadToItsEndCounts() throws {
    try db.write { connection throws in
      let statement = try connection.prepare("INSERT INTO w VALUES ('k', 1), ('l', 2) RETURNING k")
      #expect(try statement.step())
    }
    #expect(log.taken().map(\.tables) == [["w": rows]])
  }

  @Test func theStoresOwnTablesAreLeftOut() throws {
    try db.write { connection in
      try connection.withInternalAccess { try connection.script("CREATE TABLE dimple_x (n)") }
    }
    _ = log.taken()
    try db.write { connection in
      try connection.withInternalAccess { _ = try connection.execute("INSERT INTO dimple_x VALUES (1)") }
    }
    #expect(log.taken().isEmpty)
  }

  @Test func aSchemaChangeTouchesEveryQuery() throws {
    try db.execute("ALTER TABLE a ADD COLUMN z")
    let event = try #require(log.taken().first)
    #expect(event.changesSchema)
    #expect(event.touches(ReadSet(tables: ["b": ["n"]])))
  }

  @Test func temporaryTablesAreNobodyElsesBusiness() throws {
    try db.execute("CREATE TEMP TABLE s (x)")
    #expect(try event("INSERT INTO s VALUES (1)") == nil)
  }

  @Test func aMergeGivesAnEventToo() throws {
    try db.withMergeTransaction { _ = try $0.execute("UPDATE a SET y = 5") }
    #expect(log.taken().map(\.tables) == [["a": TableChange(updatedColumns: ["y", "g"])]])
  }

  @Test func anEventTouchesTheQueriesThatReadWhatChanged() throws {
    let event = CommitEvent(tables: ["a": TableChange(updatedColumns: ["x"]), "b": rows])
    #expect(event.touches(ReadSet(tables: ["a": ["x", "y"]])))
    #expect(!event.touches(ReadSet(tables: ["a": ["y"]])))
    #expect(!event.touches(ReadSet(tables: ["a": [""]])))
    #expect(event.touches(ReadSet(tables: ["b": [""]])))
    #expect(!event.touches(ReadSet(tables: ["c": ["x"]])))
    #expect(CommitEvent(isExternal: true).touches(ReadSet()))
  }

  @Test func cancelledOrLetGoItIsSilent() throws {
    observation.cancel()
    #expect(try event("DELETE FROM b") == nil)
    let log = log
    do { _ = db.observeCommits { log.append($0) } }
    #expect(try event("DELETE FROM a") == nil)
  }
}
