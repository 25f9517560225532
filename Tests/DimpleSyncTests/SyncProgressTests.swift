import DimpleRemote
import DimpleStore
import DimpleTestSupport
import Testing

@testable import DimpleSync

@Suite("Progress of a sync", .timeLimit(.minutes(10)))
struct SyncProgressTests {
  private let migrations = [Migration("1", "CREATE TABLE Item (id TEXT PRIMARY KEY NOT NULL, a)")]

  /// Everything that one sync said.
  private func steps(_ engine: SyncEngine) async throws -> [SyncProgress] {
    let stream = engine.meter.stream(buffered: 10_000)
    _ = try await engine.sync()
    // Nothing else says such a thing: the end.
    engine.meter.advance(.listing, transactions: -1)
    engine.meter.end()
    var steps: [SyncProgress] = []
    for await step in stream {
      if step.transactions == -1 { break }
      steps.append(step)
    }
    return steps
  }

  private func phases(_ steps: [SyncProgress]) -> [SyncProgress.Phase] {
    steps.map(\.phase).reduce(into: []) { phases, phase in if phases.last != phase { phases.append(phase) } }
  }

  private func last(_ phase: SyncProgress.Phase, _ steps: [SyncProgress]) throws -> SyncProgress {
    try #require(steps.last { $0.phase == phase })
  }

  @Test func phasesComeInOrderAndCountsReachTheirTotals() async throws {
    let storage = MemoryStorage()
    let (one, two) = (
      try SimulatedReplica(storage: storage, migrations: migrations),
      try SimulatedReplica(storage: storage, migrations: migrations)
    )
    for pack in 0..<7 {
      for row in 0..<3 { try await one.database.execute("INSERT INTO Item VALUES (\("\(pack) \(row)"), 1)") }
      _ = try await one.engine.sync()
    }
    let size = try await storage.listAll(prefix: "log/").reduce(0) { $0 + $1.size }
    try await two.database.execute("INSERT INTO Item VALUES ('own', 1)")
    let steps = try await steps(two.engine)
    #expect(phases(steps) == [.listing, .pulling, .merging, .pushing])
    let pulled = try last(.pulling, steps)
    #expect((pulled.transactions, pulled.totalTransactions) == (21, 21))
    #expect((pulled.bytes, pulled.totalBytes) == (size, size))
    let pushed = try last(.pushing, steps)
    #expect((pushed.transactions, pushed.totalTransactions, pushed.totalBytes) == (1, 1, nil))
    for phase in SyncProgress.Phase.allCases {
      let counts = steps.filter { $0.phase == phase }.map(\.transactions)
      #expect(counts == counts.sorted())
    }
    let merged = try last(.merging, steps)
    #expect((merged.transactions, merged.totalTransactions) == (21, 21))
  }

  @Test func joiningCounts() async throws {
    let replica = try SimulatedReplica(storage: MemoryStorage(), migrations: migrations)
    for row in 0..<9 {
      try await replica.database.execute("INSERT INTO Item VALUES (\("\(row)"), 1)")
      if row < 8 { _ = try await replica.engine.sync() }
    }
    let steps = try await steps(replica.engine)
    #expect(phases(steps) == [.listing, .merging, .pushing, .compacting])
    let joined = try last(.compacting, steps)
    #expect((joined.transactions, joined.totalTransactions) == (8, 8))
    #expect(joined.bytes > 0 && joined.bytes == joined.totalBytes)
  }

  @Test func nothingNewIsAListingAndALook() async throws {
    let replica = try SimulatedReplica(storage: MemoryStorage(), migrations: migrations)
    _ = try await replica.engine.sync()
    #expect(try await phases(steps(replica.engine)) == [.listing, .merging])
  }

  @Test func largePullsAlternateAndGoOnCounting() async throws {
    let storage = MemoryStorage()
    let one = try SimulatedReplica(storage: storage, migrations: migrations)
    for row in 0..<4 {
      try await one.database.execute("INSERT INTO Item VALUES (\("\(row)"), 1)")
      _ = try await one.engine.sync()
    }
    var options = SyncEngine.Options()
    options.parallelGets = 2
    options.mergeBatchSize = 1
    let two = try SimulatedReplica(storage: storage, options: options, migrations: migrations)
    let steps = try await steps(two.engine)
    #expect(phases(steps) == [.listing, .pulling, .merging, .pulling, .merging])
    #expect(steps.filter { $0.phase == .pulling }.map(\.transactions) == [0, 1, 2, 2, 3, 4])
  }

  @Test func everyListenerHearsTheLatest() async throws {
    let (arrived, arrival) = AsyncStream.makeStream(of: Void.self)
    let storage = FaultyStorage(MemoryStorage(), schedule: .none) { _ in
      arrival.yield()
      try await SteppedClock.suspendUntilCancelled()
    }
    let engine = try SimulatedReplica(storage: storage, migrations: migrations).engine
    let streams = [engine.progress, engine.progress]
    let sync = Task { try await engine.sync() }
    for await _ in arrived { break }
    let late = engine.progress
    for stream in streams + [late] {
      for await step in stream {
        #expect(step.phase == .listing)
        break
      }
    }
    sync.cancel()
    _ = await sync.result
  }
}
