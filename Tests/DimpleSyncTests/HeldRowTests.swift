import DimpleChangelog
import DimpleRemote
import DimpleStore
import DimpleTestSupport
import Testing

@testable import DimpleSync

@Suite("Why a row is held, and what shows it")
struct HeldRowTests {
  /// A row written by an app whose schema refuses nothing, as it arrives in one that does.
  struct Case: Sendable, CustomTestStringConvertible {
    var reason: HeldRow.Reason
    var strict: String
    var arriving: String
    var shown = 0
    /// What the hint says, done.
    var remedy: String
    var hint: String
    var testDescription: String { "\(hint): \(remedy)" }
  }

  private static let lax =
    "CREATE TABLE T (id TEXT PRIMARY KEY NOT NULL, a, b); CREATE TABLE P (id TEXT PRIMARY KEY NOT NULL)"
  private static let parent = "CREATE TABLE P (id TEXT PRIMARY KEY NOT NULL)"

  private static let cases = [
    Case(
      reason: .missingValue, strict: "CREATE TABLE T (id TEXT PRIMARY KEY NOT NULL, a NOT NULL, b); \(parent)",
      arriving: "INSERT INTO T VALUES ('x', NULL, 1)", remedy: "INSERT INTO T VALUES ('x', 1, 1)",
      hint: "with a value"),
    Case(
      reason: .missingValue, strict: "CREATE TABLE T (id TEXT PRIMARY KEY NOT NULL, a NOT NULL, b); \(parent)",
      arriving: "INSERT INTO T VALUES ('x', NULL, 1)",
      remedy: """
        CREATE TABLE U (id TEXT PRIMARY KEY NOT NULL, a NOT NULL DEFAULT 0, b); DROP TABLE T; ALTER TABLE U RENAME TO T
        """, hint: "DEFAULT"),
    Case(
      reason: .checkFailed, strict: "CREATE TABLE T (id TEXT PRIMARY KEY NOT NULL, a CHECK (a < 10), b); \(parent)",
      arriving: "INSERT INTO T VALUES ('x', 10, 1)", remedy: "INSERT INTO T VALUES ('x', 9, 1)", hint: "CHECK allows"),
    Case(
      reason: .wrongType, strict: "CREATE TABLE T (id TEXT PRIMARY KEY NOT NULL, a INTEGER, b ANY) STRICT; \(parent)",
      arriving: "INSERT INTO T VALUES ('x', 'ten', 1)", remedy: "INSERT INTO T VALUES ('x', 10, 1)", hint: "type"),
    Case(
      reason: .notUnique, strict: "CREATE TABLE T (id TEXT PRIMARY KEY NOT NULL, a UNIQUE, b); \(parent)",
      arriving: "INSERT INTO T VALUES ('w', 1, 1); INSERT INTO T VALUES ('x', 1, 1)", shown: 1,
      remedy: "INSERT INTO T VALUES ('x', 2, 1)", hint: "another value"),
    Case(
      reason: .notUnique, strict: "CREATE TABLE T (id TEXT PRIMARY KEY NOT NULL, a UNIQUE, b); \(parent)",
      arriving: "INSERT INTO T VALUES ('w', 1, 1); INSERT INTO T VALUES ('x', 1, 1)", shown: 1,
      remedy: "UPDATE T SET a = 3 WHERE id = 'w'", hint: "Change that row's value"),
    Case(
      reason: .missingParent,
      strict: "CREATE TABLE T (id TEXT PRIMARY KEY NOT NULL, a REFERENCES P(id), b); \(parent)",
      arriving: "INSERT INTO T VALUES ('x', 'p', 1)", remedy: "INSERT INTO P VALUES ('p')", hint: "Bring the other row"),
    Case(
      reason: .missingParent,
      strict: "CREATE TABLE T (id TEXT PRIMARY KEY NOT NULL, a REFERENCES P(id), b); \(parent)",
      arriving: "INSERT INTO T VALUES ('x', 'p', 1)", remedy: "INSERT INTO T VALUES ('x', NULL, 1)",
      hint: "insert this one again"),
    Case(
      reason: .unknownTable, strict: parent, arriving: "INSERT INTO T VALUES ('x', 1, 1)",
      remedy: "CREATE TABLE T (id TEXT PRIMARY KEY NOT NULL, a, b)", hint: "migrations bring"),
    Case(
      reason: .unknownTable, strict: "CREATE TABLE T (id TEXT NOT NULL, a, b, PRIMARY KEY (id, b)); \(parent)",
      arriving: "INSERT INTO T VALUES ('x', 1, 1)",
      remedy: "DROP TABLE T; CREATE TABLE T (id TEXT PRIMARY KEY NOT NULL, a, b)", hint: "with that key"),
  ]

  /// A sync counts them, and must not read through a million rows for it.
  @Test(arguments: [HeldRow.sql, HeldRow.countSQL, HeldRow.unknownSQL, KeptRow.sql, KeptRow.countSQL])
  func theyAreFoundByTheirIndex(sql: String) async throws {
    let fleet = try Fleet(1, "CREATE TABLE Item (id TEXT PRIMARY KEY NOT NULL)")
    try await fleet.converge()
    try await fleet[0].read { connection in
      let statement = try connection.prepare("EXPLAIN QUERY PLAN \(sql)")
      defer { statement.reset() }
      var plan: [String] = []
      while try statement.step() { plan.append(statement.text(3)) }
      #expect(plan.contains { $0.contains("INDEX dimple_row_unsettled") }, "\(plan)")
    }
  }

  @Test(arguments: cases) func whatTheHintSaysShowsTheRow(_ one: Case) async throws {
    let storage = MemoryStorage()
    let author = try SimulatedReplica(storage: storage, migrations: [Migration("1", "\(raw: Self.lax)")])
    let reader = try SimulatedReplica(storage: storage, migrations: [Migration("1", "\(raw: one.strict)")])
    try await author.database.write { try $0.script("\(raw: one.arriving)") }
    _ = try await author.engine.sync()
    let report = try await reader.engine.sync()
    let held = try #require(try await reader.engine.held().first)
    #expect((held.table, held.key, held.reason) == ("T", [.text("x")], one.reason))
    #expect((report.heldRows, report.changedRows) == (1, one.shown))
    #expect(held.reason.hint.contains(one.hint))
    #expect(!held.reason.description.isEmpty && held.reason.description != held.reason.hint)
    reader.clock.advance(milliseconds: 10)
    try await reader.database.write { try $0.script("\(raw: one.remedy)") }
    #expect(try await reader.engine.sync().heldRows == 0)
    #expect(try await reader.database.rows("SELECT id FROM T WHERE id = 'x'").count == 1)
  }

  // MARK: - Held for one that is held

  private static let familyWithCodes = """
    CREATE TABLE P (id TEXT PRIMARY KEY NOT NULL);
    CREATE TABLE Item (
      id TEXT PRIMARY KEY NOT NULL, code INTEGER UNIQUE, parent TEXT REFERENCES P(id) ON DELETE CASCADE);
    """

  /// On every device, and on one that joins now and builds its tables from scratch.
  private func expect(
    shown: [[SQLValue]], held: Set<HeldRow>, _ fleet: Fleet, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    try fleet.expectAgreement(sourceLocation: sourceLocation)
    let newcomer = try SimulatedReplica(
      storage: fleet.storage, migrations: [Migration("schema", "\(raw: Self.familyWithCodes)")])
    _ = try await fleet.sync(newcomer)
    #expect(try fleet.rows("SELECT id FROM Item ORDER BY id") == shown, sourceLocation: sourceLocation)
    #expect(try Set(fleet[0].heldRows()) == held, sourceLocation: sourceLocation)
    let database = newcomer.database
    #expect(try database.fingerprint() == fleet[0].fingerprint(), sourceLocation: sourceLocation)
    #expect(try database.stateFingerprint() == fleet[0].stateFingerprint(), sourceLocation: sourceLocation)
    #expect(try Set(database.heldRows()) == held, sourceLocation: sourceLocation)
  }

  /// The passes do not feed back: that has cases without a stable answer.
  @Test(
    "A row that lost a UNIQUE to one that is held for its parent stays held",
    arguments: [[0, 1, 2], [2, 1, 0], [1, 2, 0]])
  func passesDoNotFeedBack(order: [Int]) async throws {
    let fleet = try Fleet(3, Self.familyWithCodes)
    try await fleet[0].execute("INSERT INTO P VALUES ('p')")
    try await fleet.converge()
    try await fleet[0].execute("DELETE FROM P")
    try await fleet[1].execute("INSERT INTO Item VALUES ('a', 1, 'p')")
    fleet.replicas[2].clock.advance(milliseconds: 10)
    try await fleet[2].execute("INSERT INTO Item VALUES ('b', 1, NULL)")
    for index in order { try await fleet.sync(fleet.replicas[index]) }
    try await fleet.converge()
    let later = HeldRow(table: "Item", key: [.text("b")], reason: .notUnique)
    try await expect(
      shown: [], held: [HeldRow(table: "Item", key: [.text("a")], reason: .missingParent), later], fleet)
    try await fleet[0].execute("INSERT INTO P VALUES ('p')")
    try await fleet.converge()
    try await expect(shown: [[.text("a")]], held: [later], fleet)
  }
}
