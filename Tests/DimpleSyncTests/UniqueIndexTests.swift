import DimpleChangelog
import DimpleRemote
import DimpleStore
import DimpleSync
import DimpleTestSupport
import Testing

@Suite("UNIQUE indexes over expressions, generated columns and parts of a table")
struct UniqueIndexTests {
  private static func item(_ index: String, _ columns: String = "name TEXT, state TEXT") -> String {
    "CREATE TABLE Item (id TEXT PRIMARY KEY NOT NULL, \(columns)); CREATE UNIQUE INDEX U ON Item(\(index);"
  }

  /// The devices write in the order given, and sync in either order: what is shown must be the same.
  private func outcomes(
    _ schema: String, _ statements: [SQL]
  ) async throws -> [(shown: [[SQLValue]], held: [HeldRow.Reason])] {
    var outcomes: [(shown: [[SQLValue]], held: [HeldRow.Reason])] = []
    for isReversed in [false, true] {
      let fleet = try Fleet(statements.count + 1, schema)
      for (index, statement) in statements.enumerated() {
        fleet.replicas[index].clock.advance(milliseconds: Int64(index) * 10)
        try await fleet[index].execute(statement)
      }
      for replica in isReversed ? fleet.replicas.reversed() : fleet.replicas { try await fleet.sync(replica) }
      try await fleet.converge()
      try fleet.expectAgreement()
      outcomes.append((try fleet.rows("SELECT id FROM Item ORDER BY id"), try fleet[0].heldRows().map(\.reason)))
    }
    return outcomes
  }

  @Test(arguments: [
    "lower(name))", "name COLLATE NOCASE) WHERE name <> ''", "lower(name) DESC, coalesce(state, '')) ",
    "name COLLATE NOCASE, 1 + (2)) WHERE (state IS NULL) -- (", "/* ) */ (lower([name] || ','))) WHERE id <> 'x)'",
  ])
  func theEarlierRowStaysWhoeverHearsOfItFirst(index: String) async throws {
    let outcomes = try await outcomes(
      Self.item(index),
      ["INSERT INTO Item(id, name) VALUES ('z', 'Blue'), ('3', '')", "INSERT INTO Item(id, name) VALUES ('a', 'bLUE')"])
    for outcome in outcomes {
      #expect(outcome.shown == [[.text("3")], [.text("z")]])
      #expect(outcome.held == [.notUnique])
    }
  }

  @Test func aGeneratedColumnIsUniqueAsItsValuesAre() async throws {
    let schema = """
      CREATE TABLE Item (id TEXT PRIMARY KEY NOT NULL, name TEXT, slug TEXT AS (replace(lower(name), ' ', '-')) UNIQUE)
      """
    let outcomes = try await outcomes(
      schema,
      ["INSERT INTO Item(id, name) VALUES ('z', 'A b')", "INSERT INTO Item(id, name) VALUES ('a', 'a-B')"])
    for outcome in outcomes {
      #expect(outcome.shown == [[.text("z")]])
      #expect(outcome.held == [.notUnique])
    }
  }

  /// The index compares otherwise than its column does.
  @Test func anIndexHasItsOwnCollation() async throws {
    let outcomes = try await outcomes(
      Self.item("name COLLATE NOCASE)", "name TEXT COLLATE RTRIM"),
      ["INSERT INTO Item VALUES ('z', 'Blue')", "INSERT INTO Item VALUES ('a', 'bLUE')"])
    for outcome in outcomes {
      #expect(outcome.shown == [[.text("z")]])
      #expect(outcome.held == [.notUnique])
    }
  }

  @Test func nullsAndRowsOutsideTheIndexMeetNobody() async throws {
    let outcomes = try await outcomes(
      Self.item("lower(name)) WHERE state = 'open'"),
      [
        "INSERT INTO Item VALUES ('1', NULL, 'open'), ('2', 'x', 'done'), ('3', 'y', 'open')",
        "INSERT INTO Item VALUES ('4', NULL, 'open'), ('5', 'X', 'open'), ('6', 'Y', NULL)",
      ])
    for outcome in outcomes {
      #expect(outcome.shown.count == 6)
      #expect(outcome.held.isEmpty)
    }
  }

  /// The earlier row becomes part of the index when it changes: then the later one gives way, and returns when it leaves it.
  @Test func anUpdateMovesARowIntoTheIndexAndOut() async throws {
    let schema = Self.item("name) WHERE state IS NULL")
    let statements: [SQL] = [
      "INSERT INTO Item VALUES ('z', 'x', 'archived')", "INSERT INTO Item VALUES ('a', 'x', NULL)",
    ]
    let fleet = try Fleet(2, schema)
    for (index, statement) in statements.enumerated() {
      fleet.replicas[index].clock.advance(milliseconds: Int64(index) * 10)
      try await fleet[index].execute(statement)
    }
    // Before it has heard of the other row.
    try await fleet[0].execute("UPDATE Item SET state = NULL")
    try await fleet.converge()
    try fleet.expectAgreement()
    #expect(try fleet.rows("SELECT id FROM Item", on: 1) == [[.text("z")]])
    #expect(try fleet[1].heldRows().map(\.reason) == [.notUnique])
    try await fleet[0].execute("UPDATE Item SET state = 'archived' WHERE id = 'z'")
    try await fleet.converge()
    try fleet.expectAgreement()
    #expect(try fleet.rows("SELECT id FROM Item ORDER BY id", on: 1) == [[.text("a")], [.text("z")]])
  }

  @Test func aLaterRowThatCameFirstGivesWayToAnEarlierOne() async throws {
    let fleet = try Fleet(3, Self.item("lower(name))"))
    try await fleet[0].execute("INSERT INTO Item VALUES ('z', 'X', NULL)")
    fleet.replicas[1].clock.advance(milliseconds: 10)
    try await fleet[1].execute("INSERT INTO Item VALUES ('a', 'x', NULL)")
    _ = try await fleet.sync(fleet.replicas[1])
    _ = try await fleet.sync(fleet.replicas[2])
    #expect(try fleet.rows("SELECT id FROM Item", on: 2) == [[.text("a")]])
    try await fleet.converge()
    try fleet.expectAgreement()
    #expect(try fleet.rows("SELECT id FROM Item", on: 2) == [[.text("z")]])
    try await fleet[2].execute("DELETE FROM Item")
    try await fleet.converge()
    try fleet.expectAgreement()
    #expect(try fleet.rows("SELECT id FROM Item", on: 0) == [[.text("a")]])
  }

  @Test func valuesOfAnExpressionMaySwapPlaces() async throws {
    let fleet = try Fleet(2, Self.item("lower(name))"))
    try await fleet[0].execute("INSERT INTO Item VALUES ('1', 'A', NULL), ('2', 'B', NULL)")
    try await fleet.converge()
    for sql in ["'-' WHERE id = '1'", "'a' WHERE id = '2'", "'b' WHERE id = '1'"] {
      try await fleet[0].execute("UPDATE Item SET name = \(raw: sql)")
    }
    try await fleet.converge()
    #expect(try fleet.rows("SELECT name FROM Item ORDER BY id", on: 1) == [[.text("b")], [.text("a")]])
    try fleet.expectAgreement()
  }

  /// A folder's items go to the root when it goes, where their names might be taken.
  @Test func aReferenceDoesNotShowNullWhereThatTakesAUniqueValue() async throws {
    let schema = """
      CREATE TABLE Folder (id TEXT PRIMARY KEY NOT NULL);
      CREATE TABLE Item (id TEXT PRIMARY KEY NOT NULL, name TEXT, folder TEXT REFERENCES Folder(id) ON DELETE SET NULL);
      CREATE UNIQUE INDEX U ON Item(name) WHERE folder IS NULL;
      """
    let fleet = try Fleet(3, schema)
    try await fleet[0].execute("INSERT INTO Folder VALUES ('f')")
    try await fleet[0].execute("INSERT INTO Item VALUES ('root', 'x', NULL)")
    try await fleet.converge()
    try await fleet[0].execute("DELETE FROM Folder")
    fleet.replicas[1].clock.advance(milliseconds: 10)
    try await fleet[1].execute("INSERT INTO Item VALUES ('a', 'x', 'f'), ('b', 'y', 'f')")
    try await fleet.converge()
    try fleet.expectAgreement()
    #expect(try fleet.rows("SELECT id FROM Item", on: 2) == [[.text("root")]])
    #expect(try fleet[2].heldRows().map(\.reason) == [.missingParent, .missingParent])
    try await fleet[2].execute("INSERT INTO Folder VALUES ('f')")
    try await fleet.converge()
    try fleet.expectAgreement()
    #expect(try fleet.rows("SELECT count(*) FROM Item", on: 1) == [[.integer(3)]])
  }

  /// Two references of a row are missed one after the other, or at once: the outcome is the same.
  @Test(arguments: [[0, 1], [1, 0]])
  func whichParentIsMissedFirstDecidesNothing(order: [Int]) async throws {
    let schema = """
      CREATE TABLE P0 (id TEXT PRIMARY KEY NOT NULL);
      CREATE TABLE P1 (id TEXT PRIMARY KEY NOT NULL);
      CREATE TABLE Item (id TEXT PRIMARY KEY NOT NULL, a TEXT REFERENCES P0(id) ON DELETE SET NULL,
        b TEXT REFERENCES P1(id) ON DELETE SET NULL);
      CREATE UNIQUE INDEX U ON Item((1)) WHERE a IS NULL AND b IS NOT NULL;
      """
    let fleet = try Fleet(3, schema)
    try await fleet[0].execute("INSERT INTO P0 VALUES ('p')")
    try await fleet[0].execute("INSERT INTO P1 VALUES ('p')")
    try await fleet.converge()
    try await fleet[2].execute("INSERT INTO Item VALUES ('i', 'p', 'p')")
    for parent in order {
      try await fleet[0].execute("DELETE FROM \(raw: "P\(parent)")")
      _ = try await fleet.sync(fleet.replicas[0])
      _ = try await fleet.sync(fleet.replicas[2])
    }
    try await fleet.converge()
    try fleet.expectAgreement()
    #expect(try fleet.rows("SELECT * FROM Item") == [])
    let newcomer = try SimulatedReplica(storage: fleet.storage, migrations: [Migration("schema", "\(raw: schema)")])
    _ = try await newcomer.engine.sync()
    #expect(try newcomer.database.fingerprint() == fleet[2].fingerprint())
  }

  @Test func aGeneratedColumnThatMustNotBeNullHoldsTheRowAndItsChildren() async throws {
    func schema(_ constraint: String) -> [Migration] {
      [
        Migration(
          "1",
          """
          CREATE TABLE Item (id TEXT PRIMARY KEY NOT NULL, name TEXT, made TEXT AS (lower(name)) \(raw: constraint));
          CREATE TABLE Part (id TEXT PRIMARY KEY NOT NULL, item TEXT REFERENCES Item(id) ON DELETE CASCADE);
          """)
      ]
    }
    let storage = MemoryStorage()
    let lax = try SimulatedReplica(storage: storage, migrations: schema(""))
    let strict = try SimulatedReplica(storage: storage, migrations: schema("NOT NULL"))
    try await lax.database.execute("INSERT INTO Item(id, name) VALUES ('1', NULL), ('2', 'x')")
    try await lax.database.execute("INSERT INTO Part VALUES ('p', '1'), ('q', '2')")
    for replica in [lax, strict] { #expect(try await replica.engine.sync().skipped.isEmpty) }
    #expect(try await strict.database.rows("SELECT id FROM Part").map { $0[0] } == [.text("q")])
    #expect(Set(try strict.database.heldRows().map(\.reason)) == [.missingValue, .missingParent])
  }

  /// The values of such a column differ between devices, so they cannot decide; SQLite refuses, and the row is held.
  @Test func anIndexOverAColumnThatStaysOnTheDeviceHoldsWhatArrives() async throws {
    let storage = MemoryStorage()
    let schema = Migration(
      "1",
      """
      CREATE TABLE Item (id TEXT PRIMARY KEY NOT NULL, name TEXT, local TEXT);
      CREATE UNIQUE INDEX U ON Item(lower(name), coalesce("Local", ''));
      """)
    let replicas = try (0..<2).map { _ in
      try SimulatedReplica(storage: storage, untrackedColumns: ["Item": ["local"]], migrations: [schema])
    }
    for (index, replica) in replicas.enumerated() {
      try await replica.database.execute("INSERT INTO Item(id, name) VALUES (\(index), 'x')")
    }
    for replica in replicas + replicas { #expect(try await replica.engine.sync().skipped.isEmpty) }
    for replica in replicas { #expect(try replica.database.heldRows().map(\.reason) == [.notUnique]) }
    try await replicas[0].database.execute("UPDATE Item SET name = 'y'")
    for replica in replicas + replicas { _ = try await replica.engine.sync() }
    #expect(try replicas[1].database.heldRows().isEmpty)
  }
}
