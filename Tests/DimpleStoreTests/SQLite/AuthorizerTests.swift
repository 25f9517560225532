import DimpleStore
import Testing

@Suite struct AuthorizerTests {
  let db: Database

  init() throws {
    db = try Database.inMemory()
    try db.write { connection in
      try connection.execute("CREATE TABLE t (x)")
      try connection.withInternalAccess {
        try connection.script(
          """
          CREATE TABLE dimple_log (x);
          CREATE TRIGGER dimple_t_insert AFTER INSERT ON t BEGIN INSERT INTO dimple_log VALUES (NEW.x); END;
          """)
      }
    }
  }

  @Test(arguments: ["BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT s", "END"])
  func transactionsAreNotWrittenAsSQL(statement: String) {
    let error = storeError { try db.execute(SQL(raw: statement)) }
    #expect(error?.code == .notAllowed)
    #expect(error?.hint.hasPrefix("Use ") == true)
  }

  @Test(arguments: [
    "INSERT INTO dimple_log VALUES (1)", "UPDATE dimple_log SET x = 1", "DELETE FROM DIMPLE_log",
    "DROP TABLE dimple_log",
    "ALTER TABLE dimple_log ADD COLUMN y", "ALTER TABLE dimple_log RENAME TO mine", "CREATE TABLE dimple_mine (x)",
    "CREATE INDEX i ON dimple_log (x)", "DROP TRIGGER dimple_t_insert", "CREATE VIEW dimple_v AS SELECT 1",
    "CREATE TRIGGER r AFTER INSERT ON dimple_log BEGIN SELECT 1; END", "INSERT OR REPLACE INTO dimple_log VALUES (1)",
  ])
  func theStoresOwnTablesAreNotForWriting(statement: String) throws {
    let error = storeError { try db.execute(SQL(raw: statement)) }
    #expect(error?.code == .notAllowed, "\(String(describing: error))")
    #expect(error?.message.contains("belongs to the store") == true)
  }

  @Test func theyMayBeReadAndItsTriggersWriteThem() throws {
    try db.execute("INSERT INTO t VALUES (1)")
    #expect(try db.query(Int.self, "SELECT x FROM dimple_log") == [1])
  }

  @Test func aStatementCompiledInsideIsNotLentToTheOutside() throws {
    try db.write { connection throws in
      try connection.withInternalAccess { _ = try connection.execute("INSERT INTO dimple_log VALUES (5)") }
      #expect(storeError { try connection.execute("INSERT INTO dimple_log VALUES (5)") }?.code == .notAllowed)
    }
  }

  @Test func aStatementCompiledInsideStaysAllowedAfterTheSchemaChanged() throws {
    try db.write { connection throws in
      let insert = try connection.withInternalAccess { try connection.prepare("INSERT INTO dimple_log VALUES (?)") }
      try insert.run(.integer(1))
      try connection.execute("CREATE TABLE other (x)")
      try insert.run(.integer(2))
      #expect(try connection.query(Int.self, "SELECT x FROM dimple_log") == [1, 2])
    }
  }

  @Test func droppingATableTakesTheStoresTriggersAlong() throws {
    try db.execute("DROP TABLE t")
    #expect(try db.query(String.self, "SELECT name FROM sqlite_schema") == ["dimple_log"])
  }

  @Test func renamingATableWithTriggersWorks() throws {
    try db.execute("ALTER TABLE t RENAME TO u")
    try db.execute("ALTER TABLE u RENAME COLUMN x TO y")
    try db.execute("INSERT INTO u (y) VALUES (2)")
    #expect(try db.query(Int.self, "SELECT x FROM dimple_log") == [2])
  }

  @Test func settingsOfTheStoreAreReadAndNotSet() throws {
    #expect(try db.queryOne(Int.self, "PRAGMA foreign_keys") == 1)
    for pragma in ["foreign_keys = OFF", "JOURNAL_MODE = DELETE", "query_only = 1", "recursive_triggers = 0"] {
      #expect(storeError { try db.execute(SQL(raw: "PRAGMA \(pragma)")) }?.code == .notAllowed)
    }
    try db.execute("PRAGMA user_version = 4")
    #expect(try db.queryOne(Int.self, "PRAGMA user_version") == 4)
  }

  private func reads(_ sql: SQL) throws -> [String: Set<String>] { try db.read { try $0.readSet(of: sql).tables } }

  @Test func aQuerysReadSetSeesThroughViewsAndSubqueries() throws {
    try db.execute("CREATE TABLE a (id INTEGER PRIMARY KEY, b, c)")
    try db.execute("CREATE VIEW v AS SELECT b FROM a")
    #expect(try reads("SELECT b FROM a WHERE c > 1") == ["a": ["b", "c"]])
    #expect(try reads("SELECT count(*) FROM a") == ["a": [""]])
    #expect(try reads("SELECT rowid FROM a")["a"]?.contains("id") == true)
    #expect(try reads("SELECT * FROM v")["a"] == ["b"])
    #expect(try reads("SELECT (SELECT max(x) FROM t) FROM a")["t"] == ["x"])
    #expect(try reads("WITH w AS (SELECT c FROM a) SELECT * FROM w")["a"] == ["c"])
    #expect(try reads("SELECT 1") == [:])
  }
}
