import DimpleChangelog
import DimpleRemote
import DimpleStore
import DimpleTestSupport
import Testing

@testable import DimpleSync

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

  // MARK: - Every arrival order

  /// What becomes of the row.
  enum Ending: CaseIterable, Sendable { case shown, held, dead }

  /// What one device did to a row.
  private struct Write: Sendable {
    var row: Int64 = 0
    var author: UInt64
    /// After the fleet's clocks, in milliseconds.
    var time: Int64
    var operation: Change.Operation
    var a: Int64?
    var b: Int64?

    func of(row: Int) -> Write {
      var write = self
      write.row = Int64(row)
      return write
    }

    var change: PackChange {
      var columns: [ColumnValue] = []
      if let a { columns.append(ColumnValue(name: "a", value: .integer(a))) }
      if let b { columns.append(ColumnValue(name: "b", value: .integer(b))) }
      return PackChange(
        time: HybridTime(milliseconds: 1_800_000_000_000 + time), table: "Item", key: [.integer(row)],
        operation: operation, columns: columns)
    }
  }

  /// Two lives, a write to a column at the very time of the second birth, and the end.
  private static func sixWrites(_ ending: Ending) -> [Write] {
    let last =
      switch ending {
      case .shown: Write(author: 1, time: 5, operation: .update, b: 9)
      case .held: Write(author: 1, time: 5, operation: .update, b: 11)
      case .dead: Write(author: 1, time: 5, operation: .delete)
      }
    return [
      Write(author: 6, time: 1, operation: .insert, a: 1, b: 1), Write(author: 5, time: 2, operation: .update, a: 2),
      Write(author: 4, time: 3, operation: .delete), Write(author: 2, time: 4, operation: .insert, a: 4, b: 4),
      Write(author: 3, time: 4, operation: .update, a: 5), last,
    ]
  }

  private static func orders<T>(of items: [T]) -> [[T]] {
    if items.isEmpty { return [[]] }
    return items.indices.flatMap { index -> [[T]] in
      var rest = items
      let first = rest.remove(at: index)
      return orders(of: rest).map { [first] + $0 }
    }
  }

  /// A device that took in some writes by one merge, some by the next, and so on.
  private func merged(_ merges: [[Write]]) async throws -> Fleet {
    let fleet = try Fleet(1, "CREATE TABLE Item (id INTEGER PRIMARY KEY, a, b CHECK (b < 10))")
    // Makes the tables of sync.
    try await fleet.converge()
    let changelog = try #require(fleet[0].changelog)
    for writes in merges {
      try await fleet[0].withMergeTransaction { connection in
        let schema = try MergeSchemaCache(rowsPerStatement: 32).load(connection, changelog).schema
        let merge = try Merge(connection, changelog, schema)
        let batch = ChangeBatch()
        for write in writes { try merge.append([write.change], by: ReplicaID(rawValue: write.author), to: batch) }
        try merge.add(batch)
        _ = try merge.finish()
      }
    }
    return fleet
  }

  /// Row n hears of its six writes in the nth of their 720 orders, one by each merge: six merges have all orders.
  @Test(arguments: Ending.allCases) func everyArrivalOrderEndsTheSame(ending: Ending) async throws {
    let writes = Self.sixWrites(ending)
    let orders = Self.orders(of: writes)
    #expect(orders.count == 720)
    let oneByOne = try await merged(
      writes.indices.map { step in orders.enumerated().map { row, order in order[step].of(row: row) } })
    let allAtOnce = try await merged([orders.indices.flatMap { row in writes.map { $0.of(row: row) } }])
    #expect(try oneByOne[0].fingerprint() == allAtOnce[0].fingerprint())
    #expect(try oneByOne[0].stateFingerprint() == allAtOnce[0].stateFingerprint())
    #expect(try oneByOne[0].heldRows() == allAtOnce[0].heldRows())
    let shown: [[SQLValue]] = ending == .shown ? [[.integer(5), .integer(9), .integer(720)]] : []
    let held = try oneByOne[0].heldRows()
    #expect(try oneByOne.rows("SELECT a, b, count(*) FROM Item GROUP BY a, b") == shown)
    #expect(held.count == (ending == .held ? 720 : 0))
    #expect(held.allSatisfy { $0.reason == .checkFailed })
  }

  /// What a device has in the end.
  private struct Outcome: Hashable {
    var shown: Fingerprint
    var state: StateFingerprint?
    var held: Set<HeldRow>
  }

  /// Six devices change one row, and claim one unique value; each of many observers hears of them in another order.
  @Test func packsInAnyOrderEndTheSame() async throws {
    let schema = "CREATE TABLE Item (id TEXT PRIMARY KEY NOT NULL, a, b UNIQUE)"
    var random = SeededRandom(seed: 7)
    var authors: [Fleet] = []
    for index in 0..<6 {
      let author = try Fleet(1, schema)
      author.replicas[0].clock.advance(milliseconds: Int64(index % 3) * 10)
      try await author[0].execute("INSERT INTO Item VALUES ('x', \(index), \(index)), (\("own \(index)"), 0, 'same')")
      switch index % 3 {
      case 0: try await author[0].execute("DELETE FROM Item WHERE id = 'x'")
      case 1: try await author[0].execute("UPDATE Item SET a = \(100 + index) WHERE id = 'x'")
      default: break
      }
      authors.append(author)
    }
    var outcomes: Set<Outcome> = []
    for author in authors { _ = try await author.sync(author.replicas[0]) }
    for _ in 0..<60 {
      let observer = try Fleet(1, schema)
      for author in authors.shuffled(using: &random) {
        for object in try await author.storage.listAll(prefix: "") {
          try await observer.storage.put(object.key, author.storage.get(object.key, maximumSize: Int.max))
        }
        _ = try await observer.sync(observer.replicas[0])
      }
      let database = observer[0]
      let outcome = try Outcome(
        shown: database.fingerprint(), state: database.stateFingerprint(), held: Set(database.heldRows()))
      outcomes.insert(outcome)
    }
    #expect(outcomes.count == 1)
    #expect(outcomes.first?.held.count == 5)
  }

  // MARK: - Packs that come again

  @Test func theSamePackThriceHasOneEffect() async throws {
    let fleet = try fleet()
    try await fleet[0].execute("INSERT INTO Item VALUES ('x', 1, 1)")
    _ = try await fleet.sync(fleet.replicas[0])
    let first = try await fleet.sync(fleet.replicas[1])
    #expect(first.pulledTransactions == 1)
    for _ in 0..<2 { #expect(try await fleet.sync(fleet.replicas[1]).pulledTransactions == 0) }
    try fleet.expectAgreement()
  }

  /// A larger pack brings again what was merged from smaller ones.
  @Test func whatComesAgainInALargerPackHasNoSecondEffect() async throws {
    let fleet = try fleet()
    for id in 1...8 {
      try await fleet[0].execute("INSERT INTO Item VALUES (\(String(id)), 1, 1)")
      try await fleet.sync(fleet.replicas[0])
      if id == 3 { #expect(try await fleet.sync(fleet.replicas[1]).pulledTransactions == 3) }
    }
    #expect(try await fleet.sync(fleet.replicas[0]).joinedPacks == 8)
    #expect(try await fleet.storage.listAll(prefix: "log/").count == 1)
    // The insert of that row, taken in a second time, would be in conflict with this.
    try await fleet[1].execute("UPDATE Item SET b = 2 WHERE id = '1'")
    let report = try await fleet.sync(fleet.replicas[1])
    #expect((report.pulledPacks, report.pulledTransactions, report.pulledChanges) == (1, 5, 5))
    #expect(report.conflictCount == 0)
    #expect(try await fleet.sync(fleet.replicas[1]).pulledPacks == 0)
    try await fleet.converge()
    for index in 0..<2 {
      #expect(try fleet.rows("SELECT count(*) FROM Item", on: index) == [[.integer(8)]])
      #expect(try fleet.rows("SELECT id FROM Item WHERE b = 2", on: index) == [[.text("1")]])
    }
    try fleet.expectAgreement()
  }

  // MARK: - Tables and values

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
