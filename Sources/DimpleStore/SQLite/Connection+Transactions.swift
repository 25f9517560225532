internal import CSQLite
internal import Logging

/// The statements by which the store, and nobody else, begins and ends transactions.
enum ControlStatement: Int, CaseIterable {
  case beginRead, beginWrite, commit, rollback

  var sql: String {
    switch self {
    case .beginRead: "BEGIN DEFERRED"
    case .beginWrite: "BEGIN IMMEDIATE"
    case .commit: "COMMIT"
    case .rollback: "ROLLBACK"
    }
  }
}

extension Connection {
  /// Runs the body in a write transaction: committed if it returns, rolled back if it throws.
  func inWriteTransaction<T>(_ body: (Connection) throws -> T) throws -> T {
    guard !configuration.isReadOnly else {
      throw StoreError(
        .readOnly, operation: "begin", message: "The database was opened to read only.",
        hint: "Open it without Configuration.isReadOnly.")
    }
    try control(.beginWrite)
    access = .write
    expectsTransaction = true
    pending.reset()
    do {
      try commits.noticeExternalCommit(on: self)
      try withInternalAccess { for observer in configuration.extensions { try observer.didBeginWrite(self) } }
      let result = try body(self)
      try withInternalAccess { for observer in configuration.extensions { try observer.willCommit(self) } }
      try checkInterruption(sql: nil)
      try endTransaction(.commit)
      didCommit()
      return result
    } catch {
      rollBack()
      for observer in configuration.extensions { observer.didRollback(self) }
      throw error
    }
  }

  /// Runs the body in a read transaction: one snapshot of the database from its first query on.
  func inReadTransaction<T>(_ body: (Connection) throws -> T) throws -> T {
    try control(.beginRead)
    access = .read
    expectsTransaction = true
    do {
      let result = try body(self)
      try endTransaction(.commit)
      access = .none
      return result
    } catch {
      rollBack()
      throw error
    }
  }

  /// Begins a read transaction that stays open until the connection is closed.
  func beginReadTransaction() throws { try control(.beginRead) }

  /// Runs a body of one query, which is a snapshot by itself.
  func inSingleRead<T>(_ body: (Connection) throws -> T) throws -> T {
    access = .read
    defer {
      resetStatements()
      access = .none
    }
    return try body(self)
  }

  /// Runs the body in a savepoint: if it throws, what it wrote is undone, and the transaction goes on.
  ///
  /// Savepoints nest. The error is thrown on. https://sqlite.org/lang_savepoint.html
  @discardableResult
  public func savepoint<T>(_ body: () throws -> T) throws -> T {
    try checkUsable(operation: "savepoint")
    guard access == .write else {
      throw StoreError(
        .readOnly, operation: "savepoint", message: "A savepoint is for undoing writes, and this is a read.",
        hint: "Use write { }.")
    }
    // Where SQLite has rolled back, it would begin another transaction, and RELEASE would commit it.
    try checkTransaction(operation: "savepoint", sql: nil)
    let name = "dimple_savepoint_\(savepointDepth)"
    try executeControl("SAVEPOINT \(name)")
    let mark = pending.mark()
    let actions = rollbackActions.count
    savepointDepth += 1
    defer { savepointDepth -= 1 }
    for observer in configuration.extensions { observer.didBeginSavepoint(self) }
    do {
      let result = try body()
      try executeControl("RELEASE \(name)")
      for observer in configuration.extensions { observer.didEndSavepoint(self, isUndone: false) }
      return result
    } catch {
      // SQLite may have rolled back the whole transaction by itself: then there is no savepoint to return to.
      if isInTransaction {
        try executeControl("ROLLBACK TO \(name)")
        try executeControl("RELEASE \(name)")
      }
      pending.restore(mark)
      runRollbackActions(downTo: actions)
      for observer in configuration.extensions { observer.didEndSavepoint(self, isUndone: true) }
      throw error
    }
  }

  /// Runs the action if what is written from here on is rolled back, by the savepoint at hand or the transaction.
  package func onRollback(_ action: @escaping () -> Void) {
    rollbackActions.append(action)
  }

  private func didCommit() {
    access = .none
    rollbackActions.removeAll()
    for observer in configuration.extensions { observer.didCommit(self) }
    if commits.hasHandlers, let event = pending.event { commits.deliver(event) }
    pending.reset()
  }

  /// Ends whatever transaction there still is.
  func rollBack() {
    do {
      if isInTransaction { try endTransaction(.rollback) }
    } catch {
      // There is nothing more to try on this connection: the lane replaces it, and SQLite rolls back when it is closed.
      configuration.logger?.error("Rolling back failed", metadata: ["error": "\(error)"])
    }
    expectsTransaction = false
    resetStatements()
    isBroken = isInTransaction
    access = .none
    pending.reset()
    runRollbackActions(downTo: 0)
  }

  /// Called after a statement that writes has failed.
  ///
  /// - Parameter number: Of its run, if that was the step in which it wrote.
  func writeDidFail(number: UInt64?) {
    guard isInTransaction, access == .write else { return }
    do {
      guard let number else {
        // SQLite may have undone it now, with what other statements wrote since it did.
        return try rollBackEarly()
      }
      try withInternalAccess {
        for observer in configuration.extensions { try observer.statementDidFail(self, number: number) }
      }
    } catch {
      configuration.logger?.error("Following a failed statement failed", metadata: ["error": "\(error)"])
      do { try rollBackEarly() } catch { isBroken = true }
    }
  }

  /// Rolls back before the closure ends, as SQLite does by itself after some errors: from then on nothing can be written.
  private func rollBackEarly() throws {
    resetStatements()
    try control(.rollback)
  }

  private func runRollbackActions(downTo count: Int) {
    while rollbackActions.count > count { rollbackActions.removeLast()() }
  }

  private func endTransaction(_ statement: ControlStatement) throws {
    resetStatements()
    // From here on a cancellation comes too late, and must not stop a COMMIT or ROLLBACK halfway.
    interruption.ignoreRequests()
    try control(statement)
    expectsTransaction = false
  }

  /// Statements left in the middle would hold their snapshot, and keep a COMMIT from ending the transaction.
  private func resetStatements() {
    closeBlobs()
    guard activeStatements > 0 else { return }
    // Those of cursors stay where they are: the next batch goes on from there.
    let kept = cursors.isEmpty ? [] : cursors.values.map(\.statement).filter(\.isRunning)
    guard activeStatements > kept.count else { return }
    var statement = sqlite3_next_stmt(handle, nil)
    while let current = statement {
      if sqlite3_stmt_busy(current) != 0, !kept.contains(where: { $0.handle == current }) { sqlite3_reset(current) }
      statement = sqlite3_next_stmt(handle, current)
    }
    runNumber += 1
    for statement in kept { statement.stayRunning() }
    activeStatements = kept.count
  }

  private func control(_ statement: ControlStatement) throws {
    authorizer.allowsControl = true
    defer { authorizer.allowsControl = false }
    let handle = try controlHandle(statement)
    let result = sqlite3_step(handle)
    sqlite3_reset(handle)
    guard result == SQLITE_DONE else {
      throw error(result, operation: statement.sql.lowercased(), sql: nil)
    }
  }

  private func controlHandle(_ statement: ControlStatement) throws -> OpaquePointer? {
    if let handle = controlStatements[statement.rawValue] { return handle }
    var handle: OpaquePointer?
    let flags = UInt32(SQLITE_PREPARE_PERSISTENT)
    let result = sqlite3_prepare_v3(self.handle, statement.sql, -1, flags, &handle, nil)
    guard result == SQLITE_OK else { throw error(result, operation: "prepare", sql: statement.sql) }
    controlStatements[statement.rawValue] = handle
    return handle
  }
}
