internal import CSQLite

/// One connection to SQLite, lent to the closure of a read or write. Not to be kept or used outside it.
///
/// All verbs run in the closure's transaction. They throw ``StoreError``.
public final class Connection {
  let handle: OpaquePointer
  package let role: ConnectionRole
  let configuration: Configuration
  private var cache: StatementCache
  private var collecting: StatementAccess?
  /// > 0 while the library itself works: its statements may touch its own tables and are no schema change of the app's.
  private var internalDepth = 0
  private var savepointDepth = 0
  /// What the app's statement that is changing the schema alters and drops.
  package private(set) var schemaTargets = SchemaTargets()
  /// What the running transaction has written.
  var pending = PendingCommit()
  /// A part of the running write transaction was undone: a statement that failed, a savepoint.
  package internal(set) var hasUndonePart = false
  /// Inside `read` or `write`: SQLite must be in a transaction.
  var expectsTransaction = false
  /// Set while an asynchronous caller waits, who may be cancelled.
  var cancellation: Cancellation?

  init(path: String, role: ConnectionRole, configuration: Configuration) throws {
    self.role = role
    self.configuration = configuration
    cache = StatementCache(capacity: configuration.statementCacheSize)
    var opened: OpaquePointer?
    var flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI | SQLITE_OPEN_EXRESCODE
    flags |= configuration.isReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
    let code = sqlite3_open_v2(path, &opened, flags, nil)
    guard let opened, code == SQLITE_OK else {
      let message = opened.map { String(cString: sqlite3_errmsg($0)) } ?? "out of memory"
      sqlite3_close_v2(opened)
      throw StoreError(sqliteCode: code, operation: "open \(path)", sql: nil, sqliteMessage: message)
    }
    handle = opened
    sqlite3_set_authorizer(handle, Self.authorize, Unmanaged.passUnretained(self).toOpaque())
    try withInternalAccess { try configure() }
    for observer in configuration.extensions { try observer.connectionDidOpen(self, role: role) }
  }

  deinit {
    cache.removeAll()
    sqlite3_close_v2(handle)
  }

  // MARK: - Preparing

  /// A statement for `sql`, ready to bind: from the cache where it is there and not in use.
  package func prepare(_ sql: String) throws -> Statement {
    if let cached = cache[sql, isInternal], !cached.isBusy {
      cached.reset()
      return cached
    }
    let statement = try compile(sql)
    cache[sql, isInternal] = statement
    return statement
  }

  private func compile(_ sql: String) throws -> Statement {
    let text = Array(sql.utf8)
    let (statement, rest) = try compileFirst(of: text[...])
    guard let statement else {
      throw StoreError(.sql, operation: "prepare", sql: sql, message: "There is no SQL statement in the text.")
    }
    guard try compileFirst(of: rest).statement == nil else {
      throw StoreError(
        .sql, operation: "prepare", sql: sql, message: "The text holds more than one statement.",
        hint: "Run several with script(_:).")
    }
    return statement
  }

  /// The first statement of `text`, `nil` where there are only spaces and comments, and what follows it.
  func compileFirst(of text: ArraySlice<UInt8>) throws -> (statement: Statement?, rest: ArraySlice<UInt8>) {
    if let nul = text.firstIndex(of: 0), text[nul...].contains(where: { $0 != 0 }) {
      throw StoreError(.sql, operation: "prepare", sql: nil, message: "The SQL text holds a NUL character.")
    }
    collecting = StatementAccess()
    defer { collecting = nil }
    var pointer: OpaquePointer?
    let (code, used) = text.withUnsafeBufferPointer { buffer in
      buffer.withMemoryRebound(to: CChar.self) { characters -> (Int32, Int) in
        guard let start = characters.baseAddress else { return (SQLITE_OK, 0) }
        var tail: UnsafePointer<CChar>?
        let code = sqlite3_prepare_v3(
          handle, start, Int32(clamping: characters.count), UInt32(SQLITE_PREPARE_PERSISTENT), &pointer, &tail)
        return (code, tail.map { start.distance(to: $0) } ?? characters.count)
      }
    }
    let sql = String(decoding: text.prefix(used), as: UTF8.self)
    guard code == SQLITE_OK else {
      if let refusal = collecting?.refusal {
        throw StoreError(.notAllowed, operation: "prepare", sql: sql, message: refusal)
      }
      throw error(code, "prepare", sql: String(decoding: text, as: UTF8.self))
    }
    let statement = pointer.map {
      Statement(pointer: $0, sql: sql, access: collecting ?? StatementAccess(), connection: self)
    }
    return (statement, text.dropFirst(used))
  }

  func beginCollecting() { collecting = StatementAccess() }

  /// What was collected since, if anything was.
  func endCollecting() -> StatementAccess? {
    defer { collecting = nil }
    return collecting?.isNoted == true ? collecting : nil
  }

  private static let authorize:
    @convention(c) (
      UnsafeMutableRawPointer?, Int32, UnsafePointer<CChar>?, UnsafePointer<CChar>?, UnsafePointer<CChar>?,
      UnsafePointer<CChar>?
    ) -> Int32 = { context, action, first, second, schema, trigger in
      guard let context else { return SQLITE_OK }
      let connection = Unmanaged<Connection>.fromOpaque(context).takeUnretainedValue()
      func text(_ pointer: UnsafePointer<CChar>?) -> String? { pointer.map { String(cString: $0) } }
      return connection.collecting?.note(
        action, text(first), text(second), schema: text(schema), trigger: text(trigger),
        isInternal: connection.isInternal) ?? SQLITE_OK
    }

  // MARK: - The library's own statements

  var isInternal: Bool { internalDepth > 0 }

  /// Runs `body` as the library: its statements may write `dimple_*` tables, and are no schema change of the app's.
  package func withInternalAccess<T>(_ body: () throws -> T) rethrows -> T {
    internalDepth += 1
    defer { internalDepth -= 1 }
    return try body()
  }

  func willChangeSchema(_ access: StatementAccess) throws {
    guard !isInternal else { return }
    pending.changesSchema = true
    schemaTargets = access.schemaTargets
    try withInternalAccess { for observer in configuration.extensions { try observer.willChangeSchema(self) } }
  }

  func didChangeSchema() throws {
    guard !isInternal else { return }
    try withInternalAccess { for observer in configuration.extensions { try observer.didChangeSchema(self) } }
  }

  func note(_ access: StatementAccess, changedRows: Int64, failed: Bool) {
    if changedRows > 0 { pending.add(access.writes) }
    if failed { hasUndonePart = true }
  }

  /// Before a statement runs.
  func checkMayRun() throws {
    try checkCancellation()
    if expectsTransaction, !isInTransaction {
      throw StoreError(
        .transactionLost, operation: "run a statement", message: "An earlier failure has rolled the transaction back.",
        hint: "Let the earlier error leave the closure, and try the whole transaction again.")
    }
  }

  func checkCancellation() throws {
    if cancellation?.isCancelled == true { throw CancellationError() }
  }

  // MARK: - State

  package var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

  package var lastInsertRowID: Int64 { sqlite3_last_insert_rowid(handle) }

  package var totalChanges: Int64 { sqlite3_total_changes64(handle) }

  /// Rows inserted, updated or deleted by the last statement that did any of it.
  public var changeCount: Int { Int(sqlite3_changes64(handle)) }

  func error(_ code: Int32, _ operation: String, sql: String?) -> any Error {
    let extended = code == SQLITE_OK ? code : sqlite3_extended_errcode(handle)
    if code & 0xFF == SQLITE_INTERRUPT, cancellation?.isCancelled == true { return CancellationError() }
    return StoreError(
      sqliteCode: extended & 0xFF == code & 0xFF ? extended : code, operation: operation, sql: sql,
      sqliteMessage: String(cString: sqlite3_errmsg(handle)))
  }

  /// Runs `body`; if it throws, what it wrote is undone, and the transaction goes on.
  ///
  /// May be nested.
  @discardableResult
  public func savepoint<T>(_ body: () throws -> T) throws -> T {
    let name = "dimple_savepoint_\(savepointDepth)"
    try runInternally("SAVEPOINT \(name)")
    savepointDepth += 1
    defer { savepointDepth -= 1 }
    do {
      let result = try body()
      try runInternally("RELEASE \(name)")
      return result
    } catch {
      // Some failures (a full disk) have rolled the whole transaction back already.
      hasUndonePart = true
      if isInTransaction {
        try runInternally("ROLLBACK TO \(name)")
        try runInternally("RELEASE \(name)")
      }
      throw error
    }
  }

  func runInternally(_ sql: String) throws {
    try withInternalAccess { try prepare(sql).run() }
  }
}

/// What a connection is for.
package enum ConnectionRole: Sendable {
  case writer, reader
}
