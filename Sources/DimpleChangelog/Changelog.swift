public import DimpleStore
internal import Synchronization

/// Tracks every change of a database: any INSERT, UPDATE or DELETE, by API or plain SQL, cascades and triggers included, is
/// in the log in the same transaction, or rolled back with it.
///
/// It is part of a database opened with `Database.open`; one per `Database`. Tracking is done by triggers that the database
/// file carries, so that another program's write, which the triggers' functions are missing for, is refused, not lost.
/// Reading the log is safe from any thread.
public final class Changelog: DatabaseExtension {
  /// How tracking behaves.
  public struct Options: Sendable {
    /// Tables that stay on this device.
    public var untracked: Set<String> = []
    /// The device's clock.
    public var clock = WallClock.system
    /// 64 random bits; for new replica ids.
    public var random: @Sendable () -> UInt64 = { UInt64.random(in: 0...UInt64.max) }

    /// Everything is tracked.
    public init() {}
  }

  struct State {
    var recorder = ChangeRecorder()
    var replica = ReplicaID(rawValue: 0)
    /// `PRAGMA data_version` of the writer when the recorder was last in step with the file.
    var dataVersion: Int64?
    /// Before a statement that changes the schema.
    var schemaBefore: SchemaSnapshot?
    /// What `databaseDidOpen` and the hooks found.
    var tables: (schemaVersion: Int64, tables: [TrackedTable])?
    /// The tracking tables are there.
    var isSetUp = false
    /// In the running transaction.
    var schemaChanged = false
    /// Made in the running transaction.
    var newTables: Set<Int64> = []
  }

  let options: Options
  let state = Mutex(State())

  /// - Parameter options: What to track.
  public init(_ options: Options = Options()) { self.options = options }

  /// This database file's identity.
  public var replicaID: ReplicaID { state.withLock { $0.replica } }

  /// What the device's clock says.
  package func now() -> HybridTime { HybridTime(milliseconds: max(0, options.clock.milliseconds())) }

  // MARK: - Opening

  package func connectionDidOpen(_ connection: Connection, role: ConnectionRole) throws {
    try connection.createFunction("uuid7", argumentCount: 0, deterministic: false) { call in
      call.setResult(UUIDv7().sqlValue)
    }
    if role == .writer { try defineFunctions(connection) }
  }

  private func defineFunctions(_ connection: Connection) throws {
    func define(_ name: String, _ body: @escaping (inout ChangeRecorder, FunctionCall) throws -> Bool) throws {
      try connection.createFunction(name, deterministic: false) { [unowned self] call in
        let result = try state.withLock { try body(&$0.recorder, call) }
        call.setResult(.integer(result ? 1 : 0))
      }
    }
    try define("dimple_insert") { recorder, call in
      try recorder.record(.insert, call)
      return true
    }
    try define("dimple_delete") { recorder, call in
      try recorder.record(.delete, call)
      return true
    }
    try define("dimple_more") { recorder, call in
      try recorder.recordMore(call)
      return true
    }
    try define("dimple_update") { try $0.recordUpdate($1) }
    try define("dimple_more_update") { try $0.recordMoreUpdate($1) }
    try connection.createFunction("dimple_tick", argumentCount: 0, deterministic: false) { [unowned self] call in
      let wall = options.clock.milliseconds()
      call.setResult(.integer(state.withLock { $0.recorder.tick(wall: wall).rawValue }))
    }
    try connection.createFunction("dimple_payload", argumentCount: 0, deterministic: false) { [unowned self] call in
      state.withLock { $0.recorder.takePayload() }.withUnsafeBytes { call.setResult(bytes: $0) }
    }
  }

  package func databaseDidOpen(_ database: Database) throws {
    if try isInStep(database) { return }
    let found = try database.write { connection in
      try connection.withInternalAccess { try setUp(connection) }
    }
    for table in found { try Adoption(changelog: self, database: database).adopt(table) }
  }

  /// Nothing to do: the usual case, at the price of one read.
  private func isInStep(_ database: Database) throws -> Bool {
    if !options.untracked.isEmpty { return false }
    return try database.read { connection in
      guard try LogTables.exist(connection) else { return false }
      try LogTables.checkFormat(connection)
      guard try MetaValue.schemaVersion.get(connection) == connection.schemaVersion() else { return false }
      guard try AdoptionProgress.pending(connection).isEmpty else { return false }
      try loadReplica(connection)
      return true
    }
  }

  /// Makes the tables and triggers; the tables whose rows must be adopted.
  private func setUp(_ connection: Connection) throws -> [TrackedTable] {
    if try LogTables.exist(connection) {
      try LogTables.checkFormat(connection)
    } else {
      try LogTables.create(connection, replica: ReplicaID(rawValue: options.random()))
    }
    try loadReplica(connection)
    let registry = SchemaRegistry(connection: connection, untracked: options.untracked)
    let new = try registry.update()
    try AdoptionProgress.begin(new, connection)
    try MetaValue.schemaVersion.set(connection.schemaVersion(), connection)
    let pending = try AdoptionProgress.pending(connection)
    return try registry.trackedTables().filter { pending.contains($0.id) }
  }

  private func loadReplica(_ connection: Connection) throws {
    guard let replica = try MetaValue.replica.get(connection) else { return }
    state.withLock { state in
      state.replica = ReplicaID(rawValue: UInt64(bitPattern: replica))
      state.isSetUp = true
    }
  }
}

extension Connection {
  /// Changes with every change of the schema.
  package func schemaVersion() throws -> Int64 { try pragma("PRAGMA schema_version") }

  /// Changes when another connection, of this process or another, has committed.
  func dataVersion() throws -> Int64 { try pragma("PRAGMA data_version") }

  private func pragma(_ sql: String) throws -> Int64 {
    let statement = try prepare(sql)
    defer { statement.reset() }
    return try statement.step() ? statement.int64(0) : 0
  }
}
