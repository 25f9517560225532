import DimpleChangelog
import DimpleRemote
import DimpleStore
import DimpleSync
import DimpleTestSupport
import Foundation
import Testing

@Suite("Syncing while the log is trimmed")
struct TrimmedLogTests {
  private let storage = MemoryStorage()
  private static let migrations = [Migration("1", "CREATE TABLE Item (id INTEGER PRIMARY KEY, a, b)")]

  private func replica(
    _ storage: (any ObjectStorage)? = nil, retention: Changelog.Retention = .minimal
  ) throws -> SimulatedReplica {
    try SimulatedReplica(storage: storage ?? self.storage, retention: retention, migrations: Self.migrations)
  }

  private func trim(_ replica: SimulatedReplica) throws -> Int64 {
    try replica.database.changelog?.trim().firstTransaction ?? 0
  }

  private func rows(_ replica: SimulatedReplica) throws -> [[SQLValue]] {
    try replica.database.rows("SELECT * FROM Item ORDER BY id").map { row in (0..<row.count).map { row[$0] } }
  }

  @Test func whatIsNotSentStaysAndWhatIsGoes() async throws {
    let (first, second) = (try replica(), try replica(retention: .all))
    // From here on, the log is kept for sync.
    _ = try await first.engine.sync()
    try await first.database.execute("INSERT INTO Item VALUES (1, 'a', 0)")
    _ = try await first.engine.sync()
    try await first.database.execute("INSERT INTO Item VALUES (2, 'a', 0)")
    #expect(try trim(first) == 2)
    _ = try await first.engine.sync()
    #expect(try trim(first) == 3)
    _ = try await second.engine.sync()
    try await second.database.execute("UPDATE Item SET a = 'theirs' WHERE id = 1")
    try await first.database.execute("UPDATE Item SET b = 'mine' WHERE id = 1")
    for replica in [first, second, first] {
      #expect(try await replica.engine.sync().skipped.isEmpty)
      _ = try trim(first)
    }
    #expect(
      try rows(first) == [[.integer(1), .text("theirs"), .text("mine")], [.integer(2), .text("a"), .integer(0)]])
    #expect(try first.database.fingerprint() == second.database.fingerprint())
  }

  @Test func whatAFailedPutLeftUnsentStays() async throws {
    let faulty = FaultyStorage(storage, schedule: FaultSchedule { $0.operation == .put ? .failAfter : nil })
    let first = try replica(faulty)
    _ = try await first.engine.sync()
    try await first.database.execute("INSERT INTO Item VALUES (1, 'a', 0)")
    await #expect(throws: RemoteError.self) { _ = try await first.engine.sync() }
    #expect(try trim(first) == 1)
    faulty.schedule = .none
    let report = try await first.engine.sync()
    #expect(report.pushedTransactions == 0 && !report.tookNewName)
    #expect(try trim(first) == 2)
  }

  @Test func aLogThatWasTrimmedBeforeTheFirstSyncSendsItsRowsAnew() async throws {
    let (first, second) = (try replica(), try replica(retention: .all))
    for id in 1...5 { try await first.database.execute("INSERT INTO Item VALUES (\(id), 'a', \(id))") }
    try await first.database.execute("DELETE FROM Item WHERE id = 4")
    #expect(try trim(first) == 7)
    try await first.database.execute("UPDATE Item SET a = 'later' WHERE id = 2")
    #expect(try await first.engine.sync().pushedTransactions > 0)
    #expect(try await second.engine.sync().skipped.isEmpty)
    #expect(try rows(second) == rows(first) && rows(second).count == 4)
    // Once.
    let last = try await first.database.read { try first.database.changelog?.lastTransaction($0) }
    _ = try await first.engine.sync()
    #expect(try await first.database.read { try first.database.changelog?.lastTransaction($0) } == last)
    #expect(try first.database.fingerprint() == second.database.fingerprint())
    // What never was is not looked for.
    #expect(try await second.engine.sync().traffic.requests == 1)
  }

  @Test func anotherVaultThatComesTooLateIsATypedError() async throws {
    let first = try replica()
    _ = try await first.engine.sync()
    try await first.database.execute("INSERT INTO Item VALUES (1, 'a', 0)")
    _ = try await first.engine.sync()
    _ = try trim(first)
    let other = SyncEngine(first.database, storage: MemoryStorage(), vault: TransparentVault(id: "other"))
    let error = await #expect(throws: SyncError.self) { _ = try await other.sync() }
    #expect(error?.code == .historyRemoved)
    // The one that there was goes on.
    try await first.database.execute("INSERT INTO Item VALUES (2, 'a', 0)")
    #expect(try await first.engine.sync().pushedTransactions == 1)
  }

  @Test func anotherVaultInTimeIsRegardedFromThenOn() async throws {
    let first = try replica(retention: .all)
    try await first.database.execute("INSERT INTO Item VALUES (1, 'a', 0)")
    _ = try await first.engine.sync()
    let otherStorage = MemoryStorage()
    let failing = FaultyStorage(otherStorage, schedule: FaultSchedule { $0.operation == .list ? .failBefore : nil })
    let other = SyncEngine(first.database, storage: failing, vault: TransparentVault(id: "other"))
    _ = try? await other.sync()
    failing.schedule = .none
    _ = try await other.sync()
    let newcomer = try SimulatedReplica(
      storage: otherStorage, vault: TransparentVault(id: "other"), migrations: Self.migrations)
    _ = try await newcomer.engine.sync()
    #expect(try newcomer.database.fingerprint() == first.database.fingerprint())
  }

  /// Replicas that trim at random, sync at random, and write at random end up the same.
  @Test(arguments: 1...6 as ClosedRange<UInt64>)
  func atRandom(seed: UInt64) async throws {
    var random = SeededRandom(seed: seed)
    let choices: [Changelog.Retention] = [.minimal, .duration(.milliseconds(20)), .all]
    let replicas = try choices.map { try replica(retention: $0) }
    for replica in replicas { _ = try await replica.engine.sync() }
    for _ in 0..<80 {
      let one = replicas[random.below(3)]
      one.clock.advance(milliseconds: Int64(random.below(9)))
      switch random.below(8) {
      case 0: _ = try await one.engine.sync()
      case 1: _ = try trim(one)
      case 2: try await one.database.execute("DELETE FROM Item WHERE id = \(random.below(5))")
      case 3: try await one.database.execute("UPDATE Item SET a = \(random.below(99)) WHERE id = \(random.below(5))")
      default:
        try await one.database.execute(
          """
          INSERT INTO Item VALUES (\(random.below(5)), \(random.below(99)), 0)
          ON CONFLICT(id) DO UPDATE SET b = excluded.a
          """)
      }
    }
    for _ in 0..<2 {
      for replica in replicas {
        _ = try await replica.engine.sync()
        _ = try trim(replica)
      }
    }
    for replica in replicas {
      #expect(try replica.database.fingerprint() == replicas[0].database.fingerprint(), "seed \(seed)")
    }
  }

  /// What the log no longer reaches back to cannot be sent again; to send the rest as if it were the beginning would part it from
  /// all that follows.
  @Test(arguments: [false, true]) func repairSendsWhatItCanAndNothingElse(hasRest: Bool) async throws {
    let first = try replica()
    _ = try await first.engine.sync()
    for id in 1...2 {
      try await first.database.execute("INSERT INTO Item VALUES (\(id), 'a', 0)")
      _ = try await first.engine.sync()
    }
    _ = try await first.engine.sync()
    #expect(try trim(first) == 3)
    try await first.database.execute("INSERT INTO Item VALUES (3, 'a', 0)")
    if hasRest { _ = try await first.engine.sync() }
    let packs = try await storage.listAll(prefix: "log/").map(\.key)
    for key in packs { try await storage.delete(key) }
    #expect(try await first.engine.repair().resentTransactions == (hasRest ? 1 : 0))
    _ = try await first.engine.sync()
    try await first.database.execute("INSERT INTO Item VALUES (4, 'a', 0)")
    _ = try await first.engine.sync()
    let newcomer = try replica(retention: .all)
    #expect(try await newcomer.engine.sync().skipped.map(\.error.description) == [])
    #expect(try rows(newcomer).count == 2)
  }

  /// Under its new name it has sent nothing to the one vault yet, and all of before; to another, it cannot send that any more.
  @Test func aCopyGoesOnWithTheVaultsThatHaveTheRest() async throws {
    let (path, copied) = (TemporaryFile.path(), TemporaryFile.path())
    defer { for file in [path, copied] { TemporaryFile.remove(file) } }
    func open(_ path: String) throws -> SimulatedReplica {
      try SimulatedReplica(storage: storage, path: path, retention: .minimal, migrations: Self.migrations)
    }
    let stick = MemoryStorage()
    func engine(_ replica: SimulatedReplica, _ storage: MemoryStorage, _ id: String) -> SyncEngine {
      SyncEngine(replica.database, storage: storage, vault: TransparentVault(id: id))
    }
    let original = try open(path)
    for _ in 0..<2 {
      _ = try await original.engine.sync()
      _ = try await engine(original, stick, "stick").sync()
      try await original.database.execute("INSERT OR IGNORE INTO Item VALUES (1, 'a', 0)")
    }
    #expect(try trim(original) == 2)
    try await original.database.close()
    try FileManager.default.copyItem(atPath: path, toPath: copied)
    let copy = try open(copied)
    let late = await #expect(throws: SyncError.self) { try await engine(copy, MemoryStorage(), "late").sync() }
    #expect(late?.code == .historyRemoved)
    try await copy.database.execute("INSERT INTO Item VALUES (2, 'a', 0)")
    #expect(try await copy.engine.sync().pushedTransactions == 1)
    #expect(try await engine(copy, stick, "stick").sync().pushedTransactions == 1)
    try await copy.database.close()
  }
}
