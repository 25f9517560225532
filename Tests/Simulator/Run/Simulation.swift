import DimpleChangelog
import DimpleRemote
import DimpleStore
import DimpleSync
import DimpleTestSupport

/// Performs one script: devices write and sync while things go wrong; then faults stop, everyone syncs twice, and all must
/// be the same, and as an independent reckoning of every commit says.
package actor Simulation {
  let script: Script
  let bucket: Bucket
  let folder: TemporaryFolder
  private let truth: ManualClock
  var devices: [Int: Device] = [:]
  var tally = Tally()
  /// The first thing that went wrong while something else was on its way.
  private var failure: (any Error)?
  private var syncing: Set<Int> = []
  /// For each replica, the newest time of each of its transactions.
  private var times: [UInt64: [Int64: HybridTime]] = [:]
  /// What was in the bucket of a database that a backup then replaced.
  var orphans: [Change] = []
  private static let beginning: Int64 = 1_800_000_000_000

  package init(_ script: Script) throws {
    self.script = script
    let truth = ManualClock(milliseconds: Self.beginning)
    self.truth = truth
    let tells = script.settings.tellsTime
    bucket = Bucket(pageSize: script.settings.pageSize) { tells ? truth.milliseconds : nil }
    folder = try TemporaryFolder()
    var random = SeededRandom(seed: script.seed &+ 7)
    for (index, version) in script.versions.enumerated() {
      let device = try Device(index, version: version, script: script, bucket: bucket, folder: folder)
      device.offset = Int64(random.below(120_000)) - 60_000
      devices[index] = device
    }
  }

  /// - Throws: ``SimulationFailure``; what nobody expected.
  package func run() async throws -> Tally {
    tally.runs = 1
    setClocks()
    for step in script.steps {
      try await perform(step)
      if let failure { throw failure }
    }
    try await finish()
    for device in devices.values { try device.close() }
    return tally
  }

  // MARK: - Steps

  private func perform(_ step: Script.Step) async throws {
    guard let device = devices[step.device] else { return }
    tally.steps += 1
    // Now and then two things happen at the same moment.
    truth.advance(milliseconds: Int64(tally.steps % 4) * 3)
    setClocks()
    if syncing.contains(step.device) {
      // Its database is in use: the app may write, and no more.
      if case .write(let transaction) = step.action { try write(transaction, on: device) }
      return
    }
    switch step.action {
    case .write(let transaction): try write(transaction, on: device)
    case .sync(let plan): try await sync(plan, device)
    case .clock(let move): turn(move, device)
    case .migrate:
      guard device.version < SimulatedSchema.newestVersion else { return }
      tally.count("migration")
      try device.reopen(version: device.version + 1)
      try note(device)
    case .reopen:
      tally.count("restart")
      try device.reopen()
    case .copy(let other): try copy(device, to: other)
    case .backUp:
      tally.count("backup")
      device.backup = Device.Backup(path: try device.copy("backup"), version: device.version, record: device.record)
    case .restore: try await restore(device)
    case .owner(let mischief, let seed):
      tally.count("owner: \(mischief.rawValue)")
      var random = SeededRandom(seed: seed)
      bucket.mischief(mischief, &random)
    }
  }

  private func performMeanwhile(_ steps: [Script.Step]) async {
    for step in steps where failure == nil {
      tally.count("meanwhile")
      do { try await perform(step) } catch { failure = error }
    }
  }

  private func setClocks() {
    for device in devices.values {
      if let offset = device.offset { device.clock.milliseconds = truth.milliseconds + offset }
    }
  }

  private func turn(_ move: Script.ClockMove, _ device: Device) {
    tally.count("clock moved")
    switch move {
    case .by(let milliseconds): device.offset = (device.offset ?? 0) + milliseconds
    case .year2099: device.offset = 4_070_908_800_000 - truth.milliseconds
    case .stuck: device.offset = nil
    case .right: device.offset = 0
    }
    setClocks()
  }

  private func copy(_ device: Device, to other: Int) throws {
    guard devices[other] == nil else { return }
    tally.count("copy")
    let path = try device.copy("copy")
    let copy = try Device(
      other, version: device.version, script: script, bucket: bucket, folder: folder, copied: path)
    copy.record = device.record
    copy.offset = (device.offset ?? 0) + 17
    devices[other] = copy
    setClocks()
  }

  // MARK: - Restoring

  private func restore(_ device: Device) async throws {
    guard let backup = device.backup else { return }
    tally.count("restore")
    // What the bucket has of the database that goes is there for good.
    let all = try device.changelog.changes()
    let replica = try device.changelog.replicaID.rawValue
    let pushed = try await observe(replica)
    orphans += all.filter { $0.transaction <= pushed }
    try device.reopen(version: device.version, replacedBy: backup.path)
    device.record = backup.record
    try note(device)
  }

  /// The last transaction of a replica that the bucket has.
  private func observe(_ replica: UInt64) async throws -> Int64 {
    let observer = try newcomer(version: SimulatedSchema.newestVersion, storage: bucket.whole)
    observer.clock.milliseconds = 4_102_444_800_000
    _ = try await observer.engine.sync()
    return try vector(of: observer.database)[replica]?.last?.upperBound ?? 0
  }

  // MARK: - Writing

  private struct Undone: Error {}

  /// What came of a transaction's statements.
  private struct Outcome {
    var refused = 0
    var misfits = 0
  }

  private func write(_ transaction: Script.Transaction, on device: Device) throws {
    if device.life.isDead { return }
    tally.transactions += 1
    tally.statements += transaction.statements.count
    if transaction.isDiskFull { try limitPages(of: device, spare: 1) }
    var outcome = Outcome()
    do {
      try device.database.write { connection in try Self.run(transaction, connection, &outcome) }
    } catch is Undone {
      tally.count("undone transaction")
    } catch is DeviceDied {
      guard device.life.isDead else { throw SimulationFailure("a write died", "device \(device.index)") }
    } catch let error as StoreError {
      try judge(error, of: transaction)
      outcome.refused += 1
      if error.code == .sqlError { outcome.misfits += 1 }
    }
    if transaction.isDiskFull { try unlimitPages(of: device) }
    tally.refused += outcome.refused
    tally.misfits += outcome.misfits
    try note(device)
  }

  private static func run(
    _ transaction: Script.Transaction, _ connection: Connection, _ outcome: inout Outcome
  ) throws {
    let half = transaction.ending == .halfUndone ? (transaction.statements.count + 1) / 2 : 0
    if half > 0 {
      do {
        try connection.savepoint {
          for statement in transaction.statements.prefix(half) { try connection.execute("\(raw: statement)") }
          throw Undone()
        }
      } catch is Undone {} catch let error as StoreError where error.code.isConstraint { outcome.refused += 1 }
    }
    for statement in transaction.statements.dropFirst(half) {
      guard transaction.ending == .tolerant else {
        try connection.execute("\(raw: statement)")
        continue
      }
      do { try connection.savepoint { try connection.execute("\(raw: statement)") } } catch let error as StoreError
        where error.code.isConstraint
      {
        outcome.refused += 1
      }
    }
    if transaction.ending == .undone { throw Undone() }
  }

  private func judge(_ error: StoreError, of transaction: Script.Transaction) throws {
    if error.code.isConstraint || error.code == .sqlError { return }
    if error.code == .diskFull, transaction.isDiskFull {
      tally.count("disk full in a write")
      return
    }
    throw SimulationFailure("a write threw", "\(error)")
  }

  private func limitPages(of device: Device, spare: Int) throws {
    try device.database.write { connection in
      let pages = try connection.queryOne(Int.self, "SELECT page_count FROM pragma_page_count") ?? 0
      _ = try connection.rows("PRAGMA max_page_count = \(raw: "\(pages + spare)")")
    }
  }

  private func unlimitPages(of device: Device) throws {
    if device.life.isDead { return }
    try device.database.write { _ = try $0.rows("PRAGMA max_page_count = 1000000") }
  }

  /// Takes note of what a device has committed since the last time: this must never be lost, and must be later than all that
  /// the device had seen.
  func note(_ device: Device) throws {
    let changelog = try device.changelog
    let changes = try changelog.changes(after: device.record.last)
    guard let last = changes.last else { return }
    let replica = changelog.replicaID.rawValue
    for change in changes {
      guard change.stamp.time > device.record.newest || script.settings.hasCopies else {
        throw SimulationFailure("a stamp did not rise", "\(change) after \(device.record.newest)")
      }
      guard change.stamp.time > device.seen || script.settings.hasCopies else {
        throw SimulationFailure("a write is older than what its device had seen", "\(change), seen \(device.seen)")
      }
      device.record.newest = max(device.record.newest, change.stamp.time)
      device.record.transactions[change.transaction, default: []].append(change)
      times[replica, default: [:]][change.transaction] = change.stamp.time
    }
    device.record.last = last.transaction
  }

  // MARK: - Syncing

  private func sync(_ plan: Script.SyncPlan, _ device: Device) async throws {
    syncing.insert(device.index)
    defer { syncing.remove(device.index) }
    tally.syncs += 1
    bucket.remember()
    if let spare = plan.sparePages { try limitPages(of: device, spare: spare) }
    let candidates = Candidates()
    device.faults.schedule = Self.schedule(plan, counting: candidates)
    var requests = DeviceStorage.Plan(interruption: plan.interruption)
    for meanwhile in plan.meanwhile {
      requests.meanwhile[meanwhile.request] = { [weak self] in await self?.performMeanwhile(meanwhile.steps) }
    }
    device.storage.begin(requests)
    if case .dieAfterCommit(let count) = plan.interruption { device.life.die(afterCommits: count) }
    let engine = device.engine
    let task = Task { try await engine.sync() }
    device.storage.onCancel { task.cancel() }
    let result = await task.result
    let end = device.storage.end()
    device.life.die(afterCommits: nil)
    device.faults.schedule = .none
    tally.requests += end.requests
    tally.candidates += candidates.count
    if plan.sparePages != nil { try unlimitPages(of: device) }
    try judge(result, plan, device, wasCancelled: end.wasCancelled)
    if device.life.isDead {
      tally.count("death")
      try device.reopen()
    }
    try note(device)
    try noteSeen(device)
  }

  private static func schedule(_ plan: Script.SyncPlan, counting candidates: Candidates) -> FaultSchedule {
    if let only = plan.onlyRequest, let kind = plan.kinds.first {
      return FaultSchedule { request in
        guard request.possibleFaults.contains(kind) else { return nil }
        return candidates.next() == only ? kind : nil
      }
    }
    return plan.faultsOneIn > 0 ? .seeded(plan.seed, oneIn: plan.faultsOneIn, kinds: Set(plan.kinds)) : .none
  }

  private func judge(
    _ result: Result<SyncReport, any Error>, _ plan: Script.SyncPlan, _ device: Device, wasCancelled: Bool
  ) throws {
    if wasCancelled { tally.count("cancelled sync") }
    switch result {
    case .success(let report):
      if report.tookNewName {
        guard script.settings.hasCopies else { throw SimulationFailure("a device took a new name", "\(device.index)") }
        tally.count("new name taken")
      }
      for skipped in report.skipped where !script.settings.isHostile {
        // Only a fault may make an object unusable, and none makes it a forgery.
        guard skipped.error.code == .damagedObject, !plan.kinds.isEmpty else {
          throw SimulationFailure("an object was refused", "device \(device.index): \(skipped.error)")
        }
      }
      tally.count("postponed transaction", report.postponedTransactions)
    case .failure(let error):
      tally.failedSyncs += 1
      if device.life.isDead || (wasCancelled && error is CancellationError) { return }
      if error is RemoteError, !plan.kinds.isEmpty || script.settings.isHostile { return }
      if let error = error as? StoreError, error.code == .diskFull, plan.sparePages != nil {
        tally.count("disk full in a sync")
        return
      }
      throw SimulationFailure("a sync threw", "device \(device.index): \(error)")
    }
  }

  /// What the device has taken in by now.
  private func noteSeen(_ device: Device) throws {
    for (replica, runs) in try vector(of: device.database) {
      guard let last = runs.last?.upperBound, let time = times[replica]?[last] else { continue }
      device.seen = max(device.seen, time)
    }
  }

  /// Time passes until every clock is right and nothing lies ahead.
  func letTimePass() {
    let latest = devices.values.map(\.clock.milliseconds).max() ?? 0
    truth.milliseconds = max(truth.milliseconds, latest) + 1000
    for device in devices.values { device.offset = 0 }
    setClocks()
  }

  /// Somebody new, without faults on the way.
  func newcomer(version: Int, storage: any ObjectStorage) throws -> SimulatedReplica {
    var options = SyncEngine.Options()
    options.parallelGets = 1
    return try SimulatedReplica(
      storage: storage, vault: TransparentVault(seed: script.seed &+ 99),
      clock: ManualClock(milliseconds: truth.milliseconds), seed: script.seed &+ 99, options: options,
      migrations: script.schema.migrations(upTo: version))
  }

  /// Which transactions of whom a database has merged.
  func vector(of database: Database) throws -> [UInt64: [ClosedRange<Int64>]] {
    try database.read { connection in
      guard try connection.queryOne(Int.self, "SELECT 1 FROM sqlite_schema WHERE name = 'dimple_seen'") != nil else {
        return [:]
      }
      var vector: [UInt64: [ClosedRange<Int64>]] = [:]
      let rows = try connection.rows(
        """
        SELECT id, first, last FROM dimple_seen JOIN dimple_replica ON number = replica ORDER BY id, first
        """)
      for row in rows {
        guard case .integer(let id) = row[0], case .integer(let first) = row[1], case .integer(let last) = row[2] else {
          continue
        }
        vector[UInt64(bitPattern: id), default: []].append(first...last)
      }
      return vector
    }
  }
}
