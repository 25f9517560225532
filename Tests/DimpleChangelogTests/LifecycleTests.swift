import DimpleChangelog
import DimpleStore
import DimpleTestSupport
import Testing

/// Tracking goes on over what an app does with its database besides reading and writing.
@Suite struct LifecycleTests {
  private static let table = Migration("table", "CREATE TABLE T (id INTEGER PRIMARY KEY, a TEXT)")

  private func open(_ folder: TemporaryFolder, _ migrations: [Migration] = [table]) throws -> Database {
    var options = Changelog.Options()
    options.clock = ManualClock().wallClock
    return try Database(
      folder.path("tracked.db"), configuration: Configuration().tracking(options), migrations: migrations)
  }

  private func count(_ database: Database) throws -> Int {
    try #require(database.changelog).changes(after: 0).count
  }

  @Test func changesAreTrackedAfterASuspension() throws {
    let folder = try TemporaryFolder()
    let database = try open(folder)
    try database.execute("INSERT INTO T VALUES (1, 'a')")
    try database.suspend()
    database.resume()
    try database.execute("UPDATE T SET a = 'b'")
    #expect(try count(database) == 2)
  }

  @Test func aBackupHasTheLog() throws {
    let folder = try TemporaryFolder()
    let database = try open(folder)
    try database.execute("INSERT INTO T VALUES (1, 'a')")
    try database.backup(to: folder.path("copy.db"))
    let copy = try Database(folder.path("copy.db"), configuration: Configuration().tracking(.init()))
    #expect(try count(copy) == 1)
    try database.vacuum()
    try database.execute("DELETE FROM T")
    #expect(try count(database) == 2)
  }

  @Test func aRebuiltTableIsTrackedOn() throws {
    let folder = try TemporaryFolder()
    try open(folder).execute("INSERT INTO T VALUES (1, 'a')")
    let rebuild = Migration("rebuild", checksForeignKeysAtEnd: true) {
      try $0.rebuildTable("T", columns: "id INTEGER PRIMARY KEY, a TEXT NOT NULL, b TEXT")
    }
    let database = try open(folder, [Self.table, rebuild])
    let before = try count(database)
    try database.execute("UPDATE T SET b = 'new'")
    #expect(try count(database) == before + 1)
    #expect(try database.integrityCheck().isEmpty)
  }

  @Test func trackedItIsNotErased() throws {
    let folder = try TemporaryFolder()
    let database = try open(folder)
    try database.execute("INSERT INTO T VALUES (1, 'a')")
    #expect(throws: StoreError.self) { try database.erase() }
    #expect(try database.rows("SELECT * FROM T").count == 1)
  }
}
