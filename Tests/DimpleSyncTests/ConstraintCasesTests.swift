import DimpleChangelog
import DimpleRemote
import DimpleStore
import DimpleSync
import DimpleTestSupport
import Testing

@Suite("Merging under constraints")
struct ConstraintCasesTests {
  private static func family(_ action: String, column: String = "parent TEXT") -> String {
    """
    CREATE TABLE Parent (id TEXT PRIMARY KEY NOT NULL, name TEXT);
    CREATE TABLE Child (id TEXT PRIMARY KEY NOT NULL, \(column) REFERENCES Parent(id) \(action), note TEXT);
    """
  }

  private static let codes = """
    CREATE TABLE Parent (id TEXT PRIMARY KEY NOT NULL, code TEXT UNIQUE);
    CREATE TABLE Child (id TEXT PRIMARY KEY NOT NULL, parent TEXT REFERENCES Parent(code));
    """

  @Test func theLaterOfTwoEqualUniqueValuesIsHeldUntilTheEarlierGoes() async throws {
    let fleet = try Fleet(3, "CREATE TABLE User (id TEXT PRIMARY KEY NOT NULL, email TEXT UNIQUE)")
    try await fleet[0].execute("INSERT INTO User VALUES ('first', 'a@b')")
    fleet.replicas[1].clock.advance(milliseconds: 10)
    try await fleet[1].execute("INSERT INTO User VALUES ('second', 'a@b')")
    try await fleet.converge()
    #expect(try fleet.rows("SELECT id FROM User") == [[.text("first")]])
    #expect(try fleet[2].heldRows().map(\.reason) == [.notUnique])
    try fleet.expectAgreement()
    try await fleet[2].execute("DELETE FROM User WHERE id = 'first'")
    try await fleet.converge()
    for index in 0..<3 { #expect(try fleet.rows("SELECT id FROM User", on: index) == [[.text("second")]]) }
    #expect(try fleet[0].heldRows().isEmpty)
    try fleet.expectAgreement()
  }

  @Test func uniqueValuesMaySwapPlaces() async throws {
    let fleet = try Fleet(2, "CREATE TABLE Seat (id INTEGER PRIMARY KEY, place INTEGER UNIQUE)")
    try await fleet[0].execute("INSERT INTO Seat VALUES (1, 10), (2, 20)")
    try await fleet.converge()
    try await fleet[0].write { connection in
      try connection.execute("UPDATE Seat SET place = 99 WHERE id = 1")
      try connection.execute("UPDATE Seat SET place = 10 WHERE id = 2")
      try connection.execute("UPDATE Seat SET place = 20 WHERE id = 1")
    }
    try await fleet.converge()
    #expect(try fleet.rows("SELECT place FROM Seat ORDER BY id", on: 1) == [[.integer(20)], [.integer(10)]])
    try fleet.expectAgreement()
  }

  @Test func uniqueFollowsTheColumnsCollation() async throws {
    let fleet = try Fleet(2, "CREATE TABLE Tag (id TEXT PRIMARY KEY NOT NULL, name TEXT COLLATE NOCASE UNIQUE)")
    try await fleet[0].execute("INSERT INTO Tag VALUES ('1', 'Blue')")
    try await fleet[1].execute("INSERT INTO Tag VALUES ('2', 'bLUE')")
    try await fleet.converge()
    #expect(try fleet.rows("SELECT count(*) FROM Tag") == [[.integer(1)]])
    try fleet.expectAgreement()
  }

  @Test func aParentRenamedAfterItsChildWasMadeReachesAFreshReplica() async throws {
    let fleet = try Fleet(2, Self.family(""))
    try await fleet[0].execute("INSERT INTO Parent VALUES ('p', 'old')")
    try await fleet[0].execute("INSERT INTO Child VALUES ('c', 'p', NULL)")
    try await fleet[0].execute("UPDATE Parent SET name = 'new'")
    try await fleet.converge()
    #expect(try fleet.rows("SELECT name FROM Child JOIN Parent ON Parent.id = parent", on: 1) == [[.text("new")]])
    try fleet.expectAgreement()
  }

  @Test func aForeignKeySetToAParentCreatedLater() async throws {
    let fleet = try Fleet(2, Self.family(""))
    try await fleet[0].execute("INSERT INTO Child VALUES ('c', NULL, NULL)")
    try await fleet[0].execute("INSERT INTO Parent VALUES ('p', 'x')")
    try await fleet[0].execute("UPDATE Child SET parent = 'p'")
    try await fleet.converge()
    #expect(try fleet.rows("SELECT parent FROM Child", on: 1) == [[.text("p")]])
    try fleet.expectAgreement()
  }

  /// One deletes the parent while the other adds a child.
  private func parting(_ action: String, column: String = "parent TEXT") async throws -> Fleet {
    let fleet = try Fleet(3, Self.family(action, column: column))
    try await fleet[0].execute("INSERT INTO Parent VALUES ('p', 'x')")
    try await fleet.converge()
    try await fleet[0].execute("DELETE FROM Parent")
    fleet.replicas[1].clock.advance(milliseconds: 10)
    try await fleet[1].execute("INSERT INTO Child VALUES ('c', 'p', 'kept')")
    try await fleet.converge()
    try fleet.expectAgreement()
    return fleet
  }

  @Test func cascadeHidesTheChildUntilTheParentReturns() async throws {
    let fleet = try await parting("ON DELETE CASCADE")
    #expect(try fleet.rows("SELECT * FROM Child", on: 2) == [])
    #expect(try fleet[2].heldRows().map(\.reason) == [.missingParent])
    try await fleet[2].execute("INSERT INTO Parent VALUES ('p', 'again')")
    try await fleet.converge()
    for index in 0..<3 { #expect(try fleet.rows("SELECT note FROM Child", on: index) == [[.text("kept")]]) }
    try fleet.expectAgreement()
  }

  @Test func setNullShowsNullAndKeepsTheReference() async throws {
    let fleet = try await parting("ON DELETE SET NULL")
    for index in 0..<3 {
      #expect(try fleet.rows("SELECT parent, note FROM Child", on: index) == [[.null, .text("kept")]])
    }
    try await fleet[1].execute("INSERT INTO Parent VALUES ('p', 'again')")
    try await fleet.converge()
    for index in 0..<3 { #expect(try fleet.rows("SELECT parent FROM Child", on: index) == [[.text("p")]]) }
    try fleet.expectAgreement()
  }

  @Test func setNullOnANotNullColumnHidesTheChild() async throws {
    let fleet = try await parting("ON DELETE SET NULL", column: "parent TEXT NOT NULL")
    #expect(try fleet.rows("SELECT * FROM Child", on: 1) == [])
    #expect(try fleet[1].heldRows().map(\.reason) == [.missingParent])
  }

  @Test(arguments: ["ON DELETE RESTRICT", "ON DELETE NO ACTION", ""])
  func aReferencedParentIsKeptUntilTheReferenceIsGone(action: String) async throws {
    let fleet = try await parting(action)
    for index in 0..<3 {
      #expect(try fleet.rows("SELECT name FROM Parent", on: index) == [[.text("x")]])
      #expect(try fleet[index].keptRows().map { [.text($0.table)] + $0.key } == [[.text("Parent"), .text("p")]])
    }
    try await fleet[2].execute("DELETE FROM Child")
    try await fleet.converge()
    for index in 0..<3 {
      #expect(try fleet.rows("SELECT * FROM Parent", on: index) == [])
      #expect(try fleet[index].keptRows() == [])
    }
    try fleet.expectAgreement()
  }

  /// A reference is answered by the parent's collation, whatever the child's is.
  @Test func aDeletedParentIsKeptByAChildThatMeansItInAnotherCase() async throws {
    let fleet = try Fleet(
      3,
      """
      CREATE TABLE Parent (id TEXT COLLATE NOCASE PRIMARY KEY NOT NULL, name TEXT);
      CREATE TABLE Child (id TEXT PRIMARY KEY NOT NULL, parent TEXT REFERENCES Parent(id));
      """)
    try await fleet[0].execute("INSERT INTO Parent VALUES ('p', 'x')")
    try await fleet.converge()
    try await fleet[0].execute("DELETE FROM Parent")
    fleet.replicas[1].clock.advance(milliseconds: 10)
    try await fleet[1].execute("INSERT INTO Child VALUES ('c', 'P')")
    try await fleet.converge()
    for index in 0..<3 { #expect(try fleet.rows("SELECT id FROM Parent", on: index) == [[.text("p")]]) }
    try fleet.expectAgreement()
    try await fleet[2].execute("DELETE FROM Child")
    try await fleet.converge()
    for index in 0..<3 { #expect(try fleet.rows("SELECT * FROM Parent", on: index) == []) }
    try fleet.expectAgreement()
  }

  /// Two dead rows had the value that a child refers to: all decide alike which of them is kept, whoever they heard of first.
  @Test func aDeletedParentIsNotKeptWhereALivingOneIsMeantThatIsHeld() async throws {
    let fleet = try Fleet(
      3,
      """
      CREATE TABLE Parent (id TEXT COLLATE NOCASE PRIMARY KEY NOT NULL, code UNIQUE);
      CREATE TABLE Child (id TEXT PRIMARY KEY NOT NULL, parent TEXT REFERENCES Parent(id));
      """)
    fleet.replicas[0].clock.advance(milliseconds: 50)
    try await fleet[1].execute("INSERT INTO Parent VALUES ('b', 1)")
    try await fleet[0].execute("INSERT INTO Parent VALUES ('A', 2)")
    try await fleet[0].execute("DELETE FROM Parent")
    try await fleet[0].execute("INSERT INTO Parent VALUES ('a', 1)")
    try await fleet[0].execute("INSERT INTO Child VALUES ('c', 'A')")
    // The third one meets the rows all at once.
    for index in [0, 1, 0, 2, 1] { try await fleet.sync(fleet.replicas[index]) }
    #expect(try fleet[0].heldRows().map(\.table).sorted() == ["Child", "Parent"])
    #expect(try fleet[0].keptRows().isEmpty)
    try fleet.expectAgreement()
  }

  @Test(arguments: [false, true])
  func ofSeveralDeadParentsAllKeepTheSame(childIsThere: Bool) async throws {
    let fleet = try Fleet(3, Self.codes)
    try await fleet[0].execute("INSERT INTO Parent VALUES ('z', 'code')")
    try await fleet[0].execute("DELETE FROM Parent")
    _ = try await fleet.sync(fleet.replicas[0])
    _ = try await fleet.sync(fleet.replicas[2])
    fleet.replicas[1].clock.advance(milliseconds: 10)
    try await fleet[1].execute("INSERT INTO Parent VALUES ('a', 'code')")
    _ = try await fleet.sync(fleet.replicas[1])
    _ = try await fleet.sync(fleet.replicas[2])
    try await fleet[1].execute("INSERT INTO Child VALUES ('c', 'code')")
    if childIsThere { for index in [1, 0] { _ = try await fleet.sync(fleet.replicas[index]) } }
    fleet.replicas[2].clock.advance(milliseconds: 20)
    try await fleet[2].execute("DELETE FROM Parent WHERE id = 'a'")
    try await fleet.converge()
    let newcomer = try SimulatedReplica(
      storage: fleet.storage, migrations: [Migration("schema", "\(raw: Self.codes)")])
    _ = try await newcomer.engine.sync()
    #expect(try fleet[0].fingerprint() == newcomer.database.fingerprint())
    #expect(try fleet.rows("SELECT count(*) FROM Parent") == [[.integer(1)]])
    try fleet.expectAgreement()
  }

  @Test(arguments: ["ON DELETE RESTRICT", ""])
  func aKeptParentIsReportedOnceAndUndeleted(action: String) async throws {
    let fleet = try Fleet(2, Self.family(action))
    try await fleet[0].execute("INSERT INTO Parent VALUES ('p', 'x')")
    try await fleet.converge()
    try await fleet[0].execute("DELETE FROM Parent")
    fleet.replicas[1].clock.advance(milliseconds: 10)
    try await fleet[1].execute("INSERT INTO Child VALUES ('c', 'p', 'kept')")
    _ = try await fleet.sync(fleet.replicas[1])
    let report = try await fleet.sync(fleet.replicas[0])
    #expect((report.keptRows, report.newlyKeptRows) == (1, 1))
    #expect(report.warnings.map(\.code) == [.kept])
    let next = try await fleet.sync(fleet.replicas[0])
    #expect((next.keptRows, next.newlyKeptRows) == (1, 0))
    #expect(next.warnings.isEmpty)
    let kept = try #require(try await fleet.replicas[0].engine.kept().first)
    #expect(kept.hint.contains("Undelete"))
    #expect(try await fleet[0].undelete(kept.table, key: kept.key))
    try await fleet.converge()
    try await fleet[1].execute("DELETE FROM Child")
    try await fleet.converge()
    for index in 0..<2 {
      #expect(try fleet.rows("SELECT name FROM Parent", on: index) == [[.text("x")]])
      #expect(try fleet[index].keptRows() == [])
    }
    try fleet.expectAgreement()
  }

  /// The parent's collation says what a reference means: here a child calls its parent otherwise than the parent does.
  @Test(arguments: ["", "ON DELETE CASCADE", "ON DELETE SET NULL"])
  func aReferenceInAnotherCaseIsFollowedBothWays(action: String) async throws {
    let schema = """
      CREATE TABLE Parent (id TEXT PRIMARY KEY NOT NULL COLLATE NOCASE, name TEXT);
      CREATE TABLE Child (id TEXT PRIMARY KEY NOT NULL, parent TEXT REFERENCES Parent(id) \(action));
      CREATE TABLE Other (id TEXT PRIMARY KEY NOT NULL);
      """
    let fleet = try Fleet(3, schema)
    try await fleet[0].execute("INSERT INTO Parent VALUES ('p', 'x')")
    try await fleet.converge()
    try await fleet[0].execute("DELETE FROM Parent")
    fleet.replicas[1].clock.advance(milliseconds: 10)
    // The reference comes to the third device with the parent, and to the first after the delete is settled.
    try await fleet[1].execute("INSERT INTO Child VALUES ('c', 'P')")
    for index in [0, 2, 1, 2, 0] { _ = try await fleet.sync(fleet.replicas[index]) }
    try await fleet.converge()
    try fleet.expectAgreement()
    let newcomer = try SimulatedReplica(storage: fleet.storage, migrations: [Migration("schema", "\(raw: schema)")])
    _ = try await newcomer.engine.sync()
    #expect(try newcomer.database.fingerprint() == fleet[0].fingerprint())
    for index in 0..<3 {
      try await fleet[index].execute("INSERT INTO Other VALUES (\("\(index)"))")
      try await fleet.converge()
      try fleet.expectAgreement()
    }
    try await fleet[1].execute("INSERT OR REPLACE INTO Parent VALUES ('P', 'again')")
    try await fleet.converge()
    try fleet.expectAgreement()
    #expect(try fleet.rows("SELECT parent FROM Child", on: 0) == [[.text("P")]])
  }

  /// An older app has no such index, and so lets values in of which it cannot be computed.
  @Test(arguments: ["UNIQUE INDEX", "INDEX"])
  func aRowOfWhichAnIndexCannotBeComputedIsHeldAndBlocksNothing(index: String) async throws {
    let storage = MemoryStorage()
    let table = "CREATE TABLE Item (id TEXT PRIMARY KEY NOT NULL, doc TEXT);"
    let older = try SimulatedReplica(storage: storage, migrations: [Migration("schema", "\(raw: table)")])
    let newer = try SimulatedReplica(
      storage: storage,
      migrations: [
        Migration("schema", "\(raw: table)"),
        Migration("index", "CREATE \(raw: index) ByName ON Item(json_extract(doc, '$.name'))"),
      ])
    try await older.database.execute("INSERT INTO Item VALUES ('good', '{\"name\":\"x\"}'), ('bad', 'no JSON')")
    _ = try await older.engine.sync()
    _ = try await newer.engine.sync()
    #expect(try await newer.database.rows("SELECT id FROM Item").map { $0[0] } == [.text("good")])
    #expect(try newer.database.heldRows().map(\.reason) == [.checkFailed])
    try await older.database.execute("UPDATE Item SET doc = '{}' WHERE id = 'bad'")
    for replica in [older, newer] { _ = try await replica.engine.sync() }
    #expect(try newer.database.fingerprint() == older.database.fingerprint())
    #expect(try newer.database.heldRows().isEmpty)
  }

  @Test func foreignKeyCyclesAndTreesStand() async throws {
    let fleet = try Fleet(
      2,
      """
      CREATE TABLE Node (id TEXT PRIMARY KEY NOT NULL, up TEXT REFERENCES Node(id) DEFERRABLE INITIALLY DEFERRED);
      """)
    try await fleet[0].execute("INSERT INTO Node VALUES ('a', 'b'), ('b', 'a'), ('self', 'self'), ('leaf', 'a')")
    try await fleet.converge()
    #expect(try fleet.rows("SELECT count(*) FROM Node", on: 1) == [[.integer(4)]])
    try fleet.expectAgreement()
  }

  @Test func aHeldCycleReturnsWhole() async throws {
    let fleet = try Fleet(
      2,
      """
      CREATE TABLE Root (id TEXT PRIMARY KEY NOT NULL);
      CREATE TABLE Node (id TEXT PRIMARY KEY NOT NULL, up TEXT REFERENCES Node(id) DEFERRABLE INITIALLY DEFERRED,
        root TEXT REFERENCES Root(id) ON DELETE CASCADE);
      """)
    try await fleet[0].execute("INSERT INTO Root VALUES ('r')")
    try await fleet.converge()
    try await fleet[0].execute("DELETE FROM Root")
    fleet.replicas[1].clock.advance(milliseconds: 5)
    try await fleet[1].execute("INSERT INTO Node VALUES ('a', 'b', 'r'), ('b', 'a', NULL)")
    try await fleet.converge()
    #expect(try fleet.rows("SELECT * FROM Node", on: 0) == [])
    try fleet.expectAgreement()
    try await fleet[0].execute("INSERT INTO Root VALUES ('r')")
    try await fleet.converge()
    #expect(try fleet.rows("SELECT count(*) FROM Node", on: 1) == [[.integer(2)]])
    try fleet.expectAgreement()
  }

  @Test func whatACheckRefusesIsHeld() async throws {
    let storage = MemoryStorage()
    let lax = try SimulatedReplica(
      storage: storage, migrations: [Migration("1", "CREATE TABLE T (id TEXT PRIMARY KEY NOT NULL, n INTEGER)")])
    let strict = try SimulatedReplica(
      storage: storage,
      migrations: [Migration("1", "CREATE TABLE T (id TEXT PRIMARY KEY NOT NULL, n INTEGER CHECK (n < 10))")])
    try await lax.database.execute("INSERT INTO T VALUES ('small', 1), ('big', 100)")
    _ = try await lax.engine.sync()
    _ = try await strict.engine.sync()
    #expect(try await strict.database.rows("SELECT id FROM T").map { $0[0] } == [.text("small")])
    #expect(try strict.database.heldRows().map(\.reason) == [.checkFailed])
    try await lax.database.execute("UPDATE T SET n = 2 WHERE id = 'big'")
    _ = try await lax.engine.sync()
    _ = try await strict.engine.sync()
    #expect(try strict.database.heldRows().isEmpty)
    #expect(try strict.database.fingerprint() == lax.database.fingerprint())
  }

  /// A UNIQUE index may compare otherwise than its column does.
  @Test func uniqueFollowsTheIndexesCollation() async throws {
    let fleet = try Fleet(
      3,
      """
      CREATE TABLE Item (id TEXT PRIMARY KEY NOT NULL, name TEXT);
      CREATE UNIQUE INDEX U ON Item(name COLLATE NOCASE);
      """)
    try await fleet[0].execute("INSERT INTO Item VALUES ('1', 'Blue')")
    fleet.replicas[1].clock.advance(milliseconds: 10)
    try await fleet[1].execute("INSERT INTO Item VALUES ('2', 'bLUE')")
    try await fleet.converge()
    for index in 0..<3 { #expect(try fleet.rows("SELECT id FROM Item", on: index) == [[.text("1")]]) }
    try fleet.expectAgreement()
  }

  @Test func aKeyThatIsNoRowIDIsHeldAndBlocksNothing() async throws {
    let storage = MemoryStorage()
    let texts = try SimulatedReplica(
      storage: storage, migrations: [Migration("1", "CREATE TABLE T (id TEXT PRIMARY KEY, n INTEGER)")])
    let numbers = try SimulatedReplica(
      storage: storage, migrations: [Migration("1", "CREATE TABLE T (id INTEGER PRIMARY KEY, n INTEGER)")])
    try await texts.database.execute("INSERT INTO T VALUES ('abc', 1), ('7', 2)")
    try await numbers.database.execute("INSERT INTO T VALUES (7, 3)")
    for replica in [texts, numbers, texts, numbers] { #expect(try await replica.engine.sync().skipped.isEmpty) }
    #expect(try await numbers.database.rows("SELECT n FROM T").map { $0[0] } == [.integer(3)])
    #expect(try numbers.database.heldRows().map(\.reason) == [.wrongType, .wrongType])
  }
}
