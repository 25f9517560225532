internal import DimpleMutex
package import DimpleStore

/// The log follows the store's transactions.
extension Changelog {
  package func didBeginWrite(_ connection: Connection) throws {
    try setUp(connection)
    let version = try connection.dataVersion()
    let (isInStep, recorder) = state.withLock { state in
      state.changes = SchemaChanges()
      return (state.dataVersion == version, state.recorder)
    }
    if isInStep { return recorder.begin() }
    // Another process may have written: go on where the file is. The write lock is held, so nobody else does now.
    try resume(recorder, connection)
    state.withLock { $0.dataVersion = version }
    recorder.begin()
    let schemaVersion = try connection.schemaVersion()
    try recorder.look(at: SchemaReader(connection: connection), version: schemaVersion)
    if try MetaValue.schemaVersion.get(connection) != schemaVersion {
      // A program that does not track has changed it.
      try bringInStep(connection, takesNewTables: false)
    }
  }

  private func resume(_ recorder: ChangeRecorder, _ connection: Connection) throws {
    let newest = try LogTables.newest(connection)
    let floor = try MetaValue.clock.get(connection) ?? 0
    let transaction = try newest?.transaction ?? MetaValue.transaction.get(connection) ?? 0
    let replica = try MetaValue.replica.get(connection).map { ReplicaID(rawValue: UInt64(bitPattern: $0)) }
    // A damaged time must not overflow.
    let last = min(max(newest?.time.rawValue ?? 0, floor, 0), HybridTime.maximum.rawValue)
    recorder.resume(clock: HybridClock(last: HybridTime(rawValue: last)), lastTransaction: transaction)
    state.withLock { state in
      state.replica = replica ?? state.replica
      state.committedReplica = state.replica
    }
  }

  /// Makes the tracking tables if they are missing, as part of the first write transaction.
  private func setUp(_ connection: Connection) throws {
    if state.withLock({ $0.isSetUp }) { return }
    if try LogTables.exist(connection) {
      if try LogTables.upgrade(connection) { state.withLock { $0.changes.hasChanged = true } }
    } else {
      try LogTables.create(connection, replica: ReplicaID(rawValue: options.random()))
      state.withLock { $0.changes.hasChanged = true }
    }
    try takeOwnIdentity(connection)
    state.withLock { state in
      state.isSetUp = true
      state.dataVersion = nil
    }
  }

  /// Writing a blob as a stream fires no triggers, and would not be logged.
  package func willWriteBlob(_ connection: Connection, table: String, column: String) throws {
    let name = SQLName(table)
    guard try trackedTables(connection).contains(where: { SQLName($0.name) == name }) else { return }
    throw StoreError(
      .notAllowed, operation: "open blob", message: "Changes of '\(table)' are tracked, and streams escape tracking.",
      hint: "Write the whole value with UPDATE, or keep large blobs in a table that is untracked: Options.untracked.")
  }

  package func willCommit(_ connection: Connection) throws {
    try checkFollowed(connection)
    try rememberSchemaVersion(connection)
    let recorder = recorder
    let hadWritten = recorder.hasWritten
    try recorder.flush(connection)
    // A savepoint, a failed statement or a rebuilt table may have taken back all that was written: then there was no
    // transaction, and its number goes to the next.
    let hasLogged = try hadWritten ? hasLogged(since: recorder.committedClock.last, connection) : recorder.hasWritten
    state.withLock { $0.changes.hasLogged = hasLogged }
  }

  private func hasLogged(since time: HybridTime, _ connection: Connection) throws -> Bool {
    let statement = try connection.prepare("SELECT 1 FROM dimple_log WHERE hlc > ? LIMIT 1")
    defer { statement.reset() }
    try statement.bind(int64: time.rawValue, at: 1)
    return try statement.step()
  }

  package func didBeginSavepoint(_ connection: Connection) { recorder.beginSavepoint() }

  package func didEndSavepoint(_ connection: Connection, isUndone: Bool) { recorder.endSavepoint(isUndone: isUndone) }

  package func statementDidFail(_ connection: Connection, number: UInt64) throws {
    try recorder.statementDidFail(number, connection)
  }

  /// The log that the app sees has all that is done.
  package func willReadOwnTables(_ connection: Connection) throws { try recorder.flush(connection) }

  package func didCommit(_ connection: Connection) {
    let hasLogged = state.withLock { state in
      let hasLogged = state.changes.hasLogged
      state.recorder.commit(hasLogged: hasLogged)
      state.observed?.passOwnCommit(transaction: state.recorder.currentTransaction - 1, state.changes)
      state.committedReplica = state.replica
      state.changes = SchemaChanges()
      return hasLogged
    }
    if hasLogged, options.retention != .all, options.trimsByItself { trimming.noticeCommit(self) }
  }

  package func didRollback(_ connection: Connection) {
    state.withLock { state in
      state.recorder.rollBack()
      state.replica = state.committedReplica
      if state.changes.hasChanged { state.schema = nil }
      // The tracking tables may have been made, or the replica id replaced, in this transaction.
      state.isSetUp = false
      state.changes = SchemaChanges()
    }
  }

  // MARK: - For sync

  /// Moves the clock past a foreign stamp, in the running write transaction; rolled back with it.
  ///
  /// - Throws: ``ChangelogError`` `.clockExhausted`, `.notInTransaction`.
  package func receive(_ time: HybridTime, _ connection: Connection) throws {
    try requireWriting(connection, "receive a stamp")
    // Kept also where the own clock is past it: what is restamped stays after all that was received.
    guard try time.rawValue > MetaValue.clock.get(connection) ?? 0 else { return }
    try recorder.receive(time, connection)
    try connection.withInternalAccess { try MetaValue.clock.set(time.rawValue, connection) }
  }

  /// The number of the last transaction, the running one's included once it has logged a change; 0 before the first.
  package func lastTransaction(_ connection: Connection) throws -> Int64 {
    guard try LogTables.exist(connection) else { return 0 }
    try completeLog(connection)
    return try LogTables.newest(connection)?.transaction ?? MetaValue.transaction.get(connection) ?? 0
  }

  /// The latest time that was given out or received, as far as it is committed.
  package func latestTime(_ connection: Connection) throws -> HybridTime {
    guard try LogTables.exist(connection) else { return HybridTime(rawValue: 0) }
    return HybridTime(
      rawValue: max(try LogTables.newest(connection)?.time.rawValue ?? 0, try MetaValue.clock.get(connection) ?? 0))
  }

  /// Before the log is read: in a write transaction, it has all that was done so far.
  func completeLog(_ connection: Connection) throws {
    guard connection.role == .writer, connection.isWritable else { return }
    try recorder.flush(connection)
  }

  func requireWriting(_ connection: Connection, _ operation: String) throws {
    guard connection.role == .writer, connection.isInTransaction else {
      throw ChangelogError(
        .notInTransaction, operation: operation, message: "It is part of a write transaction.",
        hint: "Call it inside write { } or a merge transaction, with that closure's connection.")
    }
  }
}
