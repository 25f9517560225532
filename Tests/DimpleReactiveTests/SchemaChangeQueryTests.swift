import DimpleStore
import Testing

@testable import DimpleReactive

/// The same SQL reads another table after a migration, and commits to that one count from then on: during the fetch, too, that
/// finds that out.
@Suite("A live query whose tables change", .timeLimit(.minutes(10)))
struct SchemaChangeQueryTests {
  private let database: Database
  private let observation: QueryObservation

  init() throws {
    database = try Database.inMemory(migrations: [
      Migration("A", "CREATE TABLE A (n INTEGER)"), Migration("B", "CREATE TABLE B (n INTEGER)"),
      Migration("view", "CREATE VIEW Shown AS SELECT n FROM A"),
    ])
    observation = QueryObservation(database)
  }

  private func showB() throws {
    try database.write { connection in
      try connection.execute("DROP VIEW Shown")
      try connection.execute("CREATE VIEW Shown AS SELECT n FROM B")
    }
  }

  /// As a live query does it.
  private func fetch(_ meanwhile: () throws -> Void = {}) throws {
    let readSet = try database.read { try $0.readSet(of: "SELECT n FROM Shown") }
    try meanwhile()
    observation.narrow(to: readSet)
  }

  @Test func aCommitDuringTheFetchThatFollowsAMigrationCounts() async throws {
    #expect(await observation.waitUntilDirty())
    try fetch()
    try showB()
    #expect(await observation.waitUntilDirty())
    try fetch { try database.execute("INSERT INTO B VALUES (1)") }
    // Ends, or the time limit tells.
    #expect(await observation.waitUntilDirty())
  }

  @Test func soItDoesAfterAMigrationDuringAFetch() async throws {
    #expect(await observation.waitUntilDirty())
    try fetch { try showB() }
    #expect(await observation.waitUntilDirty())
    try fetch { try database.execute("INSERT INTO B VALUES (1)") }
    #expect(await observation.waitUntilDirty())
  }
}
