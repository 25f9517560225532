import DimpleChangelog
import DimpleRemote
import DimpleStore
import DimpleSync
import DimpleTestSupport
import Foundation
import Testing

/// `DIMPLE_MERGE_RUNS` says how many schemas (40 by default), `DIMPLE_MERGE_SEED` where the seeds begin (1).
@Suite("Merging bit by bit shows what building from scratch shows, whatever the schema")
struct RandomSchemaMergeTests {
  private struct Failed: Error, CustomStringConvertible {
    var description: String
  }

  private static func setting(_ name: String, default value: UInt64) -> UInt64 {
    ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) } ?? value
  }

  @Test func randomSchemas() async throws {
    let first = Self.setting("DIMPLE_MERGE_SEED", default: 1)
    let count = Self.setting("DIMPLE_MERGE_RUNS", default: 40)
    var held = 0
    for seed in first..<first + count {
      do { held += try await Self.run(seed: seed) } catch {
        Issue.record("seed \(seed): \(error)\n\(RandomSchema(seed: seed).sql)")
        return
      }
    }
    print("\(count) random schemas from seed \(first), \(held) rows held at the end")
    #expect(held > 0)
  }

  /// - Returns: How many rows are held at the end.
  private static func run(seed: UInt64) async throws -> Int {
    let schema = RandomSchema(seed: seed)
    var random = SeededRandom(seed: seed &+ 1)
    let storage = MemoryStorage()
    func replica(_ number: UInt64, _ options: SyncEngine.Options = .init()) throws -> SimulatedReplica {
      try SimulatedReplica(
        storage: storage, clock: ManualClock(milliseconds: 1_800_000_000_000 + Int64(number) * 7),
        updateRevives: schema.revived, seed: seed &* 16 &+ number, options: options,
        migrations: [Migration("schema", "\(raw: schema.sql)")])
    }
    var options = SyncEngine.Options()
    options.mergeBatchSize = 1 + random.below(20)
    let replicas = try (0..<2 + UInt64(random.below(2))).map { try replica($0, options) }
    for _ in 0..<40 {
      let replica = replicas[random.below(replicas.count)]
      replica.clock.advance(milliseconds: Int64(random.below(30)))
      if random.oneIn(4) {
        try await sync(replica)
      } else {
        write(replica.database, schema, &random)
      }
    }
    for _ in 0..<2 { for replica in replicas { try await sync(replica) } }
    let newcomer = try replica(9)
    try await sync(newcomer)
    for (index, replica) in replicas.enumerated() { try compare(replica.database, newcomer.database, index) }
    return try newcomer.database.heldRows().count
  }

  private static func sync(_ replica: SimulatedReplica) async throws {
    let report = try await replica.engine.sync()
    if let skipped = report.skipped.first { throw Failed(description: "skipped: \(skipped.error)") }
  }

  /// Constraints refuse some statements, and some whole transactions.
  private static func write(_ database: Database, _ schema: RandomSchema, _ random: inout SeededRandom) {
    let statements = (0..<1 + random.below(4)).map { _ in schema.statement(&random) }
    try? database.write { connection in
      for statement in statements {
        do { try connection.savepoint { try connection.execute(statement) } } catch let error as StoreError
          where error.code.isConstraint
        { continue }
      }
    }
  }

  private static func compare(_ mine: Database, _ expected: Database, _ index: Int) throws {
    for (mine, theirs) in zip(try mine.fingerprint().tables, try expected.fingerprint().tables) where mine != theirs {
      throw Failed(description: "replica \(index) shows \(mine), a new one \(theirs)")
    }
    let (held, theirs) = (Set(try mine.heldRows()), Set(try expected.heldRows()))
    guard held == theirs else {
      throw Failed(
        description: "replica \(index) holds \(held.subtracting(theirs)), a new one \(theirs.subtracting(held))")
    }
    let kept = try (Set(mine.keptRows()), Set(expected.keptRows()))
    guard kept.0 == kept.1 else {
      throw Failed(description: "replica \(index) shows \(kept.0) though dead, a new one \(kept.1)")
    }
    guard try mine.stateFingerprint() == expected.stateFingerprint() else {
      throw Failed(description: "replica \(index) has another state")
    }
    let violations = try mine.rows("SELECT * FROM pragma_foreign_key_check")
    guard violations.isEmpty else { throw Failed(description: "replica \(index) breaks foreign keys: \(violations)") }
    let integrity = try mine.rows("PRAGMA integrity_check")
    guard integrity.first?[0] == .text("ok") else { throw Failed(description: "replica \(index): \(integrity)") }
  }
}
