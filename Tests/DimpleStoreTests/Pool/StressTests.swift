import DimpleMutex
import DimpleStore
import Testing

/// Readers, writers, snapshots, backups, interruptions and cancellations at once, on an invariant that any torn read,
/// lost write or half transaction breaks: money moves between accounts, and its sum stays.
@Suite(.timeLimit(.minutes(5))) struct StressTests {
  private static let accounts = 8
  private static let total = 800
  private struct ChangedMind: Error {}

  private static let bank = Migration(
    "bank",
    """
    CREATE TABLE account (id INTEGER PRIMARY KEY, amount INTEGER NOT NULL);
    CREATE TABLE transfer (id INTEGER PRIMARY KEY);
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 8)
    INSERT INTO account SELECT i, 100 FROM n;
    """)

  private static func sum(_ connection: Connection) throws -> Int {
    // Two queries: only a snapshot makes them agree.
    let half = try connection.queryOne(Int.self, "SELECT sum(amount) FROM account WHERE id <= 4") ?? 0
    return half + (try connection.queryOne(Int.self, "SELECT sum(amount) FROM account WHERE id > 4") ?? 0)
  }

  private static func move(_ connection: Connection, from: Int, to: Int, fails: Bool) throws {
    try connection.execute("UPDATE account SET amount = amount - 1 WHERE id = \(from)")
    do {
      try connection.savepoint {
        try connection.execute("UPDATE account SET amount = amount + 100 WHERE id = \(to)")
        throw ChangedMind()
      }
    } catch is ChangedMind {}
    try connection.execute("UPDATE account SET amount = amount + 1 WHERE id = \(to)")
    try connection.execute("INSERT INTO transfer DEFAULT VALUES")
    if fails { throw ChangedMind() }
  }

  /// What a task may meet here: it was cancelled, or somebody called `interrupt`.
  private static func isExpected(_ error: any Error) -> Bool {
    if error is CancellationError || error is ChangedMind { return true }
    return (error as? StoreError).map { [.interrupted, .tooManySnapshots].contains($0.code) } ?? false
  }

  fileprivate static func act(_ db: Database, random: inout SeededRandom, committed: Counter) async throws {
    let from = Int.random(in: 1...accounts, using: &random)
    let to = Int.random(in: 1...accounts, using: &random)
    switch Int.random(in: 0..<13, using: &random) {
    case 0..<4:
      let fails = Int.random(in: 0..<4, using: &random) == 0
      try await db.write { connection in
        try move(connection, from: from, to: to, fails: fails)
      }
      committed.increment()
    case 4..<8:
      #expect(try await db.read { try sum($0) } == total)
    case 8:
      let snapshot = try db.snapshot()
      let before = try await snapshot.read { try $0.queryOne(Int.self, "SELECT count(*) FROM transfer") }
      #expect(try await snapshot.read { try sum($0) } == total)
      #expect(try await snapshot.read { try $0.queryOne(Int.self, "SELECT count(*) FROM transfer") } == before)
      try snapshot.release()
    case 9:
      let task = Task { try await db.write { try move($0, from: from, to: to, fails: true) } }
      task.cancel()
      _ = await task.result
    case 10:
      db.interrupt()
    case 11:
      var sum = 0
      for try await amount in db.cursor(Int.self, "SELECT amount FROM account", batchSize: 3) { sum += amount }
      #expect(sum == total)
    default:
      try await db.checkpoint()
    }
  }

  @Test(arguments: [1, 2]) func nothingTearsGetsLostOrStarves(seed: UInt64) async throws {
    var configuration = Configuration()
    configuration.readerCount = 2
    configuration.maximumSnapshotCount = 3
    let db = try Database.temporary(configuration: configuration, migrations: [Self.bank])
    let committed = Counter()
    await withTaskGroup(of: Void.self) { group in
      for task in 0..<24 {
        group.addTask {
          var random = SeededRandom(seed: seed &* 1000 &+ UInt64(task))
          for _ in 0..<40 {
            do {
              try await Self.act(db, random: &random, committed: committed)
            } catch { #expect(Self.isExpected(error), "\(error)") }
          }
        }
      }
    }
    #expect(try await db.read { try Self.sum($0) } == Self.total)
    let transfers = try await db.queryOne(Int.self, "SELECT count(*) FROM transfer")
    #expect(transfers == committed.count)
    #expect(try await db.integrityCheck().isEmpty)
    // Every connection serves: more at once than there are.
    await withTaskGroup(of: Int?.self) { group in
      for _ in 0..<8 { group.addTask { try? await db.read { try Self.sum($0) } } }
      for await sum in group { #expect(sum == Self.total) }
    }
  }

  @Test func suspendingAndResumingUnderLoadLosesNothing() async throws {
    let db = try Database.temporary(migrations: [Self.bank])
    let committed = Counter()
    await withTaskGroup(of: Void.self) { group in
      for task in 0..<8 {
        group.addTask {
          for step in 0..<40 {
            do {
              try await db.write { try Self.move($0, from: task % 8 + 1, to: step % 8 + 1, fails: false) }
              committed.increment()
              #expect(try await db.read { try Self.sum($0) } == Self.total)
              var sum = 0
              for try await amount in db.cursor(Int.self, "SELECT amount FROM account", batchSize: 3) { sum += amount }
              #expect(sum == Self.total)
            } catch {
              #expect([.suspended, .interrupted].contains((error as? StoreError)?.code), "\(error)")
            }
          }
        }
      }
      group.addTask {
        for _ in 0..<15 {
          do { try db.suspend() } catch { Issue.record(error) }
          await Task.yield()
          db.resume()
          await Task.yield()
        }
      }
    }
    #expect(try await db.read { try Self.sum($0) } == Self.total)
    #expect(try await db.queryOne(Int.self, "SELECT count(*) FROM transfer") == committed.count)
    #expect(try await db.integrityCheck().isEmpty)
  }
}

/// Counts from any thread.
private final class Counter: Sendable {
  private let value = Mutex(0)
  var count: Int { value.withLock { $0 } }
  func increment() { value.withLock { $0 += 1 } }
}
