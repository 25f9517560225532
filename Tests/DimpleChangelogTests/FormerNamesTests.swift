import DimpleChangelog
import DimpleStore
import DimpleTestSupport
import Testing

@Suite("Each transaction keeps the names that it was committed with, once somebody syncs")
struct FormerNamesTests {
  private static let schema = "CREATE TABLE T(id INTEGER PRIMARY KEY, a, b); INSERT INTO T VALUES (1, 'x', 'y')"

  private func synced(_ schema: String = schema, path: String? = nil) throws -> TrackedDatabase {
    let t = try TrackedDatabase(schema, path: path)
    try t.beginSync()
    return t
  }

  @Test func aRenamedTableAndColumn() throws {
    let t = try synced()
    try t.script("ALTER TABLE T RENAME COLUMN a TO \"new \"\"name\"; ALTER TABLE T RENAME TO U")
    try t.script("UPDATE U SET \"new \"\"name\" = 'z'")
    try t.script("ALTER TABLE U RENAME TO V; UPDATE V SET b = 1")
    #expect(
      try t.sent() == [
        "insert T[1] a='x' b='y'", "update U[1] new \"name='z'", "update V[1] b=1",
      ])
    #expect(try t.log() == ["insert V[1] new \"name='x' b='y'", "update V[1] new \"name='z'", "update V[1] b=1"])
  }

  /// Whatever became of a name within the transaction.
  @Test func aTransactionGoesByTheNamesAtItsEnd() throws {
    let t = try synced()
    try t.script(
      "UPDATE T SET a = 1; ALTER TABLE T RENAME TO U; UPDATE U SET a = 2; ALTER TABLE U RENAME COLUMN a TO c")
    #expect(try t.sent() == ["insert T[1] a='x' b='y'", "update U[1] c=1", "update U[1] c=2"])
  }

  @Test func renamesWithNothingWrittenInBetween() throws {
    let t = try synced()
    try t.script("ALTER TABLE T RENAME TO U")
    try t.script("ALTER TABLE U RENAME TO V")
    try t.script("UPDATE V SET a = 1")
    #expect(try t.sent() == ["insert T[1] a='x' b='y'", "update V[1] a=1"])
  }

  @Test func tablesThatSwapTheirNames() throws {
    let t = try synced(
      """
      CREATE TABLE A(id INTEGER PRIMARY KEY, x); CREATE TABLE B(id INTEGER PRIMARY KEY, x);
      INSERT INTO A VALUES (1, 'of A'); INSERT INTO B VALUES (2, 'of B');
      """)
    try t.script("ALTER TABLE A RENAME TO M; ALTER TABLE B RENAME TO A; ALTER TABLE M RENAME TO B")
    try t.script("UPDATE A SET x = 1; UPDATE B SET x = 2")
    #expect(try t.sent() == ["insert A[1] x='of A'", "insert B[2] x='of B'", "update A[2] x=1", "update B[1] x=2"])
  }

  @Test func aTableThatIsDroppedAndMadeAgain() throws {
    let t = try synced()
    try t.script("ALTER TABLE T DROP COLUMN b; ALTER TABLE T ADD COLUMN b")
    try t.script("UPDATE T SET b = 2; ALTER TABLE T RENAME COLUMN b TO c")
    try t.script("ALTER TABLE T RENAME TO U; DROP TABLE U; CREATE TABLE T(id INTEGER PRIMARY KEY, d)")
    try t.script("INSERT INTO T VALUES (1, 'new')")
    #expect(try t.sent() == ["insert T[1] a='x' b='y'", "update T[1] c=2", "insert T[1] d='new'"])
    #expect(try t.log() == ["insert U[1] a='x' b='y'", "update U[1] c=2", "insert T[1] d='new'"])
  }

  @Test(arguments: ["ALTER TABLE T RENAME TO m; ALTER TABLE m RENAME TO t", "ALTER TABLE T RENAME COLUMN a TO A"])
  func namesThatDifferInCaseAlone(rename: String) throws {
    let t = try synced()
    try t.script(rename)
    #expect(try t.sent() == ["insert T[1] a='x' b='y'"])
    #expect(try t.log() != t.sent())
  }

  /// One letter and two: Swift takes the texts for equal, SQLite does not.
  @Test func namesThatDifferInTheirBytesAlone() throws {
    let file = try TemporaryFile()
    let (composed, decomposed) = ("\u{E9}", "e\u{301}")
    let t = try synced("CREATE TABLE \(composed)(id INTEGER PRIMARY KEY, a)", path: file.path)
    try t.script("INSERT INTO \(composed) VALUES (1, 'x')")
    let id = try t.id(of: composed)
    try t.script("ALTER TABLE \(composed) RENAME TO \(decomposed)")
    func names(_ lines: [String]) -> [[UInt8]] { lines.map { Array($0.utf8) } }
    #expect(try names(t.sent()) == names(["insert \(composed)[1] a='x'"]))
    #expect(try names(t.log()) == names(["insert \(decomposed)[1] a='x'"]))
    try t.database.close()
    let again = try TrackedDatabase(path: file.path)
    #expect(try again.id(of: decomposed) == id)
    #expect(try names(again.logged("UPDATE \(decomposed) SET a = 1")) == names(["update \(decomposed)[1] a=1"]))
  }

  @Test("Another program's renames count from then on", .enabled(if: ForeignProgram.isInstalled))
  func renamedElsewhere() throws {
    let file = try TemporaryFile()
    try synced(path: file.path).database.close()
    let result = try ForeignProgram.run(file.path, "ALTER TABLE T RENAME COLUMN a TO c; ALTER TABLE T RENAME TO U")
    #expect(result.status == 0, "\(result.output)")
    let t = try TrackedDatabase(path: file.path)
    try t.script("UPDATE U SET c = 1")
    #expect(try t.sent() == ["insert T[1] a='x' b='y'", "update U[1] c=1"])
  }

  // MARK: - What is kept

  @Test func nothingIsKeptBeforeAnybodySynced() throws {
    let t = try TrackedDatabase(Self.schema)
    try t.script("ALTER TABLE T RENAME TO U")
    #expect(try t.formerNames == .null)
    #expect(try t.sent() == ["insert U[1] a='x' b='y'"])
    // What is renamed afterwards was called U.
    try t.beginSync()
    try t.script("ALTER TABLE U RENAME TO V")
    #expect(try t.sent() == ["insert U[1] a='x' b='y'"])
  }

  @Test func nothingIsKeptOfNamesThatNoTransactionHas() throws {
    let t = try synced("CREATE TABLE T(id INTEGER PRIMARY KEY, a)")
    try t.script("ALTER TABLE T RENAME TO U")
    #expect(try t.formerNames == .null)
  }

  @Test(arguments: [
    "ALTER TABLE T RENAME TO U; ALTER TABLE U RENAME TO T",
    "ALTER TABLE T RENAME TO o; CREATE TABLE T(id INTEGER PRIMARY KEY, a, b); INSERT INTO T SELECT * FROM o; DROP TABLE o",
    "ALTER TABLE T ADD COLUMN c; ALTER TABLE T DROP COLUMN b",
  ]) func nothingIsKeptWhereNamesAreTheSameAtTheEnd(script: String) throws {
    let t = try synced()
    try t.script(script)
    #expect(try t.formerNames == .null)
    #expect(try t.sent() == ["insert T[1] a='x' b='y'"])
  }

  @Test func aRenameThatIsRolledBackIsNone() throws {
    struct Stop: Error {}
    let t = try synced()
    _ = try? t.database.write { connection in
      try connection.script("ALTER TABLE T RENAME TO U")
      throw Stop()
    }
    try t.database.write { connection in
      try? connection.savepoint {
        try connection.script("ALTER TABLE T RENAME COLUMN a TO c")
        throw Stop()
      }
      try connection.script("UPDATE T SET a = 1")
    }
    #expect(try t.formerNames == .null)
    #expect(try t.sent() == ["insert T[1] a='x' b='y'", "update T[1] a=1"])
  }

  @Test(
    arguments: [
      [0x00], [0x01], [0x01, 0x01], [0x01, 0x01, 0x00, 0x02], [0x01, 0x01, 0x00, 0x13, 0x55, 0x07],
      // The later one is of an earlier transaction.
      [0x02, 0x01, 0x00, 0x13, 0x55, 0x01, 0x01, 0x00, 0x13, 0x55],
    ] as [[UInt8]]) func whatDoesNotDecodeIsRefused(bytes: [UInt8]) throws
  {
    let t = try synced()
    let changelog = try t.changelog
    try t.database.write { connection in
      try connection.withInternalAccess {
        try connection.execute("INSERT INTO dimple_meta VALUES ('formerNames', \(SQLValue.blob(bytes)))")
      }
    }
    let error = #expect(throws: ChangelogError.self) { try t.database.read { try changelog.logNames($0) } }
    #expect(error?.code == .damagedLog)
    // The app's own view needs none of it.
    #expect(try t.log() == ["insert T[1] a='x' b='y'"])
  }

  /// docs/CHANGELOG_FORMAT.md has this.
  @Test func theBytes() throws {
    let t = try synced()
    try t.script("ALTER TABLE T RENAME TO U; ALTER TABLE U RENAME COLUMN b TO c")
    try t.script("UPDATE U SET c = 1")
    try t.script("ALTER TABLE U RENAME TO V")
    #expect(
      try t.formerNames
        == .blob([1, 1, 0, 19, UInt8(ascii: "T"), 1, 1, 3, 19, UInt8(ascii: "b"), 2, 1, 0, 19, UInt8(ascii: "U")]))
  }
}

extension TrackedDatabase {
  func beginSync() throws {
    let changelog = try changelog
    _ = try database.write { connection in try connection.withInternalAccess { try changelog.beginSync(connection) } }
  }

  /// The log as others are sent it, in short.
  func sent(after transaction: Int64 = 0) throws -> [String] {
    let changelog = try changelog
    return try database.read { connection in
      var lines: [String] = []
      try changelog.transactions(connection, after: transaction, naming: .asOfCommit) { local in
        lines += local.changes.map(describe)
        return true
      }
      return lines
    }
  }

  var formerNames: SQLValue {
    get throws {
      try database.read { connection in
        try connection.rows("SELECT value FROM dimple_meta WHERE name = 'formerNames'").first?[0] ?? .null
      }
    }
  }
}
