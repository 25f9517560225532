import DimpleChangelog
import DimpleRemote
import DimpleStore
import DimpleTestSupport
import Testing

@testable import DimpleSync

@Suite("What a sync reports")
struct SyncReportTests {
  private static let migrations = [Migration("1", "CREATE TABLE Item (id TEXT PRIMARY KEY NOT NULL, a INTEGER UNIQUE)")]

  private func replica(_ storage: any ObjectStorage) throws -> SimulatedReplica {
    try SimulatedReplica(storage: storage, migrations: Self.migrations)
  }

  /// What makes a report one of something.
  private static let somethings: [@Sendable (inout SyncReport) -> Void] = [
    { $0.pushedTransactions = 1 }, { $0.joinedPacks = 1 }, { $0.removedPacks = 1 }, { $0.wroteSnapshot = true },
    { $0.mergedSnapshot = true }, { $0.pulledTransactions = 1 }, { $0.pushedParts = 1 }, { $0.pulledParts = 1 },
    { $0.removedParts = 1 }, { $0.changedRows = 1 }, { $0.newlyHeldRows = 1 }, { $0.newlyKeptRows = 1 },
    { $0.postponedTransactions = 1 }, { $0.ignoredPacks = 1 }, { $0.relayedPacks = 1 }, { $0.tookNewName = true },
    { $0.restampedTransactions = 1 }, { $0.clockDifference = .seconds(-90) },
    { $0.missing = [MissingTransactions(replica: ReplicaID(rawValue: 1), transactions: [1...1], isOwn: true)] },
    { $0.diverged = [ReplicaID(rawValue: 1)] },
    { $0.skipped = [SkippedObject(key: "log/x", error: PackHeaderCodec.damaged("It is not one."))] },
  ]

  @Test(arguments: somethings.indices) func aReportOfSomethingIsNotEmpty(index: Int) {
    var report = SyncReport()
    (report.heldRows, report.keptRows, report.spooledBytes, report.traffic.lists) = (2, 1, 100, 1)
    #expect(report.isEmpty)
    Self.somethings[index](&report)
    #expect(!report.isEmpty, "\(report)")
  }

  /// As many replicas as told wrote to the vault.
  private func vault(_ count: Int) async throws -> MemoryStorage {
    let storage = MemoryStorage()
    for index in 0..<count {
      let other = try replica(storage)
      try await other.database.execute("INSERT INTO Item VALUES (\("other \(index)"), NULL)")
      _ = try await other.engine.sync()
    }
    return storage
  }

  @Test(arguments: [1, 50]) func requestsStayWithinTheDesignsTable(others: Int) async throws {
    let counting = CountingStorage(try await vault(others))
    let replica = try replica(counting)
    let first = try await replica.engine.sync().traffic
    #expect((first.lists, first.gets, first.puts, first.deletes) == (1, others, 0, 0))
    let nothing = try await replica.engine.sync().traffic
    #expect((nothing.lists, nothing.requests) == (1, 1))
    #expect((nothing.bytesReceived, nothing.bytesSent) == (0, 0))
    for index in 0..<20 { try await replica.database.execute("INSERT INTO Item VALUES (\("own \(index)"), NULL)") }
    let changes = try await replica.engine.sync().traffic
    #expect((changes.lists, changes.puts, changes.requests) == (1, 1, 2))
    let counts = counting.counts
    #expect(counts.requests == first.requests + nothing.requests + changes.requests)
    #expect(Int64(counts.bytesRead) == first.bytesReceived)
    #expect(Int64(counts.bytesWritten) == changes.bytesSent)
    #expect(changes.bytesSent > 0)
  }

  @Test func transactionsAndChangesAreCounted() async throws {
    let storage = MemoryStorage()
    let (one, two) = (try replica(storage), try replica(storage))
    try await one.database.write { connection in
      for id in ["a", "b", "c"] { try connection.execute("INSERT INTO Item VALUES (\(id), NULL)") }
    }
    try await one.database.execute("UPDATE Item SET a = 1 WHERE id = 'a'")
    let sent = try await one.engine.sync()
    #expect((sent.pushedTransactions, sent.pushedPacks, sent.pulledTransactions) == (2, 1, 0))
    let taken = try await two.engine.sync()
    #expect((taken.pulledTransactions, taken.pulledChanges, taken.pulledPacks, taken.changedRows) == (2, 4, 1, 3))
    #expect(taken.warnings.isEmpty)
  }

  @Test func newlyHeldRowsAreWarnedOfOnce() async throws {
    let storage = MemoryStorage()
    let (one, two) = (try replica(storage), try replica(storage))
    try await one.database.execute("INSERT INTO Item VALUES ('x', 1)")
    two.clock.advance(milliseconds: 10)
    try await two.database.execute("INSERT INTO Item VALUES ('y', 1)")
    _ = try await one.engine.sync()
    let report = try await two.engine.sync()
    #expect((report.newlyHeldRows, report.heldRows) == (1, 1))
    #expect(report.warnings.map(\.code) == [.held])
    let next = try await two.engine.sync()
    #expect((next.newlyHeldRows, next.heldRows) == (0, 1))
    #expect(next.warnings.isEmpty)
  }

  @Test func postponedTransactionsAndSkippedObjectsAreWarnedOf() async throws {
    let storage = MemoryStorage()
    let (one, two) = (try replica(storage), try replica(storage))
    one.clock.advance(milliseconds: 3 * 86_400_000)
    try await one.database.execute("INSERT INTO Item VALUES ('x', 1)")
    _ = try await one.engine.sync()
    #expect(try await two.engine.sync().warnings.map(\.code) == [.postponed])
    // Time reaches it, but by then it is something else.
    let key = try #require(try await storage.listAll(prefix: "log/").first?.key)
    try await storage.put(key, Array("not a pack".utf8))
    two.clock.advance(milliseconds: 3 * 86_400_000)
    let warning = try #require(try await two.engine.sync().warnings.first)
    #expect(warning.code == .skipped)
    #expect(warning.message.contains(key))
  }
}
