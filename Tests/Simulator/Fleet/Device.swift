import DimpleChangelog
import DimpleMutex
import DimpleRemote
import DimpleStore
import DimpleSync
import DimpleTestSupport

/// One simulated device: a database that outlives the processes that open it, a clock, and a way to the bucket.
///
/// Confined to the run that it belongs to.
final class Device {
  /// What is known of the device's own commits.
  struct Record {
    var transactions: [Int64: [Change]] = [:]
    var last: Int64 = 0
    var newest = HybridTime(rawValue: 0)
  }

  struct Backup {
    var path: String
    var version: Int
    var record: Record
  }

  let index: Int
  let clock = ManualClock()
  let faults: FaultyStorage
  let storage: DeviceStorage
  private let current: LifeSource
  private let folder: TemporaryFolder
  private let script: Script
  private let vaultSeed: UInt64
  private var generation = 0
  private(set) var database: Database
  private(set) var engine: SyncEngine
  /// Syncs with the stick, on a device that syncs with the bucket otherwise.
  private(set) var carrier: SyncEngine?
  /// Where it syncs: the bucket, or the stick alone.
  let home: Bucket
  private let stick: Bucket?

  var version: Int
  var record = Record()
  var backup: Backup?
  /// The latest time that this device has taken in from others.
  var seen = HybridTime(rawValue: 0)
  /// What the clock is wrong by, in milliseconds; `nil` while it stands still.
  var offset: Int64? = 0

  /// - Parameters:
  ///   - path: A database file to begin with.
  ///   - isCopy: It is another device's; a database that nobody has written to gets a name of its own.
  ///   - stick: What the device may carry packs on; its own vault where it never sees another.
  init(
    _ index: Int, version: Int, script: Script, bucket: Bucket, folder: TemporaryFolder, from path: String,
    isCopy: Bool = false, stick: Bucket? = nil
  ) throws {
    self.index = index
    self.version = version
    self.script = script
    self.folder = folder
    var random = SeededRandom(seed: script.seed &+ UInt64(index) &* 0x1234_5678_9ABC_DEF1)
    vaultSeed = random.next()
    let lifeline = Lifeline()
    home = bucket
    self.stick = stick === bucket ? nil : stick
    faults = FaultyStorage(bucket, schedule: .none, seed: script.seed &+ UInt64(index))
    let current = LifeSource(lifeline)
    self.current = current
    storage = DeviceStorage(faults) { current.lifeline }
    let opening = Opening(
      index: index, version: version, generation: 0, script: script, clock: clock, life: lifeline,
      path: script.settings.usesFiles ? folder.path("device\(index)-0.db") : nil)
    database = try opening.open(path, isCopy: isCopy)
    engine = opening.engine(database, storage, vaultSeed, vault: home.name)
    carrier = self.stick.map { opening.engine(database, $0, vaultSeed, vault: $0.name) }
  }

  var life: Lifeline { current.lifeline }

  var changelog: Changelog {
    get throws {
      guard let changelog = database.changelog else { throw SimulationFailure("not tracked") }
      return changelog
    }
  }

  /// The process ends, somehow, and another opens the database as it was left.
  ///
  /// - Parameters:
  ///   - version: The version of the app that opens it.
  ///   - path: Another database file in its place.
  func reopen(version: Int? = nil, replacedBy path: String? = nil) throws {
    let source: String
    if let path {
      source = path
    } else {
      source = folder.path("device\(index)-\(generation).copy")
      try database.backup(to: source)
    }
    try database.close()
    generation += 1
    self.version = version ?? self.version
    let lifeline = Lifeline()
    current.lifeline = lifeline
    let opening = Opening(
      index: index, version: self.version, generation: generation, script: script, clock: clock, life: lifeline,
      path: script.settings.usesFiles ? folder.path("device\(index)-\(generation).db") : nil)
    database = try opening.open(source, isCopy: true)
    engine = opening.engine(database, storage, vaultSeed &+ UInt64(generation), vault: home.name)
    carrier = stick.map { opening.engine(database, $0, vaultSeed &+ UInt64(generation), vault: $0.name) }
    if path == nil { TemporaryFiles.remove(source) }
  }

  func close() throws { try database.close() }

  /// Copies the database as it is to a new file.
  func copy(_ name: String) throws -> String {
    let path = folder.path("device\(index)-\(generation)-\(name).copy")
    TemporaryFiles.remove(path)
    try database.backup(to: path)
    return path
  }
}

/// The life that a device's storage belongs to now.
final class LifeSource: Sendable {
  private let state: Mutex<Lifeline>

  init(_ lifeline: Lifeline) { state = Mutex(lifeline) }

  var lifeline: Lifeline {
    get { state.withLock { $0 } }
    set { state.withLock { $0 = newValue } }
  }
}

/// How a device's process opens its database.
struct Opening {
  var index: Int
  var version: Int
  var generation: Int
  var script: Script
  var clock: ManualClock
  var life: Lifeline
  /// In memory without.
  var path: String?

  func open(_ source: String, isCopy: Bool) throws -> Database {
    var tracking = Changelog.Options()
    tracking.clock = clock.wallClock
    // A device that starts again has its database copied, too; copies of devices are for the bucket to show.
    tracking.detectsCopies = false
    tracking.updateRevives = script.schema.reviving(in: version)
    let random = Mutex(SeededRandom(seed: script.seed &+ UInt64(index) << 32 &+ UInt64(generation)))
    tracking.random = { random.withLock { $0.next() } }
    var configuration = Configuration()
    let changelog = Changelog(tracking)
    configuration.extensions = [changelog, life]
    configuration.synchronous = .off
    configuration.readerCount = 2
    configuration.exposesValuesInErrors = true
    let migrations = script.schema.migrations(upTo: version)
    let database: Database
    if let path {
      try TemporaryFiles.copy(source, to: path)
      database = try Database(path, configuration: configuration, migrations: migrations)
    } else {
      database = try Database.inMemoryCopy(of: source, configuration: configuration, migrations: migrations)
    }
    if !isCopy { try database.write { try changelog.replaceReplicaID($0) } }
    return database
  }

  func engine(
    _ database: Database, _ storage: any ObjectStorage, _ vaultSeed: UInt64, vault: String
  ) -> SyncEngine {
    var options = SyncEngine.Options()
    options.packSize = script.settings.packSize
    options.mergeBatchSize = script.settings.mergeBatchSize
    options.rowsPerStatement = script.settings.rowsPerStatement
    options.parallelGets = script.settings.parallelGets
    options.smallestSnapshot = script.settings.smallestSnapshot ?? .max
    options.snapshotPartSize = script.settings.snapshotPartSize
    options.renames = script.schema.declaredRenames(in: version)
    if let seconds = script.settings.historySeconds { options.history = .limited(.seconds(seconds)) }
    return SyncEngine(database, storage: storage, vault: TransparentVault(seed: vaultSeed, id: vault), options: options)
  }
}
