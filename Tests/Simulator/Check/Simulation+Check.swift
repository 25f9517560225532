import DimpleChangelog
import DimpleStore
import DimpleSync
import DimpleTestSupport

/// The end of a run: faults stop, everyone syncs twice, and this must hold.
extension Simulation {
  func finish() async throws {
    for device in devices.values {
      for (fault, count) in device.faults.counts { tally.count("storage: \(fault.rawValue)", count) }
    }
    if script.settings.isHostile { bucket.makeWhole() }
    letTimePass()
    let fleet = devices.values.sorted { $0.index < $1.index }
    if !script.settings.endsMixed {
      for device in fleet where device.version < SimulatedSchema.newestVersion {
        try device.reopen(version: SimulatedSchema.newestVersion)
        try note(device)
      }
    }
    try await carryInPeace(fleet)
    // Two will do, but where what copies sent under one name goes out once more, and that again meets another's.
    for round in 1...6 {
      var hasSent = false
      for device in fleet where try await syncInPeace(device, round) { hasSent = true }
      if round > 1, !hasSent || !script.settings.hasCopies { break }
    }
    for device in fleet { try await learnUnknownValues(device.database, device.engine) }
    try await findDisputes(fleet)
    if try isUndecided(fleet) {
      tally.count("copies wrote to a row at one time")
      for device in fleet { try await checkSound(device.database, device.index) }
    } else {
      for version in Set(fleet.map(\.version)).sorted() {
        try await compareWithNewcomer(fleet.filter { $0.version == version }, version)
      }
      try compareVectors(fleet)
      try await reckon(fleet)
    }
    for device in fleet { try await checkAtRest(device) }
    try await checkHealth(fleet)
    try await checkCosts(fleet)
  }

  /// - Returns: Whether it sent anything.
  private func syncInPeace(_ device: Device, _ round: Int) async throws -> Bool {
    let report: SyncReport
    do { report = try await device.engine.sync() } catch {
      throw SimulationFailure("the last syncs threw", "device \(device.index): \(error)")
    }
    if report.tookNewName, !script.settings.hasCopies {
      throw SimulationFailure("a device took a new name", "\(device.index)")
    }
    guard round > 1 else { return report.pushedPacks > 0 }
    for skipped in report.skipped where isOfCopies(skipped.error) { disputed.insert(Self.replica(ofKey: skipped.key)) }
    if let skipped = report.skipped.first(where: { !isOfCopies($0.error) }) {
      throw SimulationFailure("skipped at the end", "device \(device.index): \(skipped.error)")
    }
    if report.postponedTransactions > 0 { throw SimulationFailure("postponed at the end", "device \(device.index)") }
    return report.pushedPacks > 0
  }

  /// Where an older app deleted a row to which a newer column refers, its values are in the packs alone, until somebody asks.
  /// One that becomes visible may refer to another. Where one is kept, it may be the better claimant.
  private func learnUnknownValues(_ database: Database, _ engine: SyncEngine) async throws {
    while try !database.keptRows().isEmpty
      || database.heldRows().contains(where: { $0.reason == .missingParent })
    {
      guard try await engine.verify().findings.contains(where: { $0.code == .unknownValues }) else { return }
      tally.count("unknown values learnt")
      _ = try await engine.repair()
    }
  }

  /// What the last device wrote reaches the bucket, and what is there reaches it. Whoever carries learns of what a vault lacks
  /// when it syncs with it.
  private func carryInPeace(_ fleet: [Device]) async throws {
    guard let carrier = fleet.first?.carrier, let first = fleet.first, let last = fleet.last else { return }
    for _ in 1...3 {
      for device in fleet.dropLast() { _ = try await device.engine.sync() }
      for engine in [carrier, first.engine, carrier, last.engine, carrier, first.engine] { _ = try await engine.sync() }
    }
    try note(first)
  }

  /// Whose a pack is, by its key: the name begins with it.
  private static func replica(ofKey key: String) -> UInt64 {
    key.hasPrefix("log/") ? UInt64(key.dropFirst(4).prefix(16), radix: 16) ?? 0 : 0
  }

  /// The names under which the bucket has different transactions of the same numbers.
  private func findDisputes(_ fleet: [Device]) async throws {
    guard script.settings.hasCopies, let device = fleet.first else { return }
    for finding in try await device.engine.verify().findings where [.brokenChain, .forgedPack].contains(finding.code) {
      disputed.insert(Self.replica(ofKey: finding.subject))
    }
  }

  /// Whether two copies have, under a name in dispute, different writes to a row at one time: which of them wins depends on the
  /// names, and so on whom one believes.
  private func isUndecided(_ fleet: [Device]) throws -> Bool {
    if disputed.isEmpty { return false }
    var writes: [Write: Change] = [:]
    for change in try orphans + fleet.flatMap({ try $0.changelog.changes().map(script.schema.original) }) {
      let write = Write(change)
      if let other = writes[write], !other.isSame(as: change) { return true }
      writes[write] = change
    }
    return false
  }

  private struct Write: Hashable {
    var row: Reckoning.RowID
    var time: HybridTime

    init(_ change: Change) {
      row = Reckoning.RowID(table: change.table, key: change.key)
      time = change.stamp.time
    }
  }

  // MARK: - All the same

  private func compareWithNewcomer(_ fleet: [Device], _ version: Int) async throws {
    let newcomer = try newcomer(version: version, storage: bucket)
    _ = try await newcomer.engine.sync()
    try await learnUnknownValues(newcomer.database, newcomer.engine)
    let expected = try newcomer.database.fingerprint()
    let held = Set(try newcomer.database.heldRows())
    let kept = Set(try newcomer.database.keptRows())
    tally.fingerprint += "\(expected)"
    tally.held += held.count
    for device in fleet {
      let fingerprint = try device.database.fingerprint()
      for (mine, theirs) in zip(fingerprint.tables, expected.tables) where mine != theirs {
        throw SimulationFailure(
          "tables differ",
          "\(mine.name): device \(device.index) shows \(try rows(mine.name, device.database)), "
            + "a new one \(try rows(mine.name, newcomer.database))")
      }
      let mine = Set(try device.database.heldRows())
      guard mine == held else {
        throw SimulationFailure(
          "held rows differ",
          "device \(device.index) holds \(mine.subtracting(held)), a new one \(held.subtracting(mine))")
      }
      guard try Set(device.database.keptRows()) == kept else {
        throw SimulationFailure("kept rows differ", "device \(device.index) and a new one")
      }
      // Where two copies wrote under one name before either could know, readers take in one or the other: decision 22.
      let states = try (device.database.stateFingerprint(), newcomer.database.stateFingerprint())
      guard states.0 == states.1 || !disputed.isEmpty else {
        throw SimulationFailure("merged states differ", "device \(device.index) and a new one")
      }
      try await checkSound(device.database, device.index)
    }
    if version == SimulatedSchema.newestVersion { listener = newcomer } else { try await newcomer.database.close() }
  }

  private func rows(_ table: String, _ database: Database) throws -> [[SQLValue]] {
    try database.rows("SELECT * FROM \(raw: table) ORDER BY 1, 2 LIMIT 20").map { row in
      (0..<row.count).map { row[$0] }
    }
  }

  private func checkSound(_ database: Database, _ index: Int) async throws {
    let violations = try await database.rows("SELECT * FROM pragma_foreign_key_check")
    guard violations.isEmpty else {
      throw SimulationFailure("foreign keys are broken", "device \(index): \(violations)")
    }
    let integrity = try await database.rows("PRAGMA integrity_check")
    guard integrity.first?[0] == .text("ok") else {
      throw SimulationFailure("a database is damaged", "device \(index): \(integrity)")
    }
  }

  /// Each device has taken in what any has, but for its own, which it need not take in.
  private func compareVectors(_ fleet: [Device]) throws {
    // Each vault has one of its own.
    if script.settings.hasStick { return }
    var known: [UInt64: [ClosedRange<Int64>]] = [:]
    for device in fleet {
      for (replica, runs) in try vector(of: device.database)
      where (known[replica] ?? []).description.count < runs.description.count {
        known[replica] = runs
      }
    }
    for device in fleet {
      let own = try device.changelog.replicaID.rawValue
      let mine = try vector(of: device.database).filter { $0.key != own && !disputed.contains($0.key) }
      guard mine == known.filter({ $0.key != own && !disputed.contains($0.key) }) else {
        throw SimulationFailure("vectors differ", "device \(device.index) has \(mine), others \(known)")
      }
      if !script.settings.hasCopies, fleet.count > 1, device.record.last > 0,
        known[own] != [1...device.record.last]
      {
        throw SimulationFailure("vectors differ", "of device \(device.index) others have \(known[own] ?? [])")
      }
    }
  }

  // MARK: - Nothing lost, nothing invented

  private func reckon(_ fleet: [Device]) async throws {
    var changes = orphans
    for device in fleet {
      let log = try device.changelog.changes().map(script.schema.original)
      try checkLog(log, of: device)
      changes += log
    }
    let newcomer = try await listenToAll()
    // The heir of a lost device may have written to the same row at the same tick.
    let writes = Set(changes.map(Write.init))
    for var change in lost where !writes.contains(Write(change)) {
      let stamps = try newcomer.authors(of: change, script.schema)?.stamps ?? []
      guard let stamp = stamps.first(where: { $0.time == change.stamp.time }) else { continue }
      change.stamp = stamp
      changes.append(change)
    }
    let reviving = Set(script.schema.tables.filter(\.updateRevives).map(\.name))
    let check = try ReckoningCheck(Reckoning(changes, reviving: reviving), script.schema, newcomer.database)
    try check.run()
    tally.rows += check.rowCount
    try await newcomer.database.close()
  }

  /// Somebody new with the newest app.
  private func listenToAll() async throws -> Newcomer {
    if let listener { return listener }
    let newcomer = try newcomer(version: SimulatedSchema.newestVersion, storage: bucket)
    _ = try await newcomer.engine.sync()
    return newcomer
  }

  /// Every transaction whose commit returned is in the log, unaltered but for its stamps, and in its order.
  private func checkLog(_ log: [Change], of device: Device) throws {
    let found = Dictionary(grouping: log, by: \.transaction)
    for (number, committed) in device.record.transactions {
      let now = found[number] ?? []
      guard now.count == committed.count, zip(now, committed).allSatisfy({ $0.isSame(as: $1) }) else {
        throw SimulationFailure(
          "a commit is lost", "device \(device.index), transaction \(number): \(committed), now \(now)")
      }
    }
    for (earlier, later) in zip(log, log.dropFirst()) where later.stamp <= earlier.stamp {
      throw SimulationFailure("stamps do not rise", "device \(device.index): \(earlier), then \(later)")
    }
  }
}

extension Change {
  /// The same write, whatever its stamp.
  fileprivate func isSame(as other: Change) -> Bool {
    table == other.table && key == other.key && operation == other.operation && columns == other.columns
  }
}
