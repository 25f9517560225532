import DimpleChangelog
import DimpleStore
import DimpleTestSupport
import Testing

@Suite("Transactions, their numbers and times")
struct TransactionTests {
  private static let table = "CREATE TABLE T(id INTEGER PRIMARY KEY, a)"

  @Test("Numbers ascend without gaps, whatever is rolled back")
  func numbersWithoutGaps() throws {
    let t = try TrackedDatabase(Self.table)
    try t.script("INSERT INTO T VALUES (1, 'a')")
    #expect(throws: Stop.self) {
      try t.database.write { connection in
        try connection.execute("INSERT INTO T VALUES (2, 'b')")
        throw Stop()
      }
    }
    // Writes that change nothing, or whose changes are undone.
    try t.script("UPDATE T SET a = 'a'")
    try t.database.write { connection in
      #expect(throws: Stop.self) {
        try connection.savepoint {
          try connection.execute("INSERT INTO T VALUES (3, 'c')")
          throw Stop()
        }
      }
    }
    try t.database.write { connection in
      #expect(throws: StoreError.self) { try connection.execute("INSERT INTO T VALUES (4, 'd'), (1, 'e')") }
    }
    try t.script("INSERT INTO T VALUES (5, 'f'); INSERT INTO T VALUES (6, 'g')")
    #expect(
      try t.changes().map { "\($0.transaction) \(describe($0))" }
        == ["1 insert T[1] a='a'", "2 insert T[5] a='f'", "2 insert T[6] a='g'"])
    #expect(try t.rows("SELECT id FROM T") == ["1", "5", "6"])
  }

  @Test("What a savepoint or a failed statement undoes is not in the log")
  func partialRollback() throws {
    let t = try TrackedDatabase(Self.table)
    try t.database.write { connection in
      try connection.execute("INSERT INTO T VALUES (1, 'a')")
      #expect(throws: Stop.self) {
        try connection.savepoint {
          try connection.execute("UPDATE T SET a = 'b'")
          try connection.savepoint { try connection.execute("DELETE FROM T") }
          throw Stop()
        }
      }
      #expect(throws: StoreError.self) { try connection.execute("INSERT INTO T VALUES (2, 'x'), (1, 'y')") }
      try connection.execute("UPDATE T SET a = 'z'")
    }
    #expect(try t.log() == ["insert T[1] a='a'", "update T[1] a='z'"])
  }

  @Test("The log can be read from any transaction on, and stops at a whole one")
  func reading() throws {
    let t = try TrackedDatabase(Self.table)
    for number in 1...40 {
      t.clock.advance(milliseconds: Int64(number * number))
      try t.script("INSERT INTO T VALUES (\(number), 'x'); UPDATE T SET a = 'y' WHERE id = \(number)")
    }
    for after in 0...41 {
      let expected = after < 40 ? (after + 1...40).flatMap { [$0, $0] } : []
      #expect(try t.changes(after: Int64(after)).map { Int($0.transaction) } == expected)
    }
    #expect(try t.changelog.changes(after: 3, limit: 3).map(\.transaction) == [4, 4, 5, 5])
    #expect(try t.changelog.changes(limit: 0) == [])
  }

  @Test("More changes in a millisecond than the counter counts keep apart and in order")
  func manyInAMillisecond() throws {
    let t = try TrackedDatabase(Self.table)
    try t.script(
      "WITH n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 10000) INSERT INTO T SELECT i, i FROM n")
    let changes = try t.changes()
    #expect(changes.map(\.key) == (1...10000).map { [.integer($0)] })
    #expect(zip(changes, changes.dropFirst()).allSatisfy { $0.stamp < $1.stamp })
    #expect(changes.last?.stamp.time.milliseconds == t.clock.milliseconds + 2)
  }

  @Test("A clock set back, and a restart, neither repeat nor reorder a stamp")
  func clockSetBack() throws {
    let file = try TemporaryFile()
    let clock = ManualClock()
    let first = try TrackedDatabase(Self.table, path: file.path, clock: clock)
    try first.script("INSERT INTO T VALUES (1, 'a')")
    try first.database.close()
    clock.advance(milliseconds: -86_400_000)
    let second = try TrackedDatabase(path: file.path, clock: clock)
    try second.script("INSERT INTO T VALUES (2, 'b')")
    let stamps = try second.changes().map(\.stamp)
    #expect(stamps.count == 2 && stamps[0] < stamps[1])
    #expect(stamps[0].replica == stamps[1].replica && stamps[0].replica.rawValue != 0)
    #expect(try second.changes().map(\.transaction) == [1, 2])
  }

  @Test("A received time is passed, after a restart too; one rolled back is forgotten")
  func receive() throws {
    let file = try TemporaryFile()
    let t = try TrackedDatabase(Self.table, path: file.path)
    let ahead = HybridTime(milliseconds: t.clock.milliseconds + 5000)
    #expect(throws: Stop.self) {
      try t.database.write { connection in
        try t.changelog.receive(HybridTime(milliseconds: t.clock.milliseconds + 99_000), connection)
        throw Stop()
      }
    }
    try t.script("INSERT INTO T VALUES (1, 'a')")
    #expect(try t.changes().last?.stamp.time.milliseconds == t.clock.milliseconds)
    try t.database.withMergeTransaction { try t.changelog.receive(ahead, $0) }
    try t.script("INSERT INTO T VALUES (2, 'b')")
    try t.database.withMergeTransaction { try t.changelog.receive(HybridTime(milliseconds: 7), $0) }
    try t.database.withMergeTransaction {
      try t.changelog.receive(HybridTime(milliseconds: ahead.milliseconds + 1000), $0)
    }
    try t.database.close()
    let again = try TrackedDatabase(path: file.path, clock: t.clock)
    try again.script("INSERT INTO T VALUES (3, 'c')")
    let times = try again.changes().map(\.stamp.time)
    #expect(times[1] > ahead && times[1].milliseconds == ahead.milliseconds)
    #expect(times[2].milliseconds == ahead.milliseconds + 1000)
    let error = try #require(throws: ChangelogError.self) {
      try again.database.read { try again.changelog.receive(ahead, $0) }
    }
    #expect(error.code == .notInTransaction)
  }

  @Test("One changelog serves one open database at a time")
  func oneDatabaseEach() throws {
    let (one, two) = (try TemporaryFile(), try TemporaryFile())
    let configuration = Configuration().tracking()
    do {
      let first = try Database(one.path, configuration: configuration)
      try first.write { try $0.script(SQL(raw: Self.table) + "; INSERT INTO T VALUES (1, 'a')") }
      let error = #expect(throws: ChangelogError.self) { try Database(two.path, configuration: configuration) }
      #expect(error?.code == .alreadyAttached)
      try first.close()
    }
    let second = try Database(two.path, configuration: configuration)
    try second.write { try $0.script(SQL(raw: Self.table) + "; INSERT INTO T VALUES (2, 'b')") }
    #expect(try second.changelog?.changes().map { "\($0.transaction) \(describe($0))" } == ["1 insert T[2] a='b'"])
  }

  @Test("A merge logs nothing")
  func merge() throws {
    let t = try TrackedDatabase(Self.table)
    _ = try t.database.withMergeTransaction { try $0.execute("INSERT INTO T VALUES (1, 'a')") }
    #expect(try t.log() == [])
    #expect(try t.logged("UPDATE T SET a = 'b'") == ["update T[1] a='b'"])
  }

  @Test("Two open databases on one file take turns without a repeated number or time")
  func twoWriters() throws {
    let file = try TemporaryFile()
    let clock = ManualClock()
    let first = try TrackedDatabase(Self.table, path: file.path, clock: clock)
    let second = try TrackedDatabase(path: file.path, clock: clock)
    for number in 0..<30 {
      let writer = number % 3 == 0 ? first : second
      if number == 10 {
        try first.database.withMergeTransaction {
          try first.changelog.receive(HybridTime(milliseconds: clock.milliseconds + 60_000), $0)
        }
      }
      try writer.script("INSERT INTO T VALUES (\(number), 'x')")
    }
    let changes = try first.changes()
    #expect(changes.map(\.transaction) == Array(1...30))
    #expect(changes.map(\.key) == (0..<30).map { [.integer($0)] })
    #expect(zip(changes, changes.dropFirst()).allSatisfy { $0.stamp < $1.stamp })
    #expect(changes[10].stamp.time.milliseconds == clock.milliseconds + 60_000)
    #expect(try second.changelog.replicaID == first.changelog.replicaID)
  }

  @Test("Concurrent writers through two databases on one file lose nothing and repeat nothing")
  func concurrentWriters() async throws {
    let file = try TemporaryFile()
    let first = try TrackedDatabase(Self.table, path: file.path)
    let second = try TrackedDatabase(path: file.path)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (base, writer) in [(0, first), (1000, second)] {
        group.addTask {
          for number in 0..<100 {
            try await writer.database.write { connection in
              _ = try connection.execute("INSERT INTO T VALUES (\(base + number), 'x')")
            }
          }
        }
      }
      try await group.waitForAll()
    }
    let changes = try first.changes()
    #expect(changes.map(\.transaction) == Array(1...200))
    #expect(Set(changes.map(\.stamp)).count == 200 && Set(changes.map(\.key)).count == 200)
  }

  @Test("A new replica id counts from its transaction on, or not at all if that is rolled back")
  func replaceReplicaID() throws {
    let t = try TrackedDatabase(Self.table)
    let old = try t.changelog.replicaID
    #expect(throws: Stop.self) {
      try t.database.write { connection in
        try t.changelog.replaceReplicaID(connection)
        throw Stop()
      }
    }
    #expect(try t.changelog.replicaID == old)
    let new = try t.database.write { try t.changelog.replaceReplicaID($0) }
    #expect(new != old)
    #expect(try t.changelog.replicaID == new)
    try t.script("INSERT INTO T VALUES (1, 'a')")
    #expect(try t.changes().map(\.stamp.replica) == [new])
  }

  @Test("A change costs the log no more than it must, with others in a transaction or alone in one")
  func size() throws {
    let t = try TrackedDatabase(
      "CREATE TABLE T(id TEXT PRIMARY KEY, title TEXT, note TEXT, done INTEGER, created INTEGER, rank REAL)")
    func bytes(_ expected: Int, _ statements: [String]) throws -> Int {
      let before = try t.lastTransaction
      for sql in statements { try t.script(sql) }
      let rows = try t.rows(
        "SELECT sum(length(payload)), count(*) FROM dimple_log WHERE hlc > \(try t.time(ofTransaction: before))")
      let numbers = try #require(rows.first).split(separator: " ").compactMap { Int($0) }
      #expect(numbers[1] == statements.count)
      #expect(try t.changes(after: before).count == expected)
      // An SQLite row of a rowid table adds the record's header and the 9 bytes of a large rowid: 14 here.
      return (numbers[0] + 14 * numbers[1] + expected - 1) / expected
    }
    let text = "'a title of thirty characters..'"
    let values = "uuid7(), \(text), \(text), 0, 1800000000000 + i, i / 7.0"
    let n = "WITH n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 100)"
    #expect(try bytes(100, ["\(n) INSERT INTO T SELECT \(values) FROM n"]) <= 118)
    #expect(try bytes(100, ["UPDATE T SET done = 1"]) <= 24)
    #expect(try bytes(100, ["DELETE FROM T"]) <= 20)
    let alone = (1...100).map { "WITH n(i) AS (VALUES (\($0))) INSERT INTO T SELECT \(values) FROM n" }
    #expect(try bytes(100, alone) <= 130)
    let ids = try t.rows("SELECT id FROM T")
    #expect(try bytes(100, ids.map { "UPDATE T SET done = 1 WHERE id = \($0)" }) <= 40)
    #expect(try bytes(100, ids.map { "DELETE FROM T WHERE id = \($0)" }) <= 36)
  }

  @Test("A damaged log row is a typed error")
  func damagedLog() throws {
    let t = try TrackedDatabase(Self.table)
    try t.script("INSERT INTO T VALUES (1, 'a'); INSERT INTO T VALUES (2, 'a')")
    for payload in ["x'0901'", "x'09010900'", "x'0901010203'", "x'05'", "x'050100'", "x'0501010901030100'"] {
      try t.database.write { connection in
        try connection.withInternalAccess { try connection.script("UPDATE dimple_log SET payload = \(payload)") }
      }
      let error = #expect(throws: ChangelogError.self) { try t.changes() }
      #expect(error?.code == .damagedLog)
    }
  }
}

extension TrackedDatabase {
  fileprivate func time(ofTransaction number: Int64) throws -> Int64 {
    try changes().last { $0.transaction == number }?.stamp.time.rawValue ?? 0
  }
}

struct Stop: Error {}
