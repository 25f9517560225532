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
  /// A second vault, carried between the devices that sync with the bucket and the last one, which never does.
  let stick: Bucket?
  let folder: TemporaryFolder
  private let truth: ManualClock
  /// Some foreign key sets references to NULL.
  private let hasSetNull: Bool
  /// Triggers write to a table that refers to itself.
  private let mayReferToItselfByTrigger: Bool
  private let templates: Templates
  var devices: [Int: Device] = [:]
  var tally = Tally()
  /// The first thing that went wrong while something else was on its way.
  private var failure: (any Error)?
  var syncing: Set<Int> = []
  /// For each replica, the newest time of each of its transactions.
  private(set) var times: [UInt64: [Int64: HybridTime]] = [:]
  /// The latest time that any device ever gave a change.
  private(set) var latest = HybridTime(rawValue: 0)
  /// What was in the bucket of a database that a backup then replaced.
  var orphans: [Change] = []
  /// The others of such a database: what was sent of them under a name in dispute may go out again under another.
  var lost: [Change] = []
  /// Names under which two copies wrote before either could know.
  var disputed: Set<UInt64> = []
  /// Somebody new with the newest app, who has heard all at the end.
  var listener: Newcomer?
  private static let beginning: Int64 = 1_800_000_000_000
  /// What a device puts up with of others' clocks, in milliseconds.
  static let maximumDrift: Int64 = 86_400_000

  package init(_ script: Script) throws {
    self.script = script
    let truth = ManualClock(milliseconds: Self.beginning)
    self.truth = truth
    let tells = script.settings.tellsTime
    let bucket = Bucket("transparent", pageSize: script.settings.pageSize) { tells ? truth.milliseconds : nil }
    let stick = script.settings.hasStick ? Bucket("stick", pageSize: script.settings.pageSize) { nil } : nil
    (self.bucket, self.stick) = (bucket, stick)
    folder = try TemporaryFolder()
    templates = Templates(script, folder)
    hasSetNull = script.schema.tables.flatMap(\.foreignKeys).contains {
      $0.onDelete == "SET NULL" || $0.onUpdate == "SET NULL"
    }
    mayReferToItselfByTrigger =
      !script.schema.triggers.isEmpty
      && script.schema.tables.indices.contains { index in
        script.schema.tables[index].foreignKeys.contains { $0.parent == index }
      }
    var random = SeededRandom(seed: script.seed &+ 7)
    for (index, version) in script.versions.enumerated() {
      let home = index == script.versions.count - 1 ? stick ?? bucket : bucket
      let device = try Device(
        index, version: version, script: script, bucket: home, folder: folder,
        from: templates.path(version: version), stick: stick)
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
    case .carry: try await carry(device)
    case .check(let repairs): try await check(device, repairs: repairs)
    case .owner(let mischief, let seed):
      tally.count("owner: \(mischief.rawValue)")
      var random = SeededRandom(seed: seed)
      bucket.mischief(mischief, &random)
    }
  }

  func performMeanwhile(_ steps: [Script.Step]) async {
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
      other, version: device.version, script: script, bucket: bucket, folder: folder, from: path, isCopy: true)
    copy.record = device.record
    copy.offset = (device.offset ?? 0) + 17
    devices[other] = copy
    setClocks()
  }

  private func carry(_ device: Device) async throws {
    guard let carrier = device.carrier else { return }
    tally.count("stick carried")
    let report = try await carrier.sync()
    tally.count("pack carried", report.relayedPacks)
    try note(device)
    try noteSeen(device)
  }

  // MARK: - Restoring

  private func restore(_ device: Device) async throws {
    guard let backup = device.backup else { return }
    tally.count("restore")
    // What the bucket has of the database that goes is there for good, as far as nothing was written later.
    let observer = try await observe()
    for change in try device.changelog.changes().map(script.schema.original) {
      if try observer.authors(of: change, script.schema)?.includes(change.stamp) == true {
        orphans.append(change)
      } else {
        lost.append(change)
      }
    }
    try device.reopen(version: device.version, replacedBy: backup.path)
    device.record = backup.record
    try note(device)
  }

  /// Somebody who has heard all that was ever put into the bucket.
  private func observe() async throws -> Newcomer {
    let observer = try newcomer(version: SimulatedSchema.newestVersion, storage: bucket.whole)
    observer.clock.milliseconds = 4_102_444_800_000
    _ = try await observer.engine.sync()
    return observer
  }

  // MARK: - Writing

  private struct Undone: Error {}

  /// What came of a transaction's statements.
  private struct Outcome {
    var refused = 0
    var misfits = 0
  }

  func write(_ transaction: Script.Transaction, on device: Device) throws {
    if device.life.isDead { return }
    tally.transactions += 1
    tally.statements += transaction.statements.count
    if transaction.isDiskFull { try limitPages(of: device, spare: 1) }
    var outcome = Outcome()
    do {
      try device.database.write { connection in try run(transaction, connection, &outcome) }
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

  private func run(
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
    if mayPass(transaction), !(try connection.rows("SELECT 1 FROM pragma_foreign_key_check LIMIT 1").isEmpty) {
      throw Undone()
    }
  }

  /// Whether SQLite (3.40) may let a reference to nothing pass: where a REPLACE or an upsert could set references of the same
  /// table to NULL, it does not look at the new row's own; and it miscounts where a row that refers to itself is given the
  /// key that it has, or a trigger gives it the one that it refers to while another's delete is on its way. Every app would
  /// have to look itself.
  private func mayPass(_ transaction: Script.Transaction) -> Bool {
    if mayReferToItselfByTrigger { return true }
    return transaction.statements.contains { statement in
      statement.contains("SET id = ")
        || hasSetNull && (statement.contains("REPLACE") || statement.contains("ON CONFLICT"))
    }
  }

  private func judge(_ error: StoreError, of transaction: Script.Transaction) throws {
    if error.code.isConstraint || error.code == .sqlError { return }
    if error.code == .diskFull, transaction.isDiskFull {
      tally.count("disk full in a write")
      return
    }
    throw SimulationFailure("a write threw", "\(error)")
  }

  func limitPages(of device: Device, spare: Int) throws {
    try device.database.write { connection in
      let pages = try connection.queryOne(Int.self, "SELECT page_count FROM pragma_page_count") ?? 0
      _ = try connection.rows("PRAGMA max_page_count = \(raw: "\(pages + spare)")")
    }
  }

  func unlimitPages(of device: Device) throws {
    if device.life.isDead { return }
    try device.database.write { _ = try $0.rows("PRAGMA max_page_count = 1000000") }
  }

  /// Takes note of what a device has committed since the last time: this must never be lost, and must be later than all that
  /// the device had seen.
  func note(_ device: Device) throws {
    let changelog = try device.changelog
    if syncing.contains(device.index) { try noteRestamps(of: device) }
    let changes = try changelog.changes(after: device.record.last).map(script.schema.original)
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
      latest = max(latest, change.stamp.time)
    }
    device.record.last = last.transaction
  }

  /// A sync gives own changes earlier times, where the storage tells the time and nobody can have seen them.
  func noteRestamps(of device: Device) throws {
    guard script.settings.tellsTime else { return }
    let changelog = try device.changelog
    let replica = changelog.replicaID.rawValue
    device.record.newest = HybridTime(rawValue: 0)
    for change in try changelog.changes() where change.transaction <= device.record.last {
      device.record.newest = max(device.record.newest, change.stamp.time)
      times[replica, default: [:]][change.transaction] = change.stamp.time
    }
  }

  /// Time passes until every clock is right and nothing lies ahead.
  func letTimePass() {
    let ahead = devices.values.map(\.clock.milliseconds).max() ?? 0
    truth.milliseconds = max(truth.milliseconds, ahead, latest.milliseconds) + 1000
    for device in devices.values { device.offset = 0 }
    setClocks()
  }

  /// Somebody new, without faults on the way.
  func newcomer(version: Int, storage: any ObjectStorage) throws -> Newcomer {
    let clock = ManualClock(milliseconds: truth.milliseconds)
    let opening = Opening(index: 99, version: version, generation: 0, script: script, clock: clock, life: Lifeline())
    let database = try opening.open(templates.path(version: version), isCopy: false)
    var options = SyncEngine.Options()
    options.parallelGets = 1
    options.renames = script.schema.declaredRenames(in: version)
    let vault = TransparentVault(seed: script.seed &+ 99)
    return Newcomer(
      database: database, clock: clock,
      engine: SyncEngine(database, storage: storage, vault: vault, options: options))
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

/// Somebody new: what the devices are compared with.
struct Newcomer {
  var database: Database
  var clock: ManualClock
  var engine: SyncEngine
}

extension Newcomer {
  /// Of the row that a change, by the first names, was made to; with the newest version of the app.
  func authors(of change: Change, _ schema: SimulatedSchema) throws -> RowAuthors? {
    try database.authors(of: change.key, in: schema.spelled(change.table, in: SimulatedSchema.newestVersion))
  }
}

extension RowAuthors {
  /// Whether the write with that stamp decides something of the row.
  fileprivate func includes(_ stamp: Stamp) -> Bool { stamps.contains(stamp) }

  /// Of all writes that decide something of the row.
  var stamps: [Stamp] { ([inserted, deleted].compactMap(\.self) + columns.values).map(\.stamp) }
}
