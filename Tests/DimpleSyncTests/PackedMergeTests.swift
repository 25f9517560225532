import DimpleChangelog
import DimpleRemote
import DimpleStore
import DimpleTestSupport
import Testing

@testable import DimpleSync

@Suite("Merging row by row, without the passes where nothing is in the way")
struct PackedMergeTests {
  private func fleet(_ schema: String) throws -> Fleet { try Fleet(2, schema) }

  @Test func rowsThatReferToRowsBehindThemArrive() async throws {
    let fleet = try fleet(
      "CREATE TABLE Node (id TEXT PRIMARY KEY NOT NULL, up TEXT REFERENCES Node(id) DEFERRABLE INITIALLY DEFERRED)")
    try await fleet[0].execute("INSERT INTO Node VALUES ('a', 'b'), ('b', 'c'), ('c', 'd'), ('d', NULL)")
    let report = try await {
      _ = try await fleet.sync(fleet.replicas[0]); return try await fleet.sync(fleet.replicas[1])
    }()
    #expect(report.changedRows == 4 && report.newlyHeldRows == 0)
    try fleet.expectAgreement()
  }

  @Test func childrenOfATableThatComesFirstArriveWithTheirParents() async throws {
    let fleet = try fleet(
      """
      CREATE TABLE Album (id TEXT PRIMARY KEY NOT NULL, artist TEXT NOT NULL REFERENCES Artist(id));
      CREATE TABLE Artist (id TEXT PRIMARY KEY NOT NULL, name TEXT);
      """)
    try await fleet[0].execute("INSERT INTO Artist VALUES ('m', 'Miles'), ('n', 'Nina')")
    try await fleet[0].execute("INSERT INTO Album VALUES ('1', 'm'), ('2', 'n'), ('3', 'm')")
    try await fleet.converge()
    #expect(try fleet.rows("SELECT count(*) FROM Album JOIN Artist ON Artist.id = artist", on: 1) == [[.integer(3)]])
    try fleet.expectAgreement()
  }

  @Test func whatARowGoesThroughInOnePackEndsInItsLastValues() async throws {
    let fleet = try fleet("CREATE TABLE Item (id INTEGER PRIMARY KEY, a, b)")
    try await fleet[0].execute("INSERT INTO Item VALUES (1, 'a', 'b'), (2, 'a', 'b'), (3, 'a', 'b')")
    try await fleet[0].execute("UPDATE Item SET b = 'B' WHERE id <> 3")
    try await fleet[0].execute("DELETE FROM Item WHERE id = 2")
    try await fleet[0].execute("DELETE FROM Item WHERE id = 3")
    try await fleet[0].execute("INSERT INTO Item (id, a) VALUES (3, 'again')")
    try await fleet.converge()
    #expect(
      try fleet.rows("SELECT * FROM Item ORDER BY id", on: 1)
        == [[.integer(1), .text("a"), .text("B")], [.integer(3), .text("again"), .null]])
    try fleet.expectAgreement()
  }

  @Test func aUniqueConstraintThatReplacesRemovesNothingWhenMerging() async throws {
    let fleet = try fleet(
      "CREATE TABLE Item (id TEXT PRIMARY KEY NOT NULL ON CONFLICT REPLACE, a UNIQUE ON CONFLICT REPLACE)")
    try await fleet[0].execute("INSERT INTO Item VALUES ('first', 1)")
    fleet.replicas[1].clock.advance(milliseconds: 10)
    try await fleet[1].execute("INSERT INTO Item VALUES ('second', 1)")
    try await fleet.converge()
    for index in 0..<2 {
      #expect(try fleet.rows("SELECT id FROM Item", on: index) == [[.text("first")]])
      #expect(try fleet[index].heldRows().map(\.reason) == [.notUnique])
    }
    try fleet.expectAgreement()
  }

  @Test func aColumnNobodyWroteGetsItsDefault() async throws {
    let storage = MemoryStorage()
    let old = try SimulatedReplica(
      storage: storage, migrations: [Migration("1", "CREATE TABLE Item (id INTEGER PRIMARY KEY, a)")])
    let new = try SimulatedReplica(
      storage: storage,
      migrations: [
        Migration(
          "1",
          """
          CREATE TABLE Item (
            id INTEGER PRIMARY KEY, a, n INTEGER NOT NULL DEFAULT 7, t TEXT DEFAULT CURRENT_DATE, u TEXT NOT NULL DEFAULT '')
          """)
      ])
    try await old.database.execute("INSERT INTO Item VALUES (1, 'x')")
    _ = try await old.engine.sync()
    _ = try await new.engine.sync()
    let row = try await new.database.rows("SELECT n, t, u FROM Item").map { [$0[0], $0[1], $0[2]] }
    #expect(row == [[.integer(7), .text("2027-01-15"), .text("")]])
  }

  @Test func rowsOfAWriterThatWaitsAreMergedBetweenItsWrites() async throws {
    let fleet = try fleet("CREATE TABLE Item (id INTEGER PRIMARY KEY, a)")
    for start in stride(from: 0, to: 5000, by: 500) {
      try await fleet[0].write { connection in
        for id in start..<start + 500 { try connection.execute("INSERT INTO Item VALUES (\(id), 'x')") }
      }
    }
    _ = try await fleet.sync(fleet.replicas[0])
    let database = fleet[1]
    async let report = fleet.sync(fleet.replicas[1])
    for number in 0..<20 {
      let seen = try await database.write { connection in
        try connection.execute("INSERT INTO Item VALUES (\(100_000 + number), 'mine')")
        let statement = try connection.prepare("SELECT count(*) FROM Item WHERE id < 100000")
        defer { statement.reset() }
        return try statement.step() ? statement.int64(0) : -1
      }
      // Between two parts of the merge there are whole transactions only.
      #expect(seen % 500 == 0)
    }
    #expect(try await report.pulledTransactions == 10)
    #expect(try fleet.rows("SELECT count(*) FROM Item", on: 1) == [[.integer(5020)]])
  }
}
