import DimpleChangelog
import DimpleStore
import DimpleTestSupport
import Foundation
import Testing

@Suite("The database as of a moment")
struct PastTests {
  private static let schema =
    "CREATE TABLE A(id INTEGER PRIMARY KEY, x, y DEFAULT 7); CREATE TABLE B(k TEXT PRIMARY KEY, z)"

  private func rows(_ past: PastDatabase, _ sql: String) throws -> [String] {
    try past.rows(SQL(raw: sql)).map { row in row.columnNames.indices.map { describe(row[$0]) }.joined(separator: " ") }
  }

  @Test func atATransactionATimeOrAChange() throws {
    let t = try TrackedDatabase(Self.schema)
    try t.script("INSERT INTO A VALUES (1, 'a', 0), (2, 'b', 0)")
    t.clock.advance(milliseconds: 60_000)
    try t.script("UPDATE A SET x = 'c' WHERE id = 1; DELETE FROM A WHERE id = 2; INSERT INTO B VALUES ('k', 1)")
    let sql = "SELECT * FROM A ORDER BY id"
    let noon = Date(timeIntervalSince1970: Double(t.clock.milliseconds) / 1000)
    #expect(try rows(t.database.asOf(.transaction(0)), sql) == [])
    #expect(try rows(t.database.asOf(.transaction(1)), sql) == ["1 'a' 0", "2 'b' 0"])
    #expect(try rows(t.database.asOf(.transaction(2)), sql) == ["1 'c' 0"])
    #expect(try rows(t.database.asOf(.time(noon - 61)), sql) == [])
    #expect(try rows(t.database.asOf(.time(noon - 1)), sql) == ["1 'a' 0", "2 'b' 0"])
    #expect(try rows(t.database.asOf(.time(noon)), sql) == ["1 'c' 0"])
    let changes = try t.changes()
    #expect(try rows(t.database.asOf(.change(changes[0].stamp)), sql) == ["1 'a' 0"])
    #expect(try rows(t.database.asOf(.change(changes[2].stamp)), sql) == ["1 'c' 0", "2 'b' 0"])
    #expect(try t.database.asOf(.change(changes[2].stamp)).transaction == 2)
    #expect(try rows(t.database.asOf(.time(noon - 1)), "SELECT * FROM B") == [])
  }

  @Test func isQueriedLikeAnyDatabaseAndCannotBeWritten() async throws {
    struct A: Entity, Equatable {
      var id: Int
      var x: String
    }
    let t = try TrackedDatabase(Self.schema)
    try t.script("INSERT INTO A VALUES (1, 'a', 0), (2, 'b', 0)")
    try t.script("DELETE FROM A")
    let past = try await t.database.asOf(.transaction(1))
    #expect(past.tables == ["A", "B"])
    #expect(try await past.query(A.self, "SELECT * FROM A ORDER BY id") == [A(id: 1, x: "a"), A(id: 2, x: "b")])
    #expect(try await past.queryOne(A.self, "SELECT * FROM A WHERE x = \("b")") == A(id: 2, x: "b"))
    #expect(try await past.find(A.self, id: 2) == A(id: 2, x: "b"))
    #expect(try await past.read { try $0.rows("SELECT count(*) FROM A, B").first?[0] } == .integer(0))
    #expect(throws: StoreError.self) { try past.read { try $0.execute("DELETE FROM A") } }
    await #expect(throws: StoreError.self) { try await past.rows("DELETE FROM A RETURNING id") }
    #expect(try await past.query(A.self, "SELECT * FROM A").count == 2)
  }

  @Test func onlyTheTablesAskedFor() throws {
    let t = try TrackedDatabase(Self.schema)
    try t.script("INSERT INTO A VALUES (1, 'a', 0)")
    let past = try t.database.asOf(.transaction(1), tables: ["a"])
    #expect(past.tables == ["A"])
    #expect(throws: StoreError.self) { try past.rows("SELECT * FROM B") }
    let error = #expect(throws: ChangelogError.self) { try t.database.asOf(.transaction(1), tables: ["a", "C"]) }
    #expect(error?.code == .unknownTable)
  }

  @Test func keysThatChangedAreTheOldOnesAgain() throws {
    let t = try TrackedDatabase("CREATE TABLE T(k REAL, l TEXT, a, PRIMARY KEY (l, k)) WITHOUT ROWID")
    try t.script("INSERT INTO T VALUES (1, 'a', 'one'), (2, 'b', 'two')")
    try t.script("UPDATE T SET k = 3 - k, l = l || l")
    try t.script("UPDATE T SET a = 'new'; UPDATE T SET l = 'c' WHERE k = 2.0")
    let sql = "SELECT k, l, a FROM T ORDER BY k"
    #expect(try rows(t.database.asOf(.transaction(1)), sql) == ["1.0 'a' 'one'", "2.0 'b' 'two'"])
    #expect(try rows(t.database.asOf(.transaction(2)), sql) == ["1.0 'bb' 'two'", "2.0 'aa' 'one'"])
  }

  @Test func aColumnThatCameLaterHasItsDefaultAndRenamedOnesTheirNewName() throws {
    let t = try TrackedDatabase(Self.schema)
    try t.script("INSERT INTO A VALUES (1, 'a', 0), (2, 'b', 0)")
    try t.script("ALTER TABLE A ADD COLUMN late TEXT DEFAULT 'd'; ALTER TABLE A RENAME COLUMN x TO text")
    try t.script("ALTER TABLE A DROP COLUMN y; ALTER TABLE A RENAME TO Aa")
    try t.script("UPDATE Aa SET late = 'e', text = 'c' WHERE id = 1; DELETE FROM Aa WHERE id = 2")
    #expect(
      try rows(t.database.asOf(.transaction(1)), "SELECT id, text, late FROM Aa ORDER BY id") == [
        "1 'a' 'd'", "2 'b' 'd'",
      ])
  }

  @Test func aRebuiltTableKeepsItsPast() throws {
    let t = try TrackedDatabase(Self.schema)
    try t.script("INSERT INTO A VALUES (1, 'a', 0), (2, 'b', 0)")
    try t.script("UPDATE A SET x = 'z' WHERE id = 2")
    try t.script(
      """
      CREATE TABLE A2(id INTEGER PRIMARY KEY, x TEXT NOT NULL, more DEFAULT 5);
      INSERT INTO A2(id, x) SELECT id, upper(x) FROM A; DROP TABLE A; ALTER TABLE A2 RENAME TO A
      """)
    #expect(try rows(t.database.asOf(.transaction(1)), "SELECT id, x, more FROM A") == ["1 'a' 5", "2 'b' 5"])
    #expect(try rows(t.database.asOf(.transaction(3)), "SELECT id, x, more FROM A") == ["1 'A' 5", "2 'Z' 5"])
  }

  @Test func aTableThatTookADroppedOnesNameHasItsOwnPast() throws {
    let t = try TrackedDatabase(Self.schema)
    try t.script("INSERT INTO B VALUES ('k', 1)")
    try t.script("DROP TABLE B")
    try t.script("CREATE TABLE B(k TEXT PRIMARY KEY, z); INSERT INTO B VALUES ('k', 2)")
    #expect(try rows(t.database.asOf(.transaction(1)), "SELECT * FROM B") == [])
    #expect(try rows(t.database.asOf(.transaction(2)), "SELECT * FROM B") == ["'k' 2"])
  }

  @Test func rowsFromBeforeTrackingAreThereFromTheirAdoption() throws {
    let file = try TemporaryFile()
    let before = try Database(file.path)
    try before.write { try $0.script("CREATE TABLE A(id INTEGER PRIMARY KEY, x); INSERT INTO A VALUES (1, 'old')") }
    try before.close()
    let t = try TrackedDatabase(path: file.path)
    try t.script("UPDATE A SET x = 'new'")
    #expect(try rows(t.database.asOf(.transaction(0)), "SELECT * FROM A") == [])
    #expect(try rows(t.database.asOf(.transaction(1)), "SELECT * FROM A") == ["1 'old'"])
    #expect(try rows(t.database.asOf(.transaction(2)), "SELECT * FROM A") == ["1 'new'"])
  }

  @Test func momentsThatAreNotThereAreErrors() throws {
    let t = try TrackedDatabase(Self.schema)
    try t.script("INSERT INTO A VALUES (1, 'a', 0)")
    let stamp = Stamp(time: try t.changes()[0].stamp.time, replica: ReplicaID(rawValue: 5))
    for moment in [PastMoment.transaction(2), .transaction(-1), .transaction(.min), .change(stamp)] {
      let error = #expect(throws: ChangelogError.self) { try t.database.asOf(moment) }
      #expect(error?.code == .noSuchMoment)
    }
    let plain = try Database.inMemory()
    let error = #expect(throws: ChangelogError.self) { try plain.asOf(.transaction(0)) }
    #expect(error?.code == .notAttached)
  }

  /// As a log has it whose beginning was removed.
  @Test func whatWasRemovedFromTheLogIsAnErrorAndTheRestIsRight() throws {
    let t = try TrackedDatabase(Self.schema)
    try t.script("INSERT INTO A VALUES (1, 'a', 0), (2, 'b', 0), (3, 'c', 0)")
    try t.script("UPDATE A SET x = 'a2' WHERE id = 1")
    try t.script("UPDATE A SET x = 'a3' WHERE id = 1")
    try t.script("UPDATE A SET y = 1 WHERE id = 2; INSERT INTO B VALUES ('k', 1)")
    let end = try t.changes()[2].stamp.time.rawValue
    try t.database.write { connection in
      try connection.withInternalAccess { _ = try connection.execute("DELETE FROM dimple_log WHERE hlc <= \(end)") }
    }
    for moment in [PastMoment.transaction(0), .time(.distantPast)] {
      let error = #expect(throws: ChangelogError.self) { try t.database.asOf(moment) }
      #expect(error?.code == .historyRemoved)
    }
    // What nobody wrote since is what it is now, and what was written is in the log.
    #expect(try rows(t.database.asOf(.transaction(3), tables: ["B"]), "SELECT * FROM B") == [])
    #expect(try rows(t.database.asOf(.transaction(4)), "SELECT * FROM A") == ["1 'a3' 0", "2 'b' 1", "3 'c' 0"])
    // The log has not what y was before.
    let error = #expect(throws: ChangelogError.self) { try t.database.asOf(.transaction(3)) }
    #expect(error?.code == .historyRemoved)
    #expect(error?.message.contains("“y”") == true)
    #expect(try t.changelog.history(of: "A", key: [1]).isComplete == false)
  }

  /// `DIMPLE_REPLAY_RUNS` and `DIMPLE_REPLAY_SEED` as in `ReplayTests`.
  @Test func everyTransactionOfRandomOperations() throws {
    let environment = ProcessInfo.processInfo.environment
    let first = environment["DIMPLE_REPLAY_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 0...UInt64.max)
    for number in 0..<(environment["DIMPLE_REPLAY_RUNS"].flatMap { Int($0) } ?? 10) {
      try run(seed: first &+ UInt64(number))
    }
  }

  private func run(seed: UInt64) throws {
    var operations = RandomOperations(seed: seed)
    let t = try TrackedDatabase(RandomOperations.schema)
    try t.database.write { try $0.script(SQL(raw: RandomOperations.triggers)) }
    let queries = try RandomOperations.tables.map { name in
      let table = try t.table(name)
      let columns = (table.keyColumns + table.columns).map { SQL.quoted(identifier: $0.name) }
      let order = table.keyColumns.map { SQL.quoted(identifier: $0.name) }.joined(separator: ", ")
      return "SELECT \(columns.joined(separator: ", ")) FROM \(name) ORDER BY \(order)"
    }
    var expected: [Int64: [[[SQLValue]]]] = [:]
    for _ in 0..<40 {
      expected[try t.lastTransaction] = try queries.map { sql in
        try t.database.read { try $0.rows(SQL(raw: sql)).map { row in row.columnNames.indices.map { row[$0] } } }
      }
      t.clock.advance(milliseconds: Int64(operations.random.below(3)) - 1)
      try operations.transaction(t.database)
    }
    for (number, tables) in expected {
      let past = try t.database.asOf(.transaction(number))
      for (sql, rows) in zip(queries, tables) {
        let found = try past.rows(SQL(raw: sql)).map { row in row.columnNames.indices.map { row[$0] } }
        #expect(found == rows, "seed \(seed), transaction \(number): \(sql)")
      }
    }
  }
}
