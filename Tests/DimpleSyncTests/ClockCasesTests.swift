import DimpleChangelog
import DimpleRemote
import DimpleStore
import DimpleSync
import DimpleTestSupport
import Testing

@Suite("Clocks that are wrong")
struct ClockCasesTests {
  private let migrations = [Migration("1", "CREATE TABLE Item (id TEXT PRIMARY KEY NOT NULL, a, b)")]
  private let memory = MemoryStorage()
  private let serverClock = ManualClock()

  private func replica(
    _ storage: (any ObjectStorage)? = nil, path: String? = nil, milliseconds: Int64 = 1_800_000_000_000
  ) throws -> SimulatedReplica {
    var options = SyncEngine.Options()
    // Stands still, so that no time passes between a listing and what is decided by it.
    options.clock = SteppedClock()
    return try SimulatedReplica(
      storage: storage ?? DatedStorage(base: memory, clock: serverClock),
      clock: ManualClock(milliseconds: milliseconds), path: path,
      options: options, migrations: migrations)
  }

  private func times(_ replica: SimulatedReplica) throws -> [Int64] {
    try replica.database.changelog?.changes().map(\.stamp.time.rawValue) ?? []
  }

  private func milliseconds(_ replica: SimulatedReplica) throws -> [Int64] { try times(replica).map { $0 >> 12 } }

  private func items(_ replica: SimulatedReplica) throws -> [String] {
    try replica.database.query(String.self, "SELECT id || ' ' || a || ' ' || b FROM Item ORDER BY id")
  }

  @Test("Case 1: a slow clock reads a value and overwrites it: the overwrite wins everywhere")
  func slowClock() async throws {
    let (one, two) = (try replica(), try replica(milliseconds: 1_800_000_000_000 - 3_600_000))
    try await one.database.execute("INSERT INTO Item VALUES ('x', 1, 1)")
    for replica in [one, two] { _ = try await replica.engine.sync() }
    try await two.database.execute("UPDATE Item SET a = 2")
    let report = try await two.engine.sync()
    #expect(report.warnings.map(\.code) == [.clockBehind])
    #expect(report.clockDifference == .seconds(-3600))
    _ = try await one.engine.sync()
    #expect(try items(one) == items(two))
    #expect(try await one.database.queryOne(Int.self, "SELECT a FROM Item") == 2)
  }

  @Test("Case 2: the clock is set back a day and the process restarted: stamps still rise")
  func setBack() async throws {
    let path = TemporaryFile.path()
    defer { TemporaryFile.remove(path) }
    let before = try replica(path: path)
    try await before.database.execute("INSERT INTO Item VALUES ('x', 1, 1)")
    _ = try await before.engine.sync()
    try await before.database.close()
    let after = try replica(path: path, milliseconds: 1_800_000_000_000 - 86_400_000)
    try await after.database.execute("UPDATE Item SET a = 2")
    let times = try times(after)
    #expect(times.count == 2 && times[0] < times[1])
    try await after.database.close()
  }

  @Test("Case 3: a peer in the year 2099 is held and told of, others merge, the own clock does not move")
  func future() async throws {
    let fleet = try (0..<3).map { _ in try replica() }
    fleet[2].clock.milliseconds = 4_070_908_800_000
    serverClock.milliseconds = 4_070_908_800_000
    try await fleet[2].database.execute("INSERT INTO Item VALUES ('future', 1, 1)")
    _ = try await fleet[2].engine.sync()
    serverClock.milliseconds = 1_800_000_000_000
    try await fleet[0].database.execute("INSERT INTO Item VALUES ('now', 1, 1)")
    _ = try await fleet[0].engine.sync()
    let report = try await fleet[1].engine.sync()
    #expect(report.postponedTransactions == 1)
    #expect(report.warnings.map(\.code) == [.postponed])
    #expect(try items(fleet[1]) == ["now 1 1"])
    let author = try #require(fleet[2].database.changelog?.replicaID)
    let waiting = try await fleet[1].engine.postponed()
    #expect(waiting.map(\.replica) == [author])
    #expect(waiting.map(\.transactions) == [1...1])
    #expect(waiting.map(\.time.milliseconds) == [4_070_908_800_000])
    // It is not fetched again and again, and still told of.
    let next = try await fleet[1].engine.sync()
    #expect(next.traffic.gets == 0)
    #expect(next.postponedTransactions == 1)
    try await fleet[1].database.execute("INSERT INTO Item VALUES ('mine', 1, 1)")
    #expect(try milliseconds(fleet[1]) == [1_800_000_000_000])
  }

  @Test("What was held for its time is taken in when the caller trusts it, and moves the clock then")
  func trust() async throws {
    let (one, two) = (try replica(memory), try replica(memory))
    one.clock.advance(milliseconds: 3 * 86_400_000)
    for id in ["p", "q"] { try await one.database.execute("INSERT INTO Item VALUES (\(id), 1, 1)") }
    _ = try await one.engine.sync()
    #expect(try await two.engine.sync().postponedTransactions == 2)
    let author = try #require(one.database.changelog?.replicaID)
    try await two.engine.trust(author, transactions: 2...2)
    #expect(try await two.engine.sync().postponedTransactions == 1)
    #expect(try items(two) == ["q 1 1"])
    try await two.engine.trust(author)
    #expect(try await two.engine.sync().postponedTransactions == 0)
    #expect(try await two.engine.postponed().isEmpty)
    try await two.database.execute("UPDATE Item SET a = 2 WHERE id = 'p'")
    _ = try await two.engine.sync()
    _ = try await one.engine.sync()
    #expect(try items(one) == ["p 2 1", "q 1 1"])
  }

  @Test("Trust can be seen and taken back; what waits then waits again")
  func distrust() async throws {
    let (one, two) = (try replica(memory), try replica(memory))
    #expect(try await two.engine.trusted() == [])
    one.clock.advance(milliseconds: 3 * 86_400_000)
    try await one.database.execute("INSERT INTO Item VALUES ('p', 1, 1)")
    _ = try await one.engine.sync()
    let author = try #require(one.database.changelog?.replicaID)
    let other = ReplicaID(rawValue: 1)
    for numbers in [2...3, 4...6, 9...9] as [ClosedRange<Int64>] {
      try await two.engine.trust(other, transactions: numbers)
    }
    try await two.engine.trust(author)
    let trusted = try await two.engine.trusted()
    #expect(trusted.map(\.replica) == [other, other, author])
    #expect(trusted.map(\.transactions) == [2...6, 9...9, 1...Int64.max])
    try await two.engine.distrust(author)
    #expect(try await two.engine.trusted().map(\.replica) == [other, other])
    #expect(try await two.engine.sync().postponedTransactions == 1)
    #expect(try items(two) == [])
  }

  @Test("Options may be as long as can be, or shorter than a second")
  func durations() async throws {
    var options = SyncEngine.Options()
    options.clock = SteppedClock()
    options.maximumDrift = .seconds(Int64.max)
    options.clockTolerance = .seconds(Int64.max)
    let storage = DatedStorage(base: memory, clock: serverClock)
    let patient = try SimulatedReplica(storage: storage, options: options, migrations: migrations)
    patient.clock.advance(milliseconds: 900_000_000_000)
    try await patient.database.execute("INSERT INTO Item VALUES ('x', 1, 1)")
    let report = try await patient.engine.sync()
    #expect((report.restampedTransactions, report.clockDifference) == (0, nil))
    #expect(try await patient.engine.postponed() == [])
    let reader = try SimulatedReplica(storage: storage, options: options, migrations: migrations)
    #expect(try await reader.engine.sync().postponedTransactions == 0)
    #expect(try items(reader) == ["x 1 1"])
    for (tolerance, restamped) in [(500, 0), (200, 1)] {
      options.clockTolerance = .milliseconds(tolerance)
      let strict = try SimulatedReplica(
        storage: DatedStorage(base: MemoryStorage(), clock: serverClock), options: options, migrations: migrations)
      strict.clock.advance(milliseconds: 300)
      try await strict.database.execute("INSERT INTO Item VALUES ('x', 1, 1)")
      #expect(try await strict.engine.sync().restampedTransactions == restamped)
    }
  }

  @Test("Case 4: edits made under a wrong clock, then the first sync: restamped, order kept")
  func restamped() async throws {
    let (one, two) = (try replica(), try replica())
    try await one.database.execute("INSERT INTO Item VALUES ('old', 0, 0)")
    one.clock.advance(milliseconds: 365 * 86_400_000)
    try await one.database.write { connection in
      try connection.execute("INSERT INTO Item VALUES ('x', 1, 1)")
      try connection.execute("INSERT INTO Item VALUES ('y', 1, 1)")
    }
    one.clock.advance(milliseconds: 10_000)
    try await one.database.execute("UPDATE Item SET id = 'z' WHERE id = 'y'")
    one.clock.milliseconds = 1_800_000_000_000
    try await one.database.execute("UPDATE Item SET a = 2 WHERE id = 'x'")
    serverClock.advance(milliseconds: 60_000)
    one.clock.advance(milliseconds: 60_000)
    let before = try #require(try one.database.changelog?.changes())
    let report = try await one.engine.sync()
    #expect(report.restampedTransactions == 3)
    #expect(report.pushedTransactions == 4)
    #expect(report.warnings.map(\.code) == [.restamped])
    let after = try #require(try one.database.changelog?.changes())
    #expect(after.map(\.key) == before.map(\.key))
    #expect(after.map(\.transaction) == before.map(\.transaction))
    #expect(after[0].stamp.time == before[0].stamp.time)
    #expect(zip(after, after.dropFirst()).allSatisfy { $0.stamp < $1.stamp })
    #expect(after.last?.stamp.time.milliseconds == serverClock.milliseconds)
    // The distances stay where there is room for them.
    #expect(
      after[4].stamp.time.rawValue - after[1].stamp.time.rawValue == before[4].stamp.time.rawValue
        - before[1].stamp.time.rawValue)
    // A later edit elsewhere wins, as it should.
    two.clock.advance(milliseconds: 120_000)
    _ = try await two.engine.sync()
    try await two.database.execute("UPDATE Item SET a = 3 WHERE id = 'x'")
    _ = try await two.engine.sync()
    _ = try await one.engine.sync()
    #expect(try items(one) == ["old 0 0", "x 3 1", "z 1 1"])
    #expect(try items(one) == items(two))
    // The clock is back where it belongs.
    try await one.database.execute("UPDATE Item SET b = 4 WHERE id = 'x'")
    #expect(try milliseconds(one).last == two.clock.milliseconds)
  }

  @Test("What is restamped is restamped in the merged state, and stays after all that was seen when it was made")
  func restampedState() async throws {
    let (one, two, three) = (try replica(), try replica(), try replica())
    try await two.database.execute("INSERT INTO Item VALUES ('x', 1, 1)")
    _ = try await two.engine.sync()
    // A merge folds the own changes: its put fails, so that nobody sees them, but it is attempted only after the guard.
    one.clock.advance(milliseconds: 40_000)
    try await one.database.execute("INSERT INTO Item VALUES ('y', 1, 1)")
    let faulty = FaultyStorage(memory, schedule: FaultSchedule { $0.operation == .put ? .failBefore : nil })
    let failing = SyncEngine(one.database, storage: faulty, vault: TransparentVault())
    one.clock.advance(milliseconds: 86_400_000)
    try await two.database.execute("UPDATE Item SET b = 2")
    _ = try await two.engine.sync()
    try await one.database.execute("UPDATE Item SET a = 7 WHERE id = 'y'")
    await #expect(throws: RemoteError.self) { _ = try await failing.sync() }
    // That put may have landed: what was in it keeps its time. What is written now does not.
    one.clock.advance(milliseconds: 1000)
    try await one.database.execute("UPDATE Item SET b = 8 WHERE id = 'x'")
    let before = try times(one)
    one.clock.milliseconds = serverClock.milliseconds
    let report = try await one.engine.sync()
    #expect(try Array(times(one).prefix(2)) == Array(before.prefix(2)))
    // After the attempted ones there is nothing to gain.
    #expect(report.restampedTransactions == 1)
    #expect(try times(one)[2] == before[1] + 1)
    for replica in [two, three, two, one, three] {
      replica.clock.milliseconds = 1_800_000_000_000 + 2 * 86_400_000
      _ = try await replica.engine.sync()
    }
    #expect(try items(one) == ["x 1 8", "y 7 1"])
    #expect(try one.database.fingerprint() == two.database.fingerprint())
    #expect(try one.database.fingerprint() == three.database.fingerprint())
  }

  @Test("Case 5: a batch that fails half-way leaves the clock as it was")
  func failedBatch() async throws {
    let (one, two) = (try replica(), try replica())
    try await two.database.execute("INSERT INTO Item VALUES ('y', 1, 1)")
    _ = try await two.engine.sync()
    one.clock.advance(milliseconds: 40_000)
    try await one.database.execute("INSERT INTO Item VALUES ('x', 1, zeroblob(500000))")
    _ = try await one.engine.sync()
    let pages = try #require(try await two.database.queryOne(Int.self, "PRAGMA page_count"))
    try await two.database.execute("PRAGMA max_page_count = \(raw: "\(pages + 20)")")
    await #expect(throws: StoreError.self) { _ = try await two.engine.sync() }
    #expect(try items(two) == ["y 1 1"])
    try await two.database.execute("PRAGMA max_page_count = 100000")
    try await two.database.execute("UPDATE Item SET a = 2 WHERE id = 'y'")
    #expect(try milliseconds(two).last == two.clock.milliseconds)
    _ = try await two.engine.sync()
    try await two.database.execute("UPDATE Item SET a = 3 WHERE id = 'y'")
    #expect(try milliseconds(two).last == one.clock.milliseconds)
  }
}
