internal import CSQLite

/// One SQLite connection, for the time of the closure that it is given to.
///
/// Not `Sendable`: it stays in its closure, on its thread. Used after the closure, it throws ``StoreError`` with code
/// `outsideClosure`.
public final class Connection {
  // A connection is confined to one thread, and none of what is marked `@exclusivity(unchecked)` is used inside a change to
  // itself: the check at run time would be a tenth of a short query.

  /// What may be done at the moment.
  enum Access {
    /// Nobody holds the connection.
    case none
    /// It is being opened: no transaction yet.
    case setup
    /// Reading only.
    case read
    /// Inside a write transaction.
    case write
  }

  /// Whether this is the one that writes.
  package let role: ConnectionRole
  let configuration: Configuration
  let authorizer = Authorizer()
  let interruption = Interruption()
  let commits: CommitHub
  /// `nil` once closed.
  var handle: OpaquePointer?
  @exclusivity(unchecked) var access = Access.none
  /// A transaction was begun and is to be ended by the store: finding none means that SQLite has rolled back by itself.
  @exclusivity(unchecked) var expectsTransaction = false
  /// Statements stepped and not yet at the end.
  @exclusivity(unchecked) var activeStatements = 0
  /// To be closed at the end of the transaction.
  var openBlobs: [ObjectIdentifier: WeakBlob] = [:]
  /// Grows when all statements are reset at once; from 1.
  @exclusivity(unchecked) var runNumber: UInt64 = 1
  @exclusivity(unchecked) var pending = PendingChanges()
  /// The statement that is writing.
  package let running = RunningStatement()
  var rollbackActions: [() -> Void] = []
  /// What the schema change at hand, or the last one, is about.
  package internal(set) var schemaTargets = SchemaTargets()
  var savepointDepth = 0
  /// Statements that stay where they are between two reads, by number.
  var cursors: [UInt64: CursorStatement] = [:]
  @exclusivity(unchecked) var userStatements: StatementCache
  @exclusivity(unchecked) var internalStatements: StatementCache
  /// By ``ControlStatement``, compiled when first needed.
  var controlStatements = [OpaquePointer?](repeating: nil, count: ControlStatement.allCases.count)
  /// What a function implemented in Swift threw, until the statement that called it fails.
  var functionError: (any Error)?
  /// Kept alive for SQLite, which calls it.
  var tracer: StatementTracer?
  /// A rollback failed: the connection is not to be used again.
  var isBroken = false
  var entityStatements: [ObjectIdentifier: EntityStatements] = [:]
  /// The SQL that finds an entity of a type by its id.
  var findStatements: [ObjectIdentifier: String] = [:]
  let rowEncoder = RowEncoder()

  /// Opens and sets up; hooks of extensions are called by ``setUp()``.
  init(place: DatabasePlace, role: ConnectionRole, configuration: Configuration, commits: CommitHub) throws {
    self.role = role
    self.configuration = configuration
    self.commits = commits
    userStatements = StatementCache(capacity: configuration.statementCacheCapacity)
    internalStatements = StatementCache(capacity: configuration.statementCacheCapacity)
    handle = try Connection.openHandle(path: place.path, role: role, configuration: configuration)
  }

  deinit { sqlite3_close_v2(handle) }

  /// Identifies the connection among those of the process.
  package var id: ObjectIdentifier { ObjectIdentifier(self) }

  /// The rows changed by the statement that wrote last: not those changed by triggers or foreign key actions.
  public var changeCount: Int { Int(sqlite3_changes(handle)) }

  /// The rows changed since the connection was opened, those by triggers and foreign key actions included.
  public var totalChanges: Int { Int(sqlite3_total_changes(handle)) }

  /// The rowid of the last row inserted into a rowid table; 0 if there is none yet.
  public var lastInsertRowID: Int64 { sqlite3_last_insert_rowid(handle) }

  /// Whether a transaction is open.
  public var isInTransaction: Bool { handle != nil && sqlite3_get_autocommit(handle) == 0 }

  /// Whether the closure may write.
  public var isWritable: Bool { access == .write }

  /// Closes for good. Statements that somebody still holds are finalized.
  func close(checkpointing: Bool = true) {
    // Refused only by a closed connection, where there is nothing to leave out.
    if !checkpointing { try? setOption(SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true) }
    for cursor in cursors.values { cursor.statement.finalize() }
    cursors.removeAll()
    closeBlobs()
    userStatements.removeAll()
    internalStatements.removeAll()
    for index in controlStatements.indices {
      sqlite3_finalize(controlStatements[index])
      controlStatements[index] = nil
    }
    entityStatements.removeAll()
    // v2: should a statement be left over, SQLite frees the connection with it.
    sqlite3_close_v2(handle)
    handle = nil
  }

  /// Throws unless the connection may be used now.
  func checkUsable(operation: String) throws {
    guard handle != nil else {
      throw StoreError(.closed, operation: operation, message: "The database is closed.")
    }
    guard access != .none else {
      throw StoreError(
        .outsideClosure, operation: operation,
        message: "The connection was used after the closure that it was given to.",
        hint: "Return what you need from the closure, not the connection.")
    }
  }

  /// Called before a statement's first step.
  func willRun(_ statement: Statement) throws {
    try checkUsable(operation: "step")
    try checkInterruption(sql: statement.sql)
    try checkTransaction(operation: "step", sql: statement.sql)
    if access == .read, !statement.isReadOnly, !statement.effects.asksForSetting {
      throw StoreError(
        .readOnly, operation: "step", sql: statement.sql, message: "The statement writes, inside a read.",
        hint: "Use write { } or execute.")
    }
    if statement.effects.readsOwnTables, access == .write {
      try withInternalAccess { for observer in configuration.extensions { try observer.willReadOwnTables(self) } }
    }
  }

  /// Throws if SQLite has ended the transaction by itself.
  func checkTransaction(operation: String, sql: String?) throws {
    guard expectsTransaction, sqlite3_get_autocommit(handle) != 0 else { return }
    throw StoreError(
      .transactionLost, operation: operation, sql: sql,
      message: "SQLite rolled the transaction back after an earlier error.",
      hint: "Let the first error leave the closure instead of passing over it.")
  }

  /// Throws if the task that waits for the result was cancelled.
  func checkInterruption(sql: String?) throws {
    guard interruption.isRequested else { return }
    throw StoreError(.interrupted, operation: "step", sql: sql, message: "The work was stopped.", isRetryable: false)
  }

  /// The error of a result code, with the message that SQLite left on the connection.
  func error(_ result: Int32, operation: String, sql: String?, statement: Statement? = nil) -> StoreError {
    var message = handle.map { String(cString: sqlite3_errmsg($0)) } ?? "The database is closed."
    let offset = sqlite3_error_offset(handle)
    if offset >= 0, result & 0xFF == SQLITE_ERROR { message += " (at byte \(offset))" }
    var error = StoreError.sqlite(result, message: message, operation: operation, sql: sql)
    if handle == nil { error.code = .closed }
    if result & 0xFF == SQLITE_AUTH, let refusal = authorizer.refusal {
      (error.message, error.hint) = (refusal.message, refusal.hint)
    }
    if let cause = functionError {
      functionError = nil
      error.code = .functionFailed
      error.underlying = cause
      if let cause = cause as? StoreError {
        error.hint = cause.hint
        // Not the function's fault, but that of a statement in it, which the disk or an interruption has stopped.
        let isLost = expectsTransaction && sqlite3_get_autocommit(handle) != 0
        if isLost || cause.code == .interrupted && interruption.isRequested { error.code = cause.code }
      }
    }
    if !configuration.exposesValuesInErrors, error.code == .sqlError, let statement {
      error.message = redacted(error.message, of: statement)
    }
    if configuration.exposesValuesInErrors, let expanded = sqlite3_expanded_sql(statement?.handle) {
      error.sql = String(cString: expanded)
      sqlite3_free(expanded)
    }
    return error
  }
}

/// Which of a database's connections one is.
package enum ConnectionRole: Sendable, Hashable {
  /// The one that writes; of an in-memory database, the only one.
  case writer
  /// One of those that read.
  case reader
}
