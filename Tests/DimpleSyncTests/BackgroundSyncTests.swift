import DimpleRemote
import DimpleStore
import DimpleSync
import DimpleTestSupport
import Testing

@Suite("Sync in the background", .timeLimit(.minutes(10)))
struct BackgroundSyncTests {
  private static let migrations = [Migration("1", "CREATE TABLE Item (id TEXT PRIMARY KEY NOT NULL, a)")]

  /// One replica that syncs by itself, on a clock that the test moves.
  private struct Setting {
    let memory = MemoryStorage()
    let clock = SteppedClock()
    let faulty: FaultyStorage
    let replica: SimulatedReplica
    let background: BackgroundSync
    var events: AsyncStream<BackgroundSync.Event>.Iterator

    init(
      schedule: FaultSchedule = .none, delay: @escaping @Sendable (StorageRequest) async throws -> Void = { _ in }
    ) throws {
      faulty = FaultyStorage(memory, schedule: schedule, delay: delay)
      replica = try SimulatedReplica(storage: faulty, migrations: BackgroundSyncTests.migrations)
      var options = BackgroundSync.Options()
      options.clock = clock
      options.jitter = 0
      options.random = SeededRandom(seed: 1)
      background = replica.engine.start(every: .seconds(60), options: options)
      events = background.events.makeAsyncIterator()
    }

    /// The next event that is the end of a sync, in a word.
    mutating func end() async -> String? {
      while let event = await events.next() {
        switch event {
        case .finished(let report):
          return "finished, \(report.pushedTransactions) sent, \(report.pulledTransactions) taken"
        case .failed(let error): return "failed: \((error as? RemoteError)?.code.description ?? "\(error)")"
        case .cancelled: return "cancelled"
        case .started, .progress: continue
        }
      }
      return nil
    }

    func insert(_ id: String) async throws {
      try await replica.database.execute("INSERT INTO Item VALUES (\(id), 1)")
    }
  }

  @Test func itSyncsAtOnceAndAtIntervals() async throws {
    var setting = try Setting()
    #expect(await setting.end() == "finished, 0 sent, 0 taken")
    let other = try SimulatedReplica(storage: setting.memory, migrations: Self.migrations)
    try await other.database.execute("INSERT INTO Item VALUES ('other', 1)")
    _ = try await other.engine.sync()
    await setting.clock.waitForSleeper(until: .seconds(60))
    setting.clock.advance(by: .seconds(60))
    #expect(await setting.end() == "finished, 0 sent, 1 taken")
    // What was merged is no local change: the next sync is an interval away.
    await setting.clock.waitForSleeper(until: .seconds(120))
    #expect(try await setting.replica.database.queryOne(Int.self, "SELECT count(*) FROM Item") == 1)
    await setting.background.stop()
  }

  @Test func itSyncsSoonAfterTheLastOfSomeCommits() async throws {
    var setting = try Setting()
    #expect(await setting.end() == "finished, 0 sent, 0 taken")
    try await setting.insert("a")
    await setting.clock.waitForSleeper(until: .seconds(2))
    setting.clock.advance(by: .seconds(1))
    try await setting.insert("b")
    await setting.clock.waitForSleeper(until: .seconds(3))
    setting.clock.advance(by: .seconds(2))
    #expect(await setting.end() == "finished, 2 sent, 0 taken")
    await setting.clock.waitForSleeper(until: .seconds(63))
    await setting.background.stop()
  }

  @Test func whatFailedInPassingIsTriedAgain() async throws {
    var setting = try Setting(schedule: FaultSchedule { $0.number == 1 ? .failBefore : nil })
    let first = try #require(await setting.end())
    #expect(first.hasPrefix("failed"))
    setting.clock.advance(by: .seconds(1))
    #expect(await setting.end() == "finished, 0 sent, 0 taken")
    await setting.background.stop()
  }

  /// A storage may throw the error of a cancelled task when nobody cancelled this one; what was committed is sent all the same.
  @Test func aCancellationThatNobodyAskedForIsTriedAgain() async throws {
    var setting = try Setting { if $0.number == 2 { throw CancellationError() } }
    #expect(await setting.end() == "finished, 0 sent, 0 taken")
    try await setting.insert("x")
    await setting.clock.waitForSleeper(until: .seconds(2))
    setting.clock.advance(by: .seconds(2))
    let second = try #require(await setting.end())
    #expect(second.hasPrefix("failed"))
    setting.clock.advance(by: .seconds(1))
    #expect(await setting.end() == "finished, 1 sent, 0 taken")
    await setting.background.stop()
  }

  @Test func whatWillNotPassEndsIt() async throws {
    var setting = try Setting { _ in
      throw RemoteError(.accessDenied, operation: "list", message: "No.", hint: "Ask for permission.")
    }
    #expect(await setting.end() == "failed: accessDenied")
    #expect(await setting.end() == nil)
    // Who listens only now is told why.
    var late = setting.background.events.makeAsyncIterator()
    guard case .failed = await late.next() else {
      Issue.record("The last event is not the failure.")
      return
    }
    #expect(await late.next() == nil)
  }

  @Test func aPauseBreaksOffASyncAndLosesNothing() async throws {
    let (arrived, arrival) = AsyncStream.makeStream(of: Void.self)
    var setting = try Setting { request in
      guard request.number == 1 else { return }
      arrival.yield()
      try await SteppedClock.suspendUntilCancelled()
    }
    for await _ in arrived { break }
    try await setting.insert("x")
    await setting.background.pause()
    #expect(await setting.end() == "cancelled")
    #expect(setting.faulty.requestCount == 1)
    setting.background.syncNow()
    setting.clock.advance(by: .seconds(1000))
    setting.background.resume()
    #expect(await setting.end() == "finished, 1 sent, 0 taken")
    #expect(setting.faulty.requestCount == 3)
    await setting.background.stop()
    #expect(await setting.end() == nil)
  }

  @Test func syncNowDoesNotWait() async throws {
    var setting = try Setting()
    #expect(await setting.end() == "finished, 0 sent, 0 taken")
    try await setting.insert("x")
    setting.background.syncNow()
    #expect(await setting.end() == "finished, 1 sent, 0 taken")
    #expect(setting.clock.now.offset == .zero)
    await setting.background.stop()
  }

  @Test func lettingItGoStopsIt() async throws {
    let memory = MemoryStorage()
    let replica = try SimulatedReplica(storage: memory, migrations: Self.migrations)
    var options = BackgroundSync.Options()
    options.clock = SteppedClock()
    var background: BackgroundSync? = replica.engine.start(every: .seconds(60), options: options)
    let events = try #require(background?.events)
    background = nil
    // Ends, or the time limit tells.
    for await _ in events {}
  }

  @Test func progressComesBetweenTheStartAndTheEnd() async throws {
    let memory = MemoryStorage()
    let other = try SimulatedReplica(storage: memory, migrations: Self.migrations)
    try await other.database.execute("INSERT INTO Item VALUES ('other', 1)")
    _ = try await other.engine.sync()
    let (arrived, arrival) = AsyncStream.makeStream(of: Void.self)
    let (opened, opening) = AsyncStream.makeStream(of: Void.self)
    let storage = FaultyStorage(memory, schedule: .none) { request in
      guard request.operation == .get else { return }
      arrival.yield()
      for await _ in opened { break }
    }
    let replica = try SimulatedReplica(storage: storage, migrations: Self.migrations)
    var options = BackgroundSync.Options()
    options.clock = SteppedClock()
    let background = replica.engine.start(every: .seconds(60), options: options)
    for await _ in arrived { break }
    var events = background.events.makeAsyncIterator()
    var phase: SyncProgress.Phase?
    while phase != .pulling, let event = await events.next() {
      guard case .progress(let progress) = event else { continue }
      phase = progress.phase
      if phase == .pulling { #expect(progress.totalTransactions == 1) }
    }
    #expect(phase == .pulling)
    opening.yield()
    var isFinished = false
    while !isFinished, let event = await events.next() { if case .finished = event { isFinished = true } }
    #expect(isFinished)
    await background.stop()
  }

  /// Whatever was going on, the next sync goes on there.
  @Test(arguments: 1...5) func cancelledAtAnyRequestTheRestFollows(request: Int) async throws {
    let memory = MemoryStorage()
    for index in 0..<3 {
      let other = try SimulatedReplica(storage: memory, migrations: Self.migrations)
      try await other.database.execute("INSERT INTO Item VALUES (\("other \(index)"), 1)")
      _ = try await other.engine.sync()
    }
    let faulty = FaultyStorage(memory, schedule: .none) {
      if $0.number == request { withUnsafeCurrentTask { $0?.cancel() } }
      try Task.checkCancellation()
    }
    let replica = try SimulatedReplica(storage: faulty, migrations: Self.migrations)
    try await replica.database.execute("INSERT INTO Item VALUES ('own', 1)")
    let result = await Task { try await replica.engine.sync() }.result
    #expect(throws: CancellationError.self) { try result.get() }
    _ = try await replica.engine.sync()
    #expect(try await replica.database.queryOne(Int.self, "SELECT count(*) FROM Item") == 4)
    let newcomer = try SimulatedReplica(storage: memory, migrations: Self.migrations)
    _ = try await newcomer.engine.sync()
    #expect(try newcomer.database.fingerprint() == replica.database.fingerprint())
  }
}
