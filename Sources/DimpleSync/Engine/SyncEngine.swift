internal import DimpleChangelog
public import DimpleRemote
public import DimpleStore

/// Syncs one database with one vault: every device's changes reach every other through dumb storage.
///
/// ```swift
/// let engine = SyncEngine(database, storage: storage, vault: provider)
/// let report = try await engine.sync()
/// ```
///
/// Any number of devices may sync with a vault at any time, without locks: each writes only objects of its own.
/// docs/SYNC_ENGINE.md explains how they end up the same. Safe to use from any task; syncs of one
/// database run one after the other, also those of other engines and other processes: an empty file beside the database,
/// named like it with `-sync` at the end, is locked meanwhile.
public actor SyncEngine {
  /// How an engine behaves.
  public struct Options: Sendable {
    /// Packs fetched at a time.
    public var parallelGets = 4
    /// A transaction stamped further ahead of this device's clock than this is postponed: a day by default. See
    /// ``SyncEngine/postponed()``.
    public var maximumDrift: Duration = .seconds(86_400)
    /// How far this device's clock may be from the storage's before that is reported, and own changes that nobody has seen
    /// are given earlier times: a minute by default.
    public var clockTolerance: Duration = .seconds(60)
    /// The JSON lines of one pack, in bytes, beyond which the next pack begins: 8 MiB by default.
    public var packSize = 8 << 20
    /// The longest pack accepted, in bytes, sealed and unfolded: 256 MiB by default.
    public var maximumObjectSize = 256 << 20
    /// The most packs of a listing that are looked at in one sync: 200,000 by default, some 60 MB. Where a vault lists more,
    /// the next syncs go on.
    public var maximumListedPacks = 200_000
    /// Own packs are joined into larger ones up to this size, in bytes, sealed, and never beyond ``maximumObjectSize``: 16 MiB by
    /// default. Joining takes three times that in memory, and 32 bytes for each transaction.
    public var largestJoinedPack = 16 << 20
    /// As long as all packs that no snapshot covers are smaller together than this, in bytes, no snapshot is written, and
    /// nobody looks for one: 1 MiB by default. `Int.max` never writes one.
    public var smallestSnapshot = 1 << 20
    /// The JSON lines of one part of a snapshot, in bytes, beyond which the next part begins: 8 MiB by default.
    public var snapshotPartSize = 8 << 20
    /// How much of its own history this replica leaves in the vault.
    public var history = History.all
    /// Transactions are merged in groups of about this many changes, never half of one.
    public var mergeBatchSize = 50_000
    /// How many new rows one statement inserts. More than these make little difference.
    package var rowsPerStatement = 32
    /// Tables that this vault does not get, by name: of changes made here, it gets hashes that reveal nothing. What is there
    /// already stays there. Others' changes of them are not carried there either.
    ///
    /// Rows of other tables that refer to such rows are held by members that have them from nowhere else.
    public var leavesOut: Set<String> = []
    /// Tables and columns that older versions of the app called otherwise, in the order in which its migrations renamed them:
    /// what devices with those versions write arrives under the new names, and what was kept under an old name is taken over.
    ///
    /// A rename is part of the app's schema. It belongs into the version with the migration, for good, and into every engine
    /// of the database. Devices with an older version keep what comes under the new names until they are updated. The old name must
    /// not be used for anything else: ``SyncEngine/sync()`` throws ``SyncError/Code/ambiguousRename`` if the schema has it.
    public var renames: [SyncRename] = []
    /// Whether others' changes are carried between this vault and the others that the database syncs with: yes, by default,
    /// as the database is one, and rows that refer to each other should arrive together. Turn it off where the members
    /// of one vault must not learn what those of another write.
    public var relays = true
    /// How much may wait in the database to be carried to another vault, in bytes: 64 MiB by default. The rest stays where it
    /// is until there is room.
    public var maximumSpoolSize = 64 << 20
    /// The app and its version, in its own words, for the header of what it writes: `Todo 2.1 (macOS)`. Members read it.
    public var appVersion: String?
    /// Waits by it; tests give one they move themselves.
    public var clock: any Clock<Duration> = ContinuousClock()

    /// The defaults.
    public init() {}
  }

  /// How long a replica's own packs stay in the vault once snapshots cover them.
  public enum History: Sendable, Hashable {
    /// For ever.
    case all
    /// At least so long. Then a pack is removed if two snapshots cover it; a device that was away for longer takes in a
    /// snapshot. A replica's last pack always stays.
    case limited(Duration)
  }

  /// The local side.
  public nonisolated let database: Database
  nonisolated let options: Options
  nonisolated let meter: ProgressMeter
  private nonisolated let conflictBroadcast = Broadcast<SyncConflict>()
  private let openStorage: @Sendable () throws -> any ObjectStorage
  private let provider: any VaultProvider
  private var session: SyncSession?

  /// Prepares to sync `database`; nothing is read, written or checked before the first ``sync()``.
  ///
  /// - Parameters:
  ///   - storage: Asked for once; what it throws, ``sync()`` throws.
  ///   - vault: Finds or founds the vault there.
  public init(
    _ database: Database, storage: @autoclosure @escaping @Sendable () throws -> any ObjectStorage,
    vault: any VaultProvider, options: Options = Options()
  ) {
    self.database = database
    self.options = options
    meter = ProgressMeter(options.clock)
    openStorage = storage
    provider = vault
  }

  /// Takes in what others wrote since the last time, and sends what was written here.
  ///
  /// Idempotent, and safe to cancel or to crash at any point: what was merged is merged, what was sent is sent, the next
  /// call does the rest. Costs one listing, a get per new pack of others and a put for the own changes;
  /// now and then, some more to join own packs. Waits while the same database is synced elsewhere.
  ///
  /// - Returns: What was done, and what could not be used.
  /// - Throws: `RemoteError` when the far side fails, `StoreError` when the database does, ``SyncError``,
  ///   `CancellationError`. Nothing is lost in any case.
  public func sync() async throws -> SyncReport {
    let turn = try await SyncTurn.begin(database, clock: options.clock)
    defer {
      meter.end()
      turn.end()
    }
    try Task.checkCancellation()
    let earlier = session?.storage.traffic ?? SyncTraffic()
    let session = try await openSession()
    var report = SyncReport()
    let listing = try await Pull(session: session).run(&report)
    report.diverged = try await diverged(report.headers.values.sorted { $0.replica < $1.replica }, session)
    try await ClockGuard(session: session).run(listing.serverTime, &report)
    try await Push(session: session).run(&report)
    try await ContestedPacks(session: session).run(listing.all, &report)
    try await Relay(session: session).run(&report)
    try await Compaction(session: session).run(listing.own, &report)
    try await writeSnapshot(session, listing, &report)
    try await Retention(session: session, latest: session.latestTime(by: listing.serverTime)).run(listing.own, &report)
    try await PartSweep(session: session).run(listing.all, &report)
    (report.heldRows, report.keptRows) = try await database.read { (try HeldRow.count($0), try KeptRow.count($0)) }
    report.traffic = session.storage.traffic.since(earlier)
    report.durations = meter.durations
    return report
  }

  /// Where one is due. The app may write meanwhile; a snapshot is of a moment at which all of that is sent.
  private func writeSnapshot(_ session: SyncSession, _ listing: Pull.Listing, _ report: inout SyncReport) async throws {
    for _ in 0..<Self.snapshotAttempts {
      let writer = SnapshotWriter(session: session, latest: session.latestTime(by: listing.serverTime))
      guard try await writer.run(listing.all, &report) == .appIsWriting else { return }
      try await Push(session: session).run(&report)
      try await Pull(session: session).fold(&report)
    }
  }

  private static let snapshotAttempts = 3

  /// How far the syncs of this engine are, one after the other: a new sequence for each listener, which ends with the engine.
  ///
  /// A listener first hears how far the running sync is, if one runs; a slow one misses steps, never the latest.
  public nonisolated var progress: AsyncStream<SyncProgress> { meter.stream(buffered: 1) }

  /// The conflicts that the syncs of this engine meet, as they are merged: a new sequence for each listener, which ends with the
  /// engine. A slow listener misses the oldest of more than 1,000; ``SyncReport/conflicts`` has those of one sync.
  public nonisolated var conflicts: AsyncStream<SyncConflict> {
    conflictBroadcast.stream(buffered: ConflictLog.limit)
  }

  /// The rows that were deleted and are still shown, because a live row refers to them in a way that forbids the delete.
  ///
  /// - Throws: `StoreError`, ``SyncError/Code/damagedState``.
  public nonisolated func kept() async throws -> [KeptRow] {
    try await database.read { try KeptRow.all($0) }
  }

  /// The rows that are alive in the merged state but cannot stand in their table, why, and what would show them.
  ///
  /// - Throws: `StoreError`, ``SyncError/Code/damagedState``.
  public nonisolated func held() async throws -> [HeldRow] {
    try await database.read { try HeldRow.all($0) }
  }

  /// Who has merged the same changes and has another state.
  private func diverged(_ headers: [PackHeader], _ session: SyncSession) async throws -> [ReplicaID] {
    if headers.isEmpty { return [] }
    let own = session.changelog.replicaID
    return try await database.read { connection in
      try StateCheck.diverged(headers, own: own, schema: PackPut.migrationCount(connection), connection)
    }
  }

  /// Whether there are own transactions that the vault does not have; true as long as the vault was never opened.
  func hasUnsent() async throws -> Bool {
    guard let session else { return true }
    return try await session.unsent() > 0
  }

  /// What all syncs of this engine share; the passphrase is derived and the vault opened once, whoever asks meanwhile.
  func openSession() async throws -> SyncSession {
    if let session { return session }
    let key = SyncQueue.Key.opening(ObjectIdentifier(self))
    try await SyncQueue.shared.enter(key)
    defer { SyncQueue.shared.leave(key) }
    // Somebody may have opened it meanwhile; who was cancelled, or failed, has not.
    if let session { return session }
    let opened = try await open()
    session = opened
    return opened
  }

  private func open() async throws -> SyncSession {
    guard let changelog = database.extension(Changelog.self) else {
      throw SyncError(
        .notTracked, operation: "sync", message: "The database was opened without change tracking.",
        hint: "Open it with Database.open(…), or add a Changelog to its configuration.")
    }
    let storage = MeteredStorage(try openStorage())
    let vault = try await provider.openVault(on: storage)
    let renames = options.renames
    let hasRowsToAdopt = try await database.write { connection in
      try connection.withInternalAccess {
        try SyncTables.create(connection)
        if !renames.isEmpty {
          var writer = try RenameWriter(connection, changelog.trackedTables(connection))
          try writer.apply(renames)
        }
        try NameChange(connection: connection, changelog: changelog, vault: vault).prepare()
        let hasRowsToAdopt = try changelog.beginSync(connection)
        try SyncTables.register(vault: vault.id, changelog, connection)
        return hasRowsToAdopt
      }
    }
    if hasRowsToAdopt { try changelog.adopt() }
    return SyncSession(
      database: database, changelog: changelog, storage: storage, vault: vault, options: options, progress: meter,
      conflicts: conflictBroadcast, schemas: MergeSchemaCache(rowsPerStatement: options.rowsPerStatement))
  }
}

/// One database, one opened vault.
struct SyncSession: Sendable {
  let database: Database
  let changelog: Changelog
  let storage: MeteredStorage
  let vault: any Vault
  let options: SyncEngine.Options
  let progress: ProgressMeter
  let conflicts: Broadcast<SyncConflict>
  let schemas: MergeSchemaCache
  /// Packs that others wrote under this database's former names: they are not in ``OwnPackTable``, since it may neither join nor
  /// remove them.
  let examined = ObjectKeys()
  /// Packs under former names that say the same where they overlap: see ``ContestedPacks``.
  let agreeing = ObjectKeys()
  /// Own packs that cannot be used, and so not be joined either.
  let unjoinable = ObjectKeys()

  /// What is stamped later than this must wait.
  var latestTime: HybridTime { changelog.now().advanced(by: options.maximumDrift) }

  /// What is stamped later than this must wait here, or for others, as far as the storage's clock is theirs too.
  func latestTime(by server: ServerTime?) -> HybridTime {
    guard let server else { return latestTime }
    return min(latestTime, HybridTime(milliseconds: server.now).advanced(by: options.maximumDrift))
  }

  /// How many own transactions the vault does not have.
  func unsent() async throws -> Int64 {
    let (id, changelog) = (vault.id, changelog)
    return try await database.read { connection in
      let former = FormerTable(connection: connection)
      return try changelog.identities(connection).reduce(0) { sum, identity in
        guard let end = identity.last else {
          let pushed = try SeenTable(vault: id, connection: connection).pushed().last
          return sum + max(0, try changelog.lastTransaction(connection) - identity.offset - pushed)
        }
        guard try former.signingKey(of: identity.replica) != nil else { return sum }
        return sum + max(0, end - identity.offset - (try former.pushed(of: identity.replica, to: id).last))
      }
    }
  }

  /// The names under which this database ever wrote.
  func ownNames() async throws -> Set<ReplicaID> {
    let changelog = changelog
    return Set(try await database.read { try changelog.identities($0) }.map(\.replica))
  }

  /// A merge of nothing: the own log is folded into the state, and rows that wait are decided anew.
  func fold() async throws {
    let (changelog, schemas) = (changelog, schemas)
    let schema = try await database.withMergeTransaction { connection in
      let schema = try schemas.load(connection, changelog)
      _ = try Merge(connection, changelog, schema.schema).finish()
      return schema
    }
    schemas.remember(schema)
  }

  /// Remembers, in the running write transaction, that a put may show others the log up to a local transaction: whatever
  /// becomes of it, these changes keep their stamps.
  func noteAttempt(upTo transaction: Int64, _ connection: Connection) throws {
    guard try transaction > SyncSetting.attempted.integer(connection) ?? 0 else { return }
    try SyncSetting.attempted.set(.integer(transaction), connection)
  }
}
