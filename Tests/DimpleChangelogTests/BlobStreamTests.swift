import DimpleChangelog
import DimpleStore
import Testing

@Suite struct BlobStreamTests {
  private let tracked: TrackedDatabase

  init() throws {
    tracked = try TrackedDatabase(
      "CREATE TABLE T (id INTEGER PRIMARY KEY, data BLOB); CREATE TABLE Local (id INTEGER PRIMARY KEY, data BLOB);",
      untracked: ["local"])
    try tracked.script("INSERT INTO T VALUES (1, x'0000'); INSERT INTO Local VALUES (1, x'0000')")
  }

  private func write(_ table: String) throws {
    try tracked.database.write { try $0.writeBlob(table: table, column: "data", rowID: 1).write([7], at: 0) }
  }

  @Test(arguments: ["T", "t"]) func aTrackedTableRefusesStreamsSinceTheyWouldNotBeLogged(table: String) throws {
    let before = try tracked.lastTransaction
    do {
      try write(table)
      Issue.record("The write went through.")
    } catch let error as StoreError {
      #expect(error.code == .notAllowed)
      #expect(error.hint.contains("UPDATE"))
    }
    #expect(try tracked.rows("SELECT hex(data) FROM T") == ["'0000'"])
    #expect(try tracked.lastTransaction == before)
    // The remedy.
    #expect(try tracked.logged("UPDATE T SET data = x'0700'").count == 1)
  }

  @Test func anUntrackedOneTakesThemAndReadingIsAllowedEverywhere() throws {
    try write("Local")
    #expect(try tracked.rows("SELECT hex(data) FROM Local") == ["'0700'"])
    #expect(
      try tracked.database.read {
        try $0.readBlob(table: "T", column: "data", rowID: 1).read(offset: 0, count: 2)
      } == [0, 0])
  }

  @Test func aTableMadeInTheSameTransactionIsTrackedToo() throws {
    do {
      try tracked.database.write { connection in
        try connection.execute("CREATE TABLE New (id INTEGER PRIMARY KEY, data BLOB)")
        try connection.execute("INSERT INTO New VALUES (1, x'00')")
        _ = try connection.writeBlob(table: "New", column: "data", rowID: 1)
      }
      Issue.record("The write went through.")
    } catch let error as StoreError {
      #expect(error.code == .notAllowed)
    }
  }
}
