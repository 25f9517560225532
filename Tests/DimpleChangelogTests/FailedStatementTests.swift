import DimpleChangelog
import DimpleStore
import DimpleTestSupport
import Testing

/// What a statement leaves when it fails is what SQLite leaves of its rows: https://sqlite.org/lang_conflict.html
@Suite("A statement that fails half-way leaves its rows and their changes, or neither")
struct FailedStatementTests {
  private static let schema = """
    CREATE TABLE T(id INTEGER PRIMARY KEY, a, u UNIQUE);
    INSERT INTO T VALUES (5, 'five', 50)
    """
  /// Beyond the size at which changes are written to the log.
  private static func fill(to last: Int) -> String {
    """
    WITH n(i) AS (SELECT 31 UNION ALL SELECT i + 1 FROM n WHERE i < \(last))
    INSERT INTO T SELECT i, hex(zeroblob(20000)), i FROM n
    """
  }

  /// Runs the statements one by one in a transaction, passing over errors, and compares the log with the table.
  private func check(
    _ statements: [String], schema: String = schema, fails: Int, leaves rows: [String], changes: Int,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let t = try TrackedDatabase(schema)
    let before = try t.lastTransaction
    var failures = 0
    try t.database.write { connection in
      for sql in statements { do { try connection.script(SQL(raw: sql)) } catch is StoreError { failures += 1 } }
    }
    #expect(failures == fails, sourceLocation: sourceLocation)
    #expect(try t.rows("SELECT id FROM T ORDER BY id") == rows, sourceLocation: sourceLocation)
    let changes = (try t.changes(after: before).count, changes)
    #expect(changes.0 == changes.1, sourceLocation: sourceLocation)
    var known: Set<[SQLValue]> = []
    for change in try t.changes() {
      if change.operation == .delete { known.remove(change.key) } else { known.insert(change.key) }
    }
    #expect(known.map { describe($0[0]) }.sorted() == rows.sorted(), sourceLocation: sourceLocation)
  }

  @Test("ABORT takes the statement's rows back, and what was done before stays")
  func abort() throws {
    try check(
      [
        "INSERT INTO T VALUES (1, 'a', 1)", "INSERT INTO T VALUES (2, 'b', 2), (3, 'c', 50)",
        "DELETE FROM T WHERE id = 5",
      ],
      fails: 1, leaves: ["1"], changes: 2)
  }

  @Test("FAIL keeps the rows before, whoever says it", arguments: 0..<5)
  func fail(_ number: Int) throws {
    let two = "INSERT INTO T VALUES (2, 'b', 2), (3, 'c', 50), (4, 'd', 4)"
    let trigger = "TRIGGER failing AFTER INSERT ON T WHEN NEW.id = 3 BEGIN SELECT RAISE(FAIL, 'no'); END"
    let free = "INSERT INTO T VALUES (2, 'b', 2), (3, 'c', 3), (4, 'd', 4)"
    let first = "INSERT INTO T VALUES (1, 'a', 1)"
    let last = "UPDATE T SET a = 'z' WHERE id = 1"
    switch number {
    case 0:
      try check(
        [first, two.replacing("INSERT", with: "INSERT OR FAIL"), last], fails: 1, leaves: ["1", "2", "5"], changes: 3)
    case 1:
      try check(
        [first, two, last], schema: Self.schema.replacing("UNIQUE", with: "UNIQUE ON CONFLICT FAIL"), fails: 1,
        leaves: ["1", "2", "5"], changes: 3)
    case 2:
      try check(
        [first, free, last], schema: "\(Self.schema); CREATE \(trigger)", fails: 1, leaves: ["1", "2", "3", "5"],
        changes: 4)
    case 3:
      // BEFORE: a temporary AFTER trigger fires before the library's.
      let temporary = "CREATE TEMP \(trigger)".replacing("AFTER", with: "BEFORE")
      try check([temporary, first, free, last], fails: 1, leaves: ["1", "2", "5"], changes: 3)
    default:
      // Made in the transaction itself.
      try check(["CREATE \(trigger)", first, free, last], fails: 1, leaves: ["1", "2", "3", "5"], changes: 4)
    }
  }

  @Test("Where something may FAIL, an ABORT takes the rows back all the same")
  func abortBesideFail() throws {
    let schema = Self.schema.replacing("a,", with: "a CHECK (a <> 'fail') UNIQUE ON CONFLICT FAIL,")
    try check(
      [
        "INSERT INTO T VALUES (1, 'a', 1)", "INSERT INTO T VALUES (2, 'b', 2), (3, 'c', 50)",
        "INSERT INTO T VALUES (6, 'd', 6), (7, 'a', 7)", "INSERT INTO T VALUES (8, 'e', 8), (9, 'fail', 9)",
        "DELETE FROM T WHERE id = 5",
      ], schema: schema, fails: 3, leaves: ["1", "6"], changes: 3)
  }

  @Test("IGNORE passes over rows, and REPLACE removes those in the way")
  func ignoreAndReplace() throws {
    try check(
      ["INSERT OR IGNORE INTO T VALUES (2, 'b', 2), (3, 'c', 50), (4, 'd', 4)"], fails: 0, leaves: ["2", "4", "5"],
      changes: 2)
    try check(
      ["INSERT OR REPLACE INTO T VALUES (2, 'b', 2), (3, 'c', 50)"], fails: 0, leaves: ["2", "3"], changes: 3)
    try check(
      ["INSERT INTO T VALUES (2, 'b', 2), (3, 'c', 3)"],
      schema: """
        \(Self.schema); CREATE TRIGGER ignoring AFTER INSERT ON T WHEN NEW.id = 2 BEGIN SELECT RAISE(IGNORE); END
        """, fails: 0, leaves: ["2", "3", "5"], changes: 2)
  }

  @Test(
    "ROLLBACK takes the whole transaction back, and the next one is numbered as if it had not been",
    arguments: ["INSERT OR ROLLBACK INTO T VALUES (2, 'b', 2), (3, 'c', 50)", "INSERT INTO T VALUES (7, 'roll', 7)"])
  func rollback(_ sql: String) throws {
    let t = try TrackedDatabase(
      """
      \(Self.schema);
      CREATE TRIGGER rolling AFTER INSERT ON T WHEN NEW.a = 'roll' BEGIN SELECT RAISE(ROLLBACK, 'no'); END
      """)
    var failures = 0
    #expect(throws: StoreError.self) {
      try t.database.write { connection in
        try connection.execute("INSERT INTO T VALUES (1, 'a', 1)")
        for sql in [sql, "INSERT INTO T VALUES (8, 'h', 8)"] {
          do { try connection.script(SQL(raw: sql)) } catch is StoreError { failures += 1 }
        }
      }
    }
    #expect(failures == 2)
    #expect(try t.logged("INSERT INTO T VALUES (1, 'b', 1)") == ["insert T[1] a='b' u=1"])
    #expect(try t.changes().map(\.transaction) == [1, 2])
  }

  @Test(
    "A statement so large that it is written in parts, undone, leaves what was to be written before it",
    arguments: ["abs(-9223372036854775807 - 1)", "RAISE(ABORT, 'no')"])
  func large(_ error: String) throws {
    let t = try TrackedDatabase(
      "\(Self.schema); CREATE TRIGGER stopping AFTER INSERT ON T WHEN NEW.id = 40 BEGIN SELECT \(error); END")
    let before = try t.lastTransaction
    try t.database.write { connection in
      try connection.execute("INSERT INTO T VALUES (1, 'a', 1)")
      #expect(throws: StoreError.self) { try connection.script(SQL(raw: Self.fill(to: 45))) }
      try connection.execute("INSERT INTO T VALUES (2, 'b', 2)")
    }
    #expect(try t.log(after: before) == ["insert T[1] a='a' u=1", "insert T[2] a='b' u=2"])
    #expect(try t.rows("SELECT count(*) FROM dimple_log") == ["2"])
  }

  @Test("A statement that returns rows is logged though only its first row is read, and not where it fails")
  func returning() throws {
    let t = try TrackedDatabase(
      "\(Self.schema); CREATE TABLE C(id INTEGER PRIMARY KEY, t REFERENCES T); INSERT INTO C VALUES (1, 5)")
    let before = try t.lastTransaction
    try t.database.write { connection in
      try connection.execute("INSERT INTO T VALUES (1, 'a', 1)")
      #expect(throws: StoreError.self) {
        try connection.queryOne(Int.self, "INSERT INTO C VALUES (2, 5), (3, 99) RETURNING id")
      }
      let statement = try connection.prepare("INSERT INTO C VALUES (4, 5), (5, 1) RETURNING id")
      let hasRow = try statement.step()
      #expect(hasRow)
      // Beside the one that is at its first row.
      #expect(throws: StoreError.self) { try connection.execute("INSERT INTO T VALUES (2, 'b', 2), (3, 'c', 50)") }
      try connection.execute("INSERT INTO T VALUES (4, 'd', 4)")
    }
    #expect(
      try t.log(after: before)
        == ["insert T[1] a='a' u=1", "insert C[4] t=5", "insert C[5] t=1", "insert T[4] a='d' u=4"])
    #expect(try t.rows("SELECT id FROM C") == ["1", "4", "5"])
  }

  @Test("Nothing is written after SQLite has rolled the transaction back, in a savepoint neither")
  func afterRollback() throws {
    let t = try TrackedDatabase(Self.schema)
    #expect(throws: StoreError.self) {
      try t.database.write { connection in
        try? connection.script("INSERT OR ROLLBACK INTO T VALUES (2, 'b', 2), (3, 'c', 50)")
        _ = try? connection.savepoint { try connection.execute("INSERT INTO T VALUES (8, 'h', 8)") }
      }
    }
    #expect(try t.rows("SELECT id FROM T") == ["5"])
    #expect(try t.log() == ["insert T[5] a='five' u=50"])
  }

  @Test("Writing the log in the middle of a statement is not seen by the app's counts")
  func counts() throws {
    let t = try TrackedDatabase(Self.schema)
    let before = try t.lastTransaction
    try t.database.write { connection in
      let count = try connection.execute(SQL(raw: Self.fill(to: 45)))
      #expect(count == 15 && connection.changeCount == 15 && connection.lastInsertRowID == 45)
    }
    #expect(try t.changes(after: before).count == 15)
    // More than one row of the log, and far fewer than one a change.
    #expect(try t.rows("SELECT count(*) FROM dimple_log") == ["\(1 + 8)"])
  }

  @Test("Savepoints take back what is in the log and what is not yet")
  func savepoints() throws {
    let t = try TrackedDatabase(Self.schema)
    let before = try t.lastTransaction
    try t.database.write { connection in
      try connection.execute("INSERT INTO T VALUES (1, 'a', 1)")
      for isLarge in [false, true] {
        #expect(throws: Stop.self) {
          try connection.savepoint {
            try connection.execute("UPDATE T SET a = 'b' WHERE id = 1")
            try connection.savepoint {
              try connection.script(SQL(raw: Self.fill(to: isLarge ? 45 : 32)))
              // Reading the log writes what is missing.
              #expect(try t.changelog.lastTransaction(connection) == before + 1)
            }
            throw Stop()
          }
        }
      }
      try connection.savepoint { try connection.execute("INSERT INTO T VALUES (2, 'b', 2)") }
    }
    #expect(try t.log(after: before) == ["insert T[1] a='a' u=1", "insert T[2] a='b' u=2"])
  }

  @Test("In its transaction, the app reads a log that has all that was done")
  func reading() throws {
    let t = try TrackedDatabase(Self.schema)
    try t.database.write { connection in
      try connection.execute("INSERT INTO T VALUES (1, 'a', 1)")
      #expect(try connection.query(Int.self, "SELECT count(*) FROM dimple_log") == [2])
      try connection.execute("INSERT INTO T VALUES (2, 'a', 2)")
      try connection.execute("INSERT INTO T VALUES (3, 'a', 3)")
      #expect(try connection.query(Int.self, "SELECT count(*) FROM dimple_log") == [3])
    }
    #expect(try t.changes().map(\.transaction) == [1, 2, 2, 2])
  }
}
