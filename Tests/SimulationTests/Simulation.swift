import DimpleChangelog
import DimpleRemote
import DimpleStore
import DimpleSync
import DimpleTestSupport

/// One random run: some replicas edit and sync through a storage that fails; then faults stop, everyone syncs twice, and all
/// must be the same.
struct Simulation {
  struct Failed: Error, CustomStringConvertible {
    var description: String
  }

  struct Outcome: Equatable {
    var operations = 0
    var refused = 0
    var syncs = 0
    var failedSyncs = 0
    var faults: [StorageFault: Int] = [:]
    var held = 0
    var fingerprint = ""
  }

  let seed: UInt64
  private let storage: MemoryStorage
  private let unreliable: FaultyStorage
  private let replicas: [SimulatedReplica]
  private let names: [ReplicaID?]

  init(seed: UInt64) throws {
    self.seed = seed
    var random = SeededRandom(seed: seed)
    let memory = MemoryStorage()
    let unreliable = FaultyStorage(memory, schedule: .seeded(seed, oneIn: 4), seed: seed)
    storage = memory
    self.unreliable = unreliable
    var options = SyncEngine.Options()
    // Small packs and batches, so that there are many borders to get wrong.
    options.packSize = 1 + random.below(400)
    options.mergeBatchSize = 1 + random.below(20)
    replicas = try (0..<2 + random.below(3)).map { _ in
      try Self.replica(
        unreliable, seed: random.next(), options, clockOffset: Int64(random.below(120_000)) - 60_000)
    }
    names = replicas.map { $0.database.changelog?.replicaID }
  }

  private static func replica(
    _ storage: any ObjectStorage, seed: UInt64, _ options: SyncEngine.Options = .init(), clockOffset: Int64 = 0
  ) throws -> SimulatedReplica {
    try SimulatedReplica(
      storage: storage, vault: TransparentVault(seed: seed),
      clock: ManualClock(milliseconds: 1_800_000_000_000 + clockOffset), seed: seed, options: options,
      migrations: [Migration("schema", "\(raw: SimulatedSchema.sql)")])
  }

  func run() async throws -> Outcome {
    var random = SeededRandom(seed: seed &+ 2)
    var outcome = Outcome()
    for _ in 0..<20 + random.below(60) {
      let replica = replicas[random.below(replicas.count)]
      replica.clock.advance(milliseconds: Int64(random.below(40)) - (random.oneIn(10) ? 5000 : 0))
      if random.oneIn(4) {
        await sync(replica, &outcome)
      } else {
        write(replica, &random, &outcome)
      }
    }
    unreliable.schedule = .none
    outcome.faults = unreliable.counts
    for _ in 0..<2 {
      for replica in replicas {
        let report = try await replica.engine.sync()
        if let skipped = report.skipped.first { throw Failed(description: "skipped: \(skipped.error)") }
      }
    }
    try await check(&outcome)
    return outcome
  }

  private func sync(_ replica: SimulatedReplica, _ outcome: inout Outcome) async {
    outcome.syncs += 1
    do { _ = try await replica.engine.sync() } catch { outcome.failedSyncs += 1 }
  }

  /// One transaction of a few statements; constraints refuse some, and roll some back.
  private func write(_ replica: SimulatedReplica, _ random: inout SeededRandom, _ outcome: inout Outcome) {
    let statements = (0..<1 + random.below(4)).map { _ in SimulatedSchema.statement(&random) }
    let toleratesRefusal = random.oneIn(2)
    var refused = 0
    do {
      try replica.database.write { connection in
        for statement in statements {
          do { try connection.savepoint { try connection.execute(statement) } } catch let error as StoreError
            where error.code.isConstraint && toleratesRefusal
          {
            refused += 1
          }
        }
      }
      outcome.operations += statements.count
    } catch { refused += statements.count }
    outcome.refused += refused
  }

  // MARK: - What must hold at the end

  private func check(_ outcome: inout Outcome) async throws {
    // None was copied, so none may take another for a copy of itself.
    guard replicas.map({ $0.database.changelog?.replicaID }) == names else {
      throw Failed(description: "a replica changed its name")
    }
    // Somebody new, who hears of everything at once, builds the same tables from scratch.
    let newcomer = try Self.replica(storage, seed: seed &+ 1)
    _ = try await newcomer.engine.sync()
    let expected = try newcomer.database.fingerprint()
    let held = Set(try newcomer.database.heldRows())
    outcome.held = held.count
    outcome.fingerprint = "\(expected)"
    for (index, replica) in replicas.enumerated() {
      let fingerprint = try replica.database.fingerprint()
      for (mine, theirs) in zip(fingerprint.tables, expected.tables) where mine != theirs {
        throw Failed(description: "replica \(index) shows \(mine), a new one \(theirs)")
      }
      guard Set(try replica.database.heldRows()) == held else {
        throw Failed(description: "replica \(index) holds \(try replica.database.heldRows()), a new one \(held)")
      }
      let violations = try await replica.database.rows("SELECT * FROM pragma_foreign_key_check")
      guard violations.isEmpty else { throw Failed(description: "replica \(index) breaks foreign keys: \(violations)") }
      let integrity = try await replica.database.rows("PRAGMA integrity_check")
      guard integrity.first?[0] == .text("ok") else { throw Failed(description: "replica \(index): \(integrity)") }
      // Nothing is left to say.
      guard try await replica.engine.sync().isEmpty else {
        throw Failed(description: "replica \(index) is not at rest")
      }
    }
  }
}
