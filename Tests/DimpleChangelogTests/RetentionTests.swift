import DimpleStore
import DimpleTestSupport
import Testing

@testable import DimpleChangelog

@Suite("How long the log is kept")
struct RetentionTests {
  private static let schema = "CREATE TABLE T(id INTEGER PRIMARY KEY, a)"

  private func database(_ retention: Changelog.Retention, path: String? = nil) throws -> TrackedDatabase {
    try TrackedDatabase(path == nil ? Self.schema : "", path: path, retention: retention)
  }

  private func storedRows(_ t: TrackedDatabase, _ table: String = "dimple_log") throws -> Int {
    try t.database.querySingle(Int.self, "SELECT count(*) FROM \(raw: table)")
  }

  @Test("All is kept unless said otherwise")
  func all() throws {
    let t = try database(.all)
    for id in 1...5 { try t.script("INSERT INTO T VALUES (\(id), 0)") }
    #expect(try t.trim().removedRows == 0)
    #expect(try t.changes().count == 5)
  }

  @Test("What is older than the duration goes, whole transactions at a time, and moments before are a typed error")
  func duration() throws {
    let t = try database(.duration(.seconds(60)))
    try t.script("INSERT INTO T VALUES (1, 'old')")
    t.clock.advance(milliseconds: 30_000)
    try t.script("INSERT INTO T VALUES (2, 'old'), (3, 'old')")
    t.clock.advance(milliseconds: 31_000)
    try t.script("UPDATE T SET a = 'new' WHERE id = 2")
    let report = try t.trim()
    #expect(report.firstTransaction == 2 && report.removedRows == 1 && report.removedBytes > 0)
    #expect(try t.changes().map(\.transaction) == [2, 2, 3])
    #expect(try t.database.asOf(.transaction(1)).rows("SELECT id FROM T").map { $0[0] } == [.integer(1)])
    for moment in [PastMoment.transaction(0), .time(HybridTime(milliseconds: t.clock.milliseconds - 62_000))] {
      let error = #expect(throws: ChangelogError.self) { try t.database.asOf(moment) }
      #expect(error?.code == .historyRemoved && error?.hint.isEmpty == false)
    }
    let error = #expect(throws: ChangelogError.self) { try t.changelog.undo(transaction: 1) }
    #expect(error?.code == .historyRemoved)
    #expect(try t.changelog.history(of: "T", key: [1]).isComplete == false)
    #expect(try t.changelog.statistics().transactions == 2...3)
  }

  @Test("Where sync needs nothing and age does not count, everything goes, and numbers and times go on")
  func minimal() throws {
    let file = try TemporaryFile()
    let t = try database(.minimal, path: file.path)
    try t.script(Self.schema)
    for id in 1...5 { try t.script("INSERT INTO T VALUES (\(id), 0)") }
    let last = try #require(try t.changes().last?.stamp)
    #expect(try t.trim().firstTransaction == 6)
    #expect(try t.changes() == [] && storedRows(t) == 0)
    #expect(try t.changelog.statistics().changes == 0)
    // In this process, in another one that has the file open, and in one that opens it later; the clock has gone back.
    let other = try database(.minimal, path: file.path)
    for clock in [t.clock, other.clock] { clock.advance(milliseconds: -3_600_000) }
    try t.script("INSERT INTO T VALUES (6, 0)")
    try t.trim()
    try other.script("INSERT INTO T VALUES (7, 0)")
    try other.trim()
    for open in [t, other] { try open.database.close() }
    let later = try database(.minimal, path: file.path)
    later.clock.advance(milliseconds: -3_600_000)
    try later.script("INSERT INTO T VALUES (8, 0)")
    let change = try #require(try later.changes().first)
    #expect(change.transaction == 8)
    #expect(change.stamp.time.rawValue >= last.time.rawValue + 3)
    #expect(change.stamp.replica == last.replica)
  }

  @Test("Reading on from a transaction that is followed by removed ones is a typed error, not a gap")
  func readingOn() async throws {
    let t = try database(.minimal)
    for id in 1...4 { try t.script("INSERT INTO T VALUES (\(id), 0)") }
    try t.trim()
    try t.script("INSERT INTO T VALUES (5, 0)")
    #expect(try t.changes(after: 4).map(\.transaction) == [5])
    #expect(try t.changes(after: 0).map(\.transaction) == [5])
    let error = #expect(throws: ChangelogError.self) { try t.changes(after: 3) }
    #expect(error?.code == .historyRemoved)
    var feed = try t.changelog.follow(after: 3).makeAsyncIterator()
    let failure = await #expect(throws: ChangelogError.self) { try await feed.next() }
    #expect(failure?.code == .historyRemoved)
    var whole = try t.changelog.follow().makeAsyncIterator()
    #expect(try await whole.next()?.number == 5)
  }

  @Test("It takes many small steps, may stop after any, and nobody sees a part of a transaction meanwhile")
  func steps() throws {
    let t = try database(.minimal)
    for start in [0, 1000, 2000] {
      try t.script(
        """
        WITH n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
        INSERT INTO T SELECT \(start) + i, hex(randomblob(40)) FROM n
        """)
    }
    let before = try storedRows(t)
    var report = TrimReport()
    var hasMore = true
    while hasMore {
      let rows = try storedRows(t)
      hasMore = try t.changelog.trimStep(&report)
      #expect(try rows - storedRows(t) <= 256)
      #expect(try t.changes() == [] && t.lastTransaction == 3)
    }
    #expect(report.removedRows == before && report.steps > 1)
    #expect(try storedRows(t) == 0)
    #expect(try t.logged("DELETE FROM T WHERE id = 1") == ["delete T[1]"])
    #expect(try t.changes().last?.transaction == 4)
  }

  @Test("A row of any size goes, one to a step")
  func largeRows() throws {
    let t = try database(.minimal)
    for id in 1...4 { try t.script("INSERT INTO T VALUES (\(id), randomblob(400000))") }
    let report = try t.trim()
    #expect(report.removedRows == 4 && report.steps >= 4 && report.removedBytes > 1_600_000)
  }

  @Test("Trimming is done by itself, beside the app's work")
  func background() async throws {
    let t = try TrackedDatabase(Self.schema, retention: .minimal, trimsByItself: true)
    for id in 1...3 { try t.script("INSERT INTO T VALUES (\(id), 0)") }
    try await t.changelog.trimming.finish()
    let quiet = try TrackedDatabase(Self.schema, retention: .all, trimsByItself: true)
    try quiet.script("INSERT INTO T VALUES (1, 0)")
    try await quiet.changelog.trimming.finish()
    let (kept, whole) = (try t.keptFrom, try quiet.keptFrom)
    #expect(kept > 1 && whole == 1)
  }

  @Test("What sync has not folded and sent is kept whatever the choice")
  func neededBySync() throws {
    let t = try database(.minimal)
    for id in 1...5 { try t.script("INSERT INTO T VALUES (\(id), 0)") }
    func need(after number: Int64) throws {
      try t.database.write { connection in
        try connection.withInternalAccess { try t.changelog.setNeeded(after: number, connection) }
      }
    }
    try need(after: 0)
    #expect(try t.trim().firstTransaction == 1)
    try need(after: 3)
    #expect(try t.trim().firstTransaction == 4)
    #expect(try t.changes().map(\.transaction) == [4, 5])
    // What is gone does not come back.
    try need(after: 0)
    #expect(try t.trim().firstTransaction == 4)
  }

  @Test("An undo stack keeps the log of its steps, and remembers what they overwrote")
  func undo() throws {
    let file = try TemporaryFile()
    let t = try database(.minimal, path: file.path)
    try t.script(Self.schema + "; INSERT INTO T VALUES (1, 'first'), (2, 'first')")
    try t.trim()
    let stack = try UndoStack(t.database)
    try stack.write("change") { try $0.execute("UPDATE T SET a = 'second' WHERE id = 1") }
    try stack.write("delete") { try $0.execute("DELETE FROM T WHERE id = 2") }
    #expect(try t.trim().firstTransaction == 2)
    try stack.undo()
    try stack.undo()
    #expect(try t.rows("SELECT * FROM T") == ["1 'first'", "2 'first'"])
    try stack.redo()
    #expect(try t.rows("SELECT a FROM T WHERE id = 1") == ["'second'"])
    stack.removeAll()
    #expect(try t.trim().firstTransaction > 5)
  }

  @Test("The record of merges loses its beginning, never its last row")
  func merges() throws {
    let t = try database(.duration(.seconds(10)))
    try t.script("INSERT INTO T VALUES (1, 0)")
    for number in 1...4 {
      t.clock.advance(milliseconds: 4000)
      try t.database.withMergeTransaction { connection in
        let recorder = try t.changelog.mergeRecorder(connection, isFirst: number == 1)
        let stamp = Stamp(time: HybridTime(milliseconds: t.clock.milliseconds), replica: ReplicaID(rawValue: 9))
        try recorder.record(
          .update, table: "T", key: [.integer(1)], columns: [ColumnValue(name: "a", value: .integer(1))], at: stamp)
        try recorder.finish()
      }
    }
    try t.trim()
    #expect(try t.rows("SELECT id FROM dimple_merge") == ["2", "3", "4"])
    t.clock.advance(milliseconds: 1_000_000)
    try t.trim()
    #expect(try t.rows("SELECT id FROM dimple_merge") == ["4"])
    #expect(try t.changelog.history(of: "T", key: [1]).isComplete == false)
  }

  @Test(
    "Random retention, writes, trims and reopenings: what is kept is right, what is not is an error", arguments: 1...8)
  func random(number: UInt64) throws {
    var random = SeededRandom(seed: number)
    let file = try TemporaryFile()
    let clock = ManualClock()
    var t = try TrackedDatabase(Self.schema, path: file.path, clock: clock)
    var expected: [Int64: [String]] = [0: []]
    for _ in 0..<120 {
      switch random.below(12) {
      case 0:
        try t.database.close()
        let choices: [Changelog.Retention] = [.all, .minimal, .duration(.milliseconds(random.below(200)))]
        t = try TrackedDatabase(path: file.path, clock: clock, retention: random.pick(choices) ?? .all)
      case 1: try t.trim()
      case 2: clock.advance(milliseconds: Int64(random.below(100)) - 20)
      case 3, 4: try t.script("DELETE FROM T WHERE id = \(random.below(6))")
      default: try t.script("REPLACE INTO T VALUES (\(random.below(6)), \(random.below(1000)))")
      }
      expected[try t.lastTransaction] = try t.rows("SELECT * FROM T")
    }
    let first = try t.changes().first?.transaction ?? t.lastTransaction + 1
    #expect(try Set(t.changes().map(\.transaction)) == Set(first..<(t.lastTransaction + 1)), "seed \(number)")
    for (moment, rows) in expected {
      do {
        let past = try t.database.asOf(.transaction(moment)).rows("SELECT * FROM T")
        #expect(past.map { "\(describe($0[0])) \(describe($0[1]))" } == rows, "seed \(number), \(moment)")
      } catch let error as ChangelogError {
        #expect(error.code == .historyRemoved, "seed \(number), \(moment)")
      }
    }
  }
}

@Suite("Where the log begins")
struct TrimPlanTests {
  @Test("By the choice, never back, never into what sync or undo needs, never past the end")
  func decides() {
    func kept(
      _ retention: Changelog.Retention, kept: Int64 = 1, recent: Int64 = 1, needed: Int64? = nil, held: Int64? = nil
    ) -> Int64 {
      TrimPlan(retention, last: 100, kept: kept, recent: recent, needed: needed, held: held).kept
    }
    #expect(kept(.all) == 1)
    #expect(kept(.all, kept: 40) == 40)
    #expect(kept(.minimal) == 101)
    #expect(kept(.minimal, needed: 0) == 1)
    #expect(kept(.minimal, needed: 30) == 31)
    #expect(kept(.minimal, kept: 50, needed: 30) == 50)
    #expect(kept(.minimal, held: 20) == 20)
    #expect(kept(.minimal, needed: 30, held: 20) == 20)
    #expect(kept(.duration(.seconds(1)), recent: 70) == 70)
    #expect(kept(.duration(.seconds(1)), recent: 70, needed: 60) == 61)
    #expect(kept(.duration(.seconds(1)), recent: 900) == 101)
  }
}
