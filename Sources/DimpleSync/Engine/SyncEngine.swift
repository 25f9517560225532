public import DimpleChangelog
public import DimpleRemote
public import DimpleStore

/// Syncs one database with one vault: every device's changes reach every other through dumb storage.
///
/// ```swift
/// let engine = try SyncEngine(database, storage: storage, vault: provider)
/// let report = try await engine.sync()
/// ```
///
/// Any number of devices may sync with a vault at any time, without locks: each writes only objects of its own.
/// docs/SYNC_ENGINE.md explains how they end up the same. Safe to use from any task; syncs of one engine run one after
/// the other.
public actor SyncEngine {
  /// How an engine behaves.
  public struct Options: Sendable {
    /// Packs fetched at a time.
    public var parallelGets = 4
    /// A transaction stamped further ahead of this device's clock than this is postponed: a day by default.
    public var maximumDrift: Duration = .seconds(86_400)
    /// The JSON lines of one pack, in bytes, beyond which the next pack begins: 8 MiB by default.
    public var packSize = 8 << 20
    /// The longest pack accepted, in bytes, sealed and unfolded: 256 MiB by default.
    public var maximumObjectSize = 256 << 20
    /// Transactions are merged in groups of about this many changes, never half of one.
    public var mergeBatchSize = 50_000

    /// The defaults.
    public init() {}
  }

  /// The local side.
  public nonisolated let database: Database
  nonisolated let changelog: Changelog
  nonisolated let storage: any ObjectStorage
  nonisolated let options: Options
  private let provider: any VaultProvider
  private var vault: (any Vault)?
  private var isRunning = false
  private var waiters: [CheckedContinuation<Void, Never>] = []

  /// Prepares to sync `database`; nothing is read or written yet.
  ///
  /// - Throws: ``SyncError/Code/notTracked`` for a database opened without change tracking.
  public init(
    _ database: Database, storage: any ObjectStorage, vault: any VaultProvider, options: Options = Options()
  ) throws {
    guard let changelog = database.extension(Changelog.self) else {
      throw SyncError(
        .notTracked, operation: "prepare to sync", message: "The database was opened without change tracking.",
        hint: "Open it with Database.open(…), or add a Changelog to its configuration.")
    }
    self.database = database
    self.changelog = changelog
    self.storage = storage
    self.options = options
    provider = vault
  }

  /// Takes in what others wrote since the last time, and sends what was written here.
  ///
  /// Idempotent, and safe to cancel or to crash at any point: what was merged is merged, what was sent is sent, the next
  /// call does the rest. Costs one listing, a get per new pack of others and a put for the own changes.
  ///
  /// - Returns: What was done, and what could not be used.
  /// - Throws: `RemoteError` when the far side fails, `StoreError` when the database does, ``SyncError``,
  ///   `CancellationError`. Nothing is lost in any case.
  public func sync() async throws -> SyncReport {
    await acquire()
    defer { release() }
    try Task.checkCancellation()
    let vault = try await openVault()
    try await prepareTables()
    var report = SyncReport()
    try await Pull(engine: self, vault: vault).run(&report)
    try await Push(engine: self, vault: vault).run(&report)
    report.heldRows = try await database.read { try HeldRow.count($0) }
    return report
  }

  /// The rows that are alive in the merged state but cannot stand in their table, and why.
  ///
  /// - Throws: `StoreError`, ``SyncError/Code/damagedState``.
  public nonisolated func held() async throws -> [HeldRow] {
    try await database.read { try HeldRow.all($0) }
  }

  private func openVault() async throws -> any Vault {
    if let vault { return vault }
    let opened = try await provider.openVault(on: storage)
    vault = opened
    return opened
  }

  private func prepareTables() async throws {
    try await database.write { connection in
      try connection.withInternalAccess { try SyncTables.create(connection) }
    }
  }

  // MARK: - One at a time

  private func acquire() async {
    if isRunning {
      await withCheckedContinuation { waiters.append($0) }
    } else {
      isRunning = true
    }
  }

  private func release() {
    if waiters.isEmpty {
      isRunning = false
    } else {
      waiters.removeFirst().resume()
    }
  }
}
