import DimpleChangelog
import DimpleRemote
import DimpleStore
import DimpleSync
import DimpleTestSupport
import Testing

@Suite("Merging what two devices did")
struct MergeCasesTests {
  private static let item = "CREATE TABLE Item (id TEXT PRIMARY KEY NOT NULL, a, b)"

  private func fleet(_ count: Int = 2, _ schema: String = item) throws -> Fleet { try Fleet(count, schema) }

  @Test func aSlowClockThatSawAValueOverwritesIt() async throws {
    let fleet = try fleet()
    fleet.replicas[1].clock.advance(milliseconds: -3_600_000)
    try await fleet[0].execute("INSERT INTO Item VALUES ('x', 1, 1)")
    try await fleet.converge()
    try await fleet[1].execute("UPDATE Item SET a = 2")
    try await fleet.converge()
    #expect(try fleet.rows("SELECT a FROM Item") == [[.integer(2)]])
    try fleet.expectAgreement()
  }

  @Test func aPeerFromTheFutureIsPostponedAndDoesNotMoveTheClock() async throws {
    let fleet = try fleet(3)
    fleet.replicas[2].clock.milliseconds = 4_070_908_800_000  // 2099
    try await fleet[2].execute("INSERT INTO Item VALUES ('future', 1, 1)")
    try await fleet[0].execute("INSERT INTO Item VALUES ('now', 1, 1)")
    _ = try await fleet.sync(fleet.replicas[2])
    _ = try await fleet.sync(fleet.replicas[0])
    let report = try await fleet.sync(fleet.replicas[1])
    #expect(report.postponedTransactions == 1)
    #expect(try fleet.rows("SELECT id FROM Item", on: 1) == [[.text("now")]])
    try await fleet[1].execute("INSERT INTO Item VALUES ('mine', 1, 1)")
    let own = try #require(try fleet[1].changelog?.changes(in: fleet[1]).last)
    #expect(own.stamp.time.milliseconds == fleet.replicas[1].clock.milliseconds)
    // Time reaches it.
    fleet.replicas[0].clock.milliseconds = 4_070_908_800_000
    fleet.replicas[1].clock.milliseconds = 4_070_908_800_000
    try await fleet.converge()
    #expect(try fleet.rows("SELECT count(*) FROM Item", on: 1) == [[.integer(3)]])
    try fleet.expectAgreement()
  }

  @Test func twoColumnsOfOneRowAreBothKept() async throws {
    let fleet = try fleet()
    try await fleet[0].execute("INSERT INTO Item VALUES ('x', 1, 1)")
    try await fleet.converge()
    try await fleet[0].execute("UPDATE Item SET a = 2")
    try await fleet[1].execute("UPDATE Item SET b = 3")
    try await fleet.converge()
    #expect(try fleet.rows("SELECT a, b FROM Item") == [[.integer(2), .integer(3)]])
    try fleet.expectAgreement()
  }

  @Test func aDeletedRowStaysDeletedWhateverWasUpdatedElsewhere() async throws {
    let fleet = try fleet()
    try await fleet[0].execute("INSERT INTO Item VALUES ('x', 1, 1)")
    try await fleet.converge()
    try await fleet[0].execute("DELETE FROM Item")
    fleet.replicas[1].clock.advance(milliseconds: 5000)
    try await fleet[1].execute("UPDATE Item SET b = 3")
    try await fleet.converge()
    #expect(try fleet.rows("SELECT * FROM Item") == [])
    try fleet.expectAgreement()
  }

  @Test func insertingTheKeyAgainStartsANewLife() async throws {
    let fleet = try fleet()
    try await fleet[0].execute("INSERT INTO Item VALUES ('x', 1, 1)")
    try await fleet.converge()
    try await fleet[0].write { connection in
      try connection.execute("DELETE FROM Item")
      try connection.execute("INSERT INTO Item (id, a) VALUES ('x', 7)")
    }
    try await fleet.converge()
    #expect(try fleet.rows("SELECT a, b FROM Item", on: 1) == [[.integer(7), .null]])
    try fleet.expectAgreement()
  }

  @Test func everyArrivalOrderEndsTheSame() async throws {
    // Six devices change one row; each of many observers hears of them in another order.
    let schema = Self.item
    var random = SeededRandom(seed: 7)
    var authors: [Fleet] = []
    for index in 0..<6 {
      let author = try Fleet(1, schema)
      author.replicas[0].clock.advance(milliseconds: Int64(index % 3) * 10)
      try await author[0].execute("INSERT INTO Item VALUES ('x', \(index), \(index))")
      switch index % 3 {
      case 0: try await author[0].execute("DELETE FROM Item")
      case 1: try await author[0].execute("UPDATE Item SET a = \(100 + index)")
      default: break
      }
      authors.append(author)
    }
    var results: Set<String> = []
    for author in authors { _ = try await author.sync(author.replicas[0]) }
    for _ in 0..<60 {
      let observer = try Fleet(1, schema)
      for author in authors.shuffled(using: &random) {
        for object in try await author.storage.listAll(prefix: "") {
          try await observer.storage.put(object.key, author.storage.get(object.key, maximumSize: Int.max))
        }
        _ = try await observer.sync(observer.replicas[0])
      }
      results.insert(try observer[0].fingerprint().description)
    }
    #expect(results.count == 1)
  }

  @Test func theSamePackThriceHasOneEffect() async throws {
    let fleet = try fleet()
    try await fleet[0].execute("INSERT INTO Item VALUES ('x', 1, 1)")
    _ = try await fleet.sync(fleet.replicas[0])
    let first = try await fleet.sync(fleet.replicas[1])
    #expect(first.pulledTransactions == 1)
    for _ in 0..<2 { #expect(try await fleet.sync(fleet.replicas[1]).pulledTransactions == 0) }
    try fleet.expectAgreement()
  }

  @Test func aTableWithNothingButItsKeySyncs() async throws {
    let fleet = try fleet(2, "CREATE TABLE Tag (id TEXT PRIMARY KEY NOT NULL)")
    try await fleet[0].execute("INSERT INTO Tag VALUES ('a'), ('b')")
    try await fleet.converge()
    try await fleet[1].execute("DELETE FROM Tag WHERE id = 'a'")
    try await fleet.converge()
    #expect(try fleet.rows("SELECT id FROM Tag") == [[.text("b")]])
    try fleet.expectAgreement()
  }

  @Test func everyValueArrivesToTheBit() async throws {
    let fleet = try fleet()
    for (index, value) in ValueSamples.all.enumerated() {
      try await fleet[0].execute("INSERT INTO Item VALUES (\(String(index)), \(value), NULL)")
    }
    try await fleet.converge()
    let stored = try fleet.rows("SELECT a FROM Item ORDER BY CAST(id AS INTEGER)", on: 1).map { $0[0] }
    #expect(stored == ValueSamples.all)
    try fleet.expectAgreement()
  }

  @Test func namesFromOutsideAreQuoted() async throws {
    let schema = #"CREATE TABLE "a"" , ""b" ("order" TEXT PRIMARY KEY NOT NULL, "a b" TEXT, "select" INTEGER)"#
    let fleet = try fleet(2, schema)
    try await fleet[0].execute(#"INSERT INTO "a"" , ""b" VALUES ('x', 'y', 1)"#)
    try await fleet.converge()
    try await fleet[1].execute(#"UPDATE "a"" , ""b" SET "select" = 2"#)
    try await fleet.converge()
    #expect(try fleet.rows(#"SELECT "select" FROM "a"" , ""b""#) == [[.integer(2)]])
    try fleet.expectAgreement()
  }

  @Test func aLargeTransactionIsNeverHalfVisible() async throws {
    let fleet = try fleet()
    try await fleet[0].write { connection in
      for index in 0..<500 { try connection.execute("INSERT INTO Item VALUES (\(String(index)), \(index), 0)") }
    }
    let log = try #require(try fleet[0].changelog?.changes(in: fleet[0]))
    #expect(Set(log.map(\.transaction)) == [1])
    let report = try await {
      _ = try await fleet.sync(fleet.replicas[0]); return try await fleet.sync(fleet.replicas[1])
    }()
    #expect(report.pulledTransactions == 1)
    #expect(try fleet.rows("SELECT count(*) FROM Item", on: 1) == [[.integer(500)]])
  }

  @Test func bothSidesHaveDataAtTheFirstSync() async throws {
    let fleet = try fleet(3)
    for index in 0..<3 {
      try await fleet[index].execute("INSERT INTO Item VALUES (\("only\(index)"), \(index), 0), ('all', \(index), 0)")
    }
    try await fleet.converge()
    #expect(try fleet.rows("SELECT count(*) FROM Item") == [[.integer(4)]])
    try fleet.expectAgreement()
  }
}
