import DimpleChangelog
import DimpleRemote
import DimpleStore
import DimpleSync
import DimpleTestSupport
import Testing

@Suite("Undeleting a row")
struct UndeleteTests {
  private static let item = "CREATE TABLE Item (id TEXT PRIMARY KEY NOT NULL, a, b)"

  @Test func bringsBackTheRowWithWhatOthersWroteToItSince() async throws {
    let fleet = try Fleet(2, Self.item)
    try await fleet[0].execute("INSERT INTO Item VALUES ('x', 1, 1)")
    try await fleet.converge()
    try await fleet[0].execute("DELETE FROM Item")
    fleet.replicas[1].clock.advance(milliseconds: 10)
    try await fleet[1].execute("UPDATE Item SET b = 2")
    try await fleet.converge()
    #expect(try await fleet[1].undelete("Item", key: [.text("x")]))
    try await fleet.converge()
    for index in 0..<2 { #expect(try fleet.rows("SELECT a, b FROM Item", on: index) == [[.integer(1), .integer(2)]]) }
    try fleet.expectAgreement()
  }

  @Test func knowsARowOfItsOwnFromTheLogAlone() async throws {
    let fleet = try Fleet(1, Self.item)
    try await fleet[0].execute("INSERT INTO Item VALUES ('x', 1, 'text')")
    try await fleet[0].execute("UPDATE Item SET a = 5")
    try await fleet[0].execute("DELETE FROM Item")
    #expect(try await fleet[0].undelete("Item", key: [.text("x")]))
    #expect(try fleet.rows("SELECT a, b FROM Item") == [[.integer(5), .text("text")]])
  }

  @Test func leavesAloneWhatWasNotDeleted() async throws {
    let fleet = try Fleet(1, Self.item)
    try await fleet[0].execute("INSERT INTO Item VALUES ('x', 1, 1)")
    #expect(try await !fleet[0].undelete("Item", key: [.text("x")]))
    #expect(try await !fleet[0].undelete("Item", key: [.text("y")]))
  }

  @Test func theTablesNameMayBeInAnyCaseAndWhatIsNoneIsRefused() async throws {
    let fleet = try Fleet(1, Self.item)
    try await fleet[0].execute("INSERT INTO Item VALUES ('x', 1, 1)")
    try await fleet[0].execute("DELETE FROM Item")
    let unknown = await #expect(throws: ChangelogError.self) {
      try await fleet[0].undelete("Nothing", key: [.text("x")])
    }
    #expect(unknown?.code == .unknownTable)
    for key in [[], [.text("x"), .text("y")]] as [[SQLValue]] {
      let error = await #expect(throws: ChangelogError.self) { try await fleet[0].undelete("Item", key: key) }
      #expect(error?.code == .wrongKey)
    }
    #expect(try await fleet[0].undelete("iTEM", key: [.text("x")]))
    #expect(try fleet.rows("SELECT id FROM Item") == [[.text("x")]])
  }

  @Test func largeValuesComeBack() async throws {
    let fleet = try Fleet(1, Self.item)
    let text = String(repeating: "long ", count: 400_000)
    for id in ["x", "y"] { try await fleet[0].execute("INSERT INTO Item VALUES (\(id), \(text), x'00')") }
    try await fleet[0].execute("UPDATE Item SET b = zeroblob(2000000) WHERE id = 'x'")
    try await fleet[0].execute("UPDATE Item SET a = 'short' WHERE id = 'y'")
    try await fleet[0].execute("DELETE FROM Item")
    for id in ["x", "y"] { #expect(try await fleet[0].undelete("Item", key: [.text(id)])) }
    #expect(
      try fleet.rows("SELECT a, b FROM Item ORDER BY id")
        == [[.text(text), .blob([UInt8](repeating: 0, count: 2_000_000))], [.text("short"), .blob([0])]])
  }

  @Test func saysWhereTheValuesAreKnownWhenTheyAreNotHere() async throws {
    let fleet = try Fleet(2, Self.item)
    try await fleet[0].execute("INSERT INTO Item VALUES ('x', 1, 1)")
    try await fleet.converge()
    try await fleet[1].execute("DELETE FROM Item")
    try await fleet.converge()
    let error = await #expect(throws: SyncError.self) { try await fleet[1].undelete("Item", key: [.text("x")]) }
    #expect(error?.code == .unknownValues)
    #expect(try await fleet[0].undelete("Item", key: [.text("x")]))
    try await fleet.converge()
    #expect(try fleet.rows("SELECT a FROM Item", on: 1) == [[.integer(1)]])
    try fleet.expectAgreement()
  }

  @Test func aChildHiddenByCascadeComesBackWithItsParent() async throws {
    let fleet = try Fleet(
      2,
      """
      CREATE TABLE Parent (id TEXT PRIMARY KEY NOT NULL, name TEXT);
      CREATE TABLE Child (id TEXT PRIMARY KEY NOT NULL, parent TEXT REFERENCES Parent(id) ON DELETE CASCADE, note TEXT);
      """)
    try await fleet[0].execute("INSERT INTO Parent VALUES ('p', 'x')")
    try await fleet.converge()
    try await fleet[0].execute("DELETE FROM Parent")
    fleet.replicas[1].clock.advance(milliseconds: 10)
    try await fleet[1].execute("INSERT INTO Child VALUES ('c', 'p', 'kept')")
    try await fleet.converge()
    #expect(try fleet.rows("SELECT * FROM Child") == [])
    #expect(try await fleet[0].undelete("Parent", key: [.text("p")]))
    try await fleet.converge()
    for index in 0..<2 { #expect(try fleet.rows("SELECT note FROM Child", on: index) == [[.text("kept")]]) }
    try fleet.expectAgreement()
  }

  /// Deletes of a table that others refer to log what was there: of each life its own.
  @Test func bringsBackTheLastOfSeveralLives() async throws {
    let fleet = try Fleet(
      2,
      """
      CREATE TABLE Parent (id TEXT PRIMARY KEY NOT NULL, a);
      CREATE TABLE Child (id TEXT PRIMARY KEY NOT NULL, p REFERENCES Parent(id));
      """)
    try await fleet[0].execute("INSERT INTO Parent VALUES ('x', 1)")
    try await fleet.converge()
    try await fleet[0].execute("DELETE FROM Parent")
    try await fleet.converge()
    fleet.replicas[1].clock.advance(milliseconds: 10)
    try await fleet[1].execute("INSERT INTO Parent VALUES ('x', 2)")
    try await fleet.converge()
    try await fleet[0].execute("DELETE FROM Parent")
    #expect(try await fleet[0].undelete("Parent", key: [.text("x")]))
    try await fleet.converge()
    #expect(try fleet.rows("SELECT a FROM Parent", on: 1) == [[.integer(2)]])
    try fleet.expectAgreement()
  }
}
