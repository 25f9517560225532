public import DimpleChangelog
internal import DimpleMutex
public import DimpleRemote
public import DimpleStore
public import DimpleSync

/// A wall clock that stands still until it is set.
public final class ManualClock: Sendable {
  private let now: Mutex<Int64>

  /// - Parameter milliseconds: Since 1970.
  public init(milliseconds: Int64 = 1_800_000_000_000) { now = Mutex(milliseconds) }

  /// Milliseconds since 1970.
  public var milliseconds: Int64 {
    get { now.withLock { $0 } }
    set { now.withLock { $0 = newValue } }
  }

  /// Goes forward, or back if negative.
  public func advance(milliseconds: Int64) { now.withLock { $0 += milliseconds } }

  /// For a changelog's options.
  public var wallClock: WallClock { WallClock { self.milliseconds } }
}

/// One device of a simulated fleet: a tracked database, a clock of its own, an engine.
public struct SimulatedReplica: Sendable {
  /// Tracked; in memory unless a path was given.
  public let database: Database
  /// The device's.
  public let clock: ManualClock
  /// Syncs the database.
  public let engine: SyncEngine

  /// A device that syncs with `storage`.
  ///
  /// - Parameters:
  ///   - path: A database file; in memory without.
  ///   - configuration: For its connections.
  ///   - updateRevives: Tables in which a later write outlives a delete.
  ///   - retention: How long its log is kept; the test trims it.
  ///   - detectsCopies: Whether it is a replica of its own if the file was copied; else the bucket must show it.
  ///   - seed: Makes its replica id the same in every run; random without. One for each replica.
  public init(
    storage: any ObjectStorage, vault: any VaultProvider = TransparentVault(), clock: ManualClock = ManualClock(),
    path: String? = nil, configuration: Configuration = Configuration(), untracked: Set<String> = [],
    untrackedColumns: [String: Set<String>] = [:], updateRevives: Set<String> = [],
    retention: Changelog.Retention = .all, detectsCopies: Bool = true,
    seed: UInt64? = nil, options: SyncEngine.Options = .init(), migrations: [Migration]
  ) throws {
    var configuration = configuration
    var tracking = Changelog.Options()
    tracking.clock = clock.wallClock
    tracking.untracked = untracked
    tracking.untrackedColumns = untrackedColumns
    tracking.updateRevives = updateRevives
    tracking.retention = retention
    tracking.trimsByItself = false
    tracking.detectsCopies = detectsCopies
    if let seed {
      let random = Mutex(SeededRandom(seed: seed))
      tracking.random = { random.withLock { $0.next() } }
    }
    configuration.extensions.append(Changelog(tracking))
    database =
      if let path {
        try Database(path, configuration: configuration, migrations: migrations)
      } else {
        try Database.inMemory(configuration: configuration, migrations: migrations)
      }
    self.clock = clock
    engine = SyncEngine(database, storage: storage, vault: vault, options: options)
  }
}
