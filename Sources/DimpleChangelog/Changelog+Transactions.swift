package import DimpleStore
internal import Synchronization

/// The log follows the store's transactions.
extension Changelog {
  package func didBeginWrite(_ connection: Connection) throws {
    guard try isSetUp(connection) else { return }
    let version = try connection.dataVersion()
    if state.withLock({ $0.dataVersion == version }) { return }
    // Another process may have written: go on where the file is. The write lock is held, so nobody else does now.
    let newest = try newestLogRow(connection)
    let floor = try MetaValue.clock.get(connection) ?? 0
    let transaction = try newest?.transaction ?? MetaValue.transaction.get(connection) ?? 0
    state.withLock { state in
      let time = HybridTime(rawValue: max(floor, newest?.time ?? 0, state.recorder.clock.last.rawValue))
      state.recorder.clock.reset(to: time)
      state.recorder.committedTime = time
      state.recorder.lastTransaction = transaction
      state.recorder.hasChanges = false
      state.dataVersion = version
    }
  }

  private func isSetUp(_ connection: Connection) throws -> Bool {
    if state.withLock({ $0.isSetUp }) { return true }
    guard try LogTables.exist(connection) else { return false }
    try LogTables.checkFormat(connection)
    guard let replica = try MetaValue.replica.get(connection) else { return false }
    state.withLock { state in
      state.replica = ReplicaID(rawValue: UInt64(bitPattern: replica))
      state.isSetUp = true
    }
    return true
  }

  private func newestLogRow(_ connection: Connection) throws -> (time: Int64, transaction: Int64)? {
    let statement = try connection.prepare("SELECT hlc, payload FROM dimple_log ORDER BY hlc DESC LIMIT 1")
    defer { statement.reset() }
    guard try statement.step() else { return nil }
    return (statement.int64(0), try LogPayload(statement.bytes(1)).transaction)
  }

  package func willCommit(_ connection: Connection) throws {
    if connection.hasUndonePart { try dropEmptyTransaction(connection) }
    guard state.withLock({ $0.schemaChanged && $0.isSetUp }) else { return }
    try MetaValue.schemaVersion.set(connection.schemaVersion(), connection)
  }

  /// What was logged may have been undone with a savepoint or a failed statement: then there is no transaction, and its number
  /// goes to the next.
  private func dropEmptyTransaction(_ connection: Connection) throws {
    guard state.withLock({ $0.recorder.hasChanges }) else { return }
    let newest = try newestLogRow(connection)
    state.withLock { state in
      state.recorder.hasChanges = newest?.transaction == state.recorder.currentTransaction
    }
  }

  package func didCommit(_ connection: Connection) {
    state.withLock { state in
      if state.recorder.hasChanges { state.recorder.lastTransaction += 1 }
      state.recorder.hasChanges = false
      state.recorder.committedTime = state.recorder.clock.last
      // A rebuild may have taken its changes back out of the log: look at the file again.
      if state.schemaChanged { state.dataVersion = nil }
      state.schemaChanged = false
      state.newTables = []
    }
  }

  package func didRollback(_ connection: Connection) {
    state.withLock { state in
      state.recorder.clock.reset(to: state.recorder.committedTime)
      state.recorder.hasChanges = false
      state.schemaChanged = false
      state.newTables = []
      state.tables = nil
    }
  }

  // MARK: - Schema

  package func willChangeSchema(_ connection: Connection) throws {
    guard try isSetUp(connection) else { return }
    let before = try SchemaSnapshot(connection)
    state.withLock { $0.schemaBefore = before }
    // A trigger that names a column keeps it from being dropped.
    try SchemaRegistry(connection: connection, untracked: options.untracked).dropTriggers()
  }

  package func didChangeSchema(_ connection: Connection) throws {
    guard
      let before = state.withLock({ state in
        defer { state.schemaBefore = nil }; return state.schemaBefore
      })
    else {
      return
    }
    let (newTables, start) = state.withLock { ($0.newTables, $0.recorder.committedTime) }
    let registry = SchemaRegistry(connection: connection, untracked: options.untracked)
    try registry.follow(from: before, newTables: newTables, since: start)
    let created = try registry.update().map(\.id)
    state.withLock { state in
      state.newTables.formUnion(created)
      state.schemaChanged = true
      state.tables = nil
    }
  }

  // MARK: - For sync

  /// The tracked tables as the connection sees them.
  package func trackedTables(_ connection: Connection) throws -> [TrackedTable] {
    let version = try connection.schemaVersion()
    if let known = state.withLock({ $0.tables }), known.schemaVersion == version { return known.tables }
    let tables = try SchemaRegistry(connection: connection, untracked: options.untracked).trackedTables()
    state.withLock { $0.tables = (version, tables) }
    return tables
  }

  /// Moves the clock past a foreign stamp, in the running write transaction.
  package func receive(_ time: HybridTime, _ connection: Connection) throws {
    guard state.withLock({ $0.recorder.clock.last < time }) else { return }
    try connection.withInternalAccess { try MetaValue.clock.set(time.rawValue, connection) }
    state.withLock { $0.recorder.clock.receive(time) }
  }
}
