import DimpleStore
import Testing

@Suite struct DatabaseExtensionTests {
  private func open(_ hooks: RecordingExtension) throws -> Database {
    var configuration = Configuration()
    configuration.extensions = [hooks]
    let db = try Database.inMemory(configuration: configuration)
    #expect(hooks.taken() == [.open, .didOpen])
    return db
  }

  @Test func aWriteIsFramedByItsHooks() throws {
    let hooks = RecordingExtension()
    let db = try open(hooks)
    try db.write { _ in }
    #expect(hooks.taken() == [.begin, .willCommit, .didCommit])
    _ = storeError { try db.write { _ in throw StoreError(.busy, operation: "", message: "") } }
    #expect(hooks.taken() == [.begin, .didRollback])
    try db.read { _ in }
    #expect(hooks.taken() == [])
  }

  @Test func theExtensionIsFoundByItsType() throws {
    let hooks = RecordingExtension()
    #expect(try open(hooks).extension(RecordingExtension.self) === hooks)
    #expect(try Database.inMemory().extension(RecordingExtension.self) == nil)
  }

  @Test(arguments: [
    "CREATE TABLE t2 (x)", "CREATE INDEX i ON t (x)", "CREATE VIEW v AS SELECT 1", "ALTER TABLE t ADD COLUMN y",
    "ALTER TABLE t RENAME TO u", "ALTER TABLE t RENAME COLUMN x TO z", "DROP TABLE t",
    "CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT 1; END", "CREATE VIRTUAL TABLE f USING fts5(a)",
    "CREATE TABLE c AS SELECT 1 AS one",
  ])
  func aSchemaChangeIsAnnouncedBeforeAndAfter(statement: String) throws {
    let hooks = RecordingExtension()
    let db = try open(hooks)
    try db.execute("CREATE TABLE t (x)")
    _ = hooks.taken()
    try db.execute(SQL(raw: statement))
    #expect(hooks.taken() == [.begin, .willChange, .didChange, .willCommit, .didCommit])
  }

  @Test(arguments: [
    "CREATE TEMP TABLE t2 (x)", "INSERT INTO t VALUES (1)", "ANALYZE", "REINDEX", "PRAGMA user_version = 3",
  ])
  func whatLeavesTheSchemaAloneIsNot(statement: String) throws {
    let hooks = RecordingExtension()
    let db = try open(hooks)
    try db.execute("CREATE TABLE t (x)")
    try db.execute("CREATE INDEX i ON t (x)")
    _ = hooks.taken()
    try db.execute(SQL(raw: statement))
    #expect(hooks.taken() == [.begin, .willCommit, .didCommit])
  }

  @Test func eachStatementOfAScriptIsAnnounced() throws {
    let hooks = RecordingExtension()
    let db = try open(hooks)
    try db.write { try $0.script("CREATE TABLE a (x); INSERT INTO a VALUES (1); DROP TABLE a; -- end") }
    #expect(hooks.taken() == [.begin, .willChange, .didChange, .willChange, .didChange, .willCommit, .didCommit])
  }

  @Test func theExtensionsOwnStatementsAreNotAnnounced() throws {
    let hooks = RecordingExtension([
      .didChange: { connection in
        try connection.withInternalAccess { try connection.script("CREATE TABLE IF NOT EXISTS dimple_x (n)") }
      }
    ])
    let db = try open(hooks)
    try db.execute("CREATE TABLE t (x)")
    #expect(hooks.taken() == [.begin, .willChange, .didChange, .willCommit, .didCommit])
    #expect(try db.rows("SELECT * FROM dimple_x").isEmpty)
  }

  @Test func droppingTriggersBeforeTheChangeLetsItPass() throws {
    // A trigger that names a column keeps it from being dropped: the extension takes it away, and puts it back.
    let hooks = RecordingExtension([
      .willChange: { connection in
        try connection.withInternalAccess { try connection.script("DROP TRIGGER IF EXISTS dimple_t") }
      }
    ])
    let db = try open(hooks)
    try db.write { connection in
      try connection.execute("CREATE TABLE t (x, y)")
      try connection.withInternalAccess {
        try connection.script("CREATE TRIGGER dimple_t AFTER UPDATE ON t BEGIN SELECT NEW.y; END")
      }
    }
    try db.execute("ALTER TABLE t DROP COLUMN y")
    #expect(try db.rows("SELECT * FROM pragma_table_info('t')").count == 1)
  }

  @Test(arguments: [RecordingExtension.Hook.begin, .willChange, .didChange, .willCommit])
  func aHookThatThrowsRollsBack(hook: RecordingExtension.Hook) throws {
    struct Refused: Error {}
    let hooks = RecordingExtension([hook: { _ in throw Refused() }])
    let db = try open(hooks)
    #expect(throws: Refused.self) { try db.execute("CREATE TABLE t (x)") }
    #expect(hooks.taken().last == .didRollback)
    #expect(try db.rows("SELECT * FROM sqlite_schema").isEmpty)
  }

  @Test func aHookThatThrowsWhileOpeningFailsTheOpening() {
    struct Refused: Error {}
    var configuration = Configuration()
    configuration.extensions = [RecordingExtension([.open: { _ in throw Refused() }])]
    #expect(throws: Refused.self) { try Database.inMemory(configuration: configuration) }
  }
}
