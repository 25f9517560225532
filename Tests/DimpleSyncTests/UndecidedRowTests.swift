import DimpleChangelog
import DimpleStore
import DimpleTestSupport
import Testing

@testable import DimpleSync

@Suite("Rows that the next merge decides")
struct UndecidedRowTests {
  /// Should it never come to the merge, nobody must be told that the row is kept.
  @Test func aRowThatARepairMarkedIsNeitherHeldNorKeptAndTheNextMergeDecidesIt() async throws {
    let fleet = try Fleet(1, "CREATE TABLE Item (id TEXT PRIMARY KEY NOT NULL, a)")
    try await fleet[0].execute("INSERT INTO Item VALUES ('x', 1)")
    try await fleet[0].execute("DELETE FROM Item")
    try await fleet.converge()
    let session = try await fleet.replicas[0].engine.openSession()
    _ = try await fleet[0].withMergeTransaction { try $0.execute("INSERT INTO Item VALUES ('x', 1)") }
    try await session.write { connection in
      let table = try #require(try NameTable(connection).number(ofTable: "Item"))
      let difference = RowCheck.Difference(
        key: RowKey(table: table, key: KeyCodec.encode([.text("x")])), table: 0, keyValues: [.text("x")], values: [],
        message: "")
      #expect(try HealthCheck(session: session, repairs: true).mark(difference, connection))
    }
    #expect(try fleet[0].keptRows() == [])
    #expect(try fleet[0].heldRows() == [])
    try await session.fold()
    #expect(try fleet.rows("SELECT * FROM Item") == [])
    #expect(try fleet.rows("SELECT status FROM dimple_row") == [[.integer(0)]])
  }
}
