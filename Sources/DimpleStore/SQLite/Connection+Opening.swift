internal import CSQLite

extension Connection {
  /// The oldest SQLite with what the store relies on: RETURNING (3.35), STRICT and 64-bit result flags (3.37).
  private static let oldestVersion: Int32 = 3_037_000

  static func openHandle(path: String, role: ConnectionRole, configuration: Configuration) throws -> OpaquePointer {
    let operation = "open"
    guard sqlite3_libversion_number() >= oldestVersion else {
      throw StoreError(
        .unsupportedFeature, operation: operation,
        message: "SQLite \(String(cString: sqlite3_libversion())) is too old.", hint: "Link SQLite 3.37 or later.")
    }
    var flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
    if configuration.isReadOnly {
      flags |= SQLITE_OPEN_READONLY
    } else {
      flags |= SQLITE_OPEN_READWRITE | (role == .writer ? SQLITE_OPEN_CREATE : 0)
    }
    var handle: OpaquePointer?
    let result = sqlite3_open_v2(path, &handle, flags, nil)
    guard result == SQLITE_OK, let opened = handle else {
      let message = handle.map { String(cString: sqlite3_errmsg($0)) } ?? "out of memory"
      sqlite3_close_v2(handle)
      throw StoreError.sqlite(result, message: message, operation: operation, sql: nil)
    }
    return opened
  }

  /// Sets all options, and lets the extensions in. On an error the connection is closed.
  func setUp() throws {
    access = .setup
    defer { access = .none }
    do {
      try configure()
      for observer in configuration.extensions { try observer.connectionDidOpen(self, role: role) }
      try configuration.prepareConnection?(self)
    } catch {
      close()
      throw error
    }
  }

  private func configure() throws {
    guard let handle else { return }
    interruption.busyTimeoutMilliseconds = configuration.busyTimeoutMilliseconds
    interruption.install(on: handle)
    // Before anything reads the file.
    if let key = configuration.encryptionKey { try apply(key()) }
    // https://sqlite.org/quirks.html#double_quoted_string_literals_are_accepted: a misspelt name must be an error.
    try setOption(SQLITE_DBCONFIG_DQS_DML, false)
    try setOption(SQLITE_DBCONFIG_DQS_DDL, false)
    try setOption(SQLITE_DBCONFIG_DEFENSIVE, true)
    // The tracking triggers call functions: https://sqlite.org/pragma.html#pragma_trusted_schema
    try setOption(SQLITE_DBCONFIG_TRUSTED_SCHEMA, true)
    if role == .writer, !configuration.isReadOnly { try useJournal(configuration.journalMode.name) }
    try executeControl("PRAGMA synchronous = \(configuration.synchronous.name)")
    // Negative: in KiB, not in pages.
    if let bytes = configuration.cacheSizeBytes { try executeControl("PRAGMA cache_size = -\(max(1, bytes / 1024))") }
    try executeControl("PRAGMA temp_store = \(temporaryStore)")
    try executeControl("PRAGMA foreign_keys = \(configuration.foreignKeys ? "ON" : "OFF")")
    // Without it, the rows that REPLACE removes fire no triggers: https://sqlite.org/lang_conflict.html
    try executeControl("PRAGMA recursive_triggers = ON")
    if role == .reader { try executeControl("PRAGMA query_only = ON") }
    // Nothing above reads the file if it is in WAL mode already and being opened to read: is it a database at all?
    _ = try pragma("schema_version")
    authorizer.install(on: handle)
    try registerCallables()
    StatementTracer(configuration)?.install(on: self)
  }

  /// Where SQLite keeps what a statement needs for itself: in memory, but for the connection that writes a file.
  ///
  /// A statement that fires triggers keeps the pages that it changes, to undo itself. With MEMORY SQLite allocates, and frees,
  /// a kilobyte at a time, which costs a tracked write a third; with FILE 64 KiB in one piece, and goes to a temporary file
  /// only beyond that: https://sqlite.org/tempfiles.html#statement_journal_files. What is encrypted stays out of such files.
  private var temporaryStore: String {
    let isFile = sqlite3_db_filename(handle, "main").map { $0.pointee != 0 } ?? false
    return role == .writer && isFile && configuration.encryptionKey == nil ? "FILE" : "MEMORY"
  }

  /// https://sqlite.org/wal.html. The change of mode needs the file for itself and does not always call the busy handler,
  /// so that of several processes that open a new file at once, some are told to come again.
  private func useJournal(_ wanted: String) throws {
    var waited: Int32 = 0
    while true {
      do {
        let mode = try pragma("journal_mode")
        if mode == wanted || mode == "memory" { return }
        let new = try pragma("journal_mode = \(wanted)")
        if new == wanted || new == "memory" { return }
        throw StoreError(
          .cannotOpen, operation: "open", message: "The file cannot use journal mode \(wanted); it stays \(new).",
          hint: "Keep the file on a local disk.")
      } catch let error as StoreError where error.code == .busy && waited < configuration.busyTimeoutMilliseconds {
        Interruption.sleep(milliseconds: 10)
        waited += 10
      }
    }
  }

  func setOption(_ option: Int32, _ value: Bool) throws {
    let result = dimple_sqlite3_db_config(handle, option, value ? 1 : 0, nil)
    guard result == SQLITE_OK else { throw error(result, operation: "open", sql: nil) }
  }

  /// The first column of a pragma's row, as text.
  func pragma(_ text: String) throws -> String {
    let sql = "PRAGMA \(text)"
    authorizer.allowsControl = true
    defer { authorizer.allowsControl = false }
    var statement: OpaquePointer?
    defer { sqlite3_finalize(statement) }
    var result = sqlite3_prepare_v2(handle, sql, -1, &statement, nil)
    if result == SQLITE_OK { result = sqlite3_step(statement) }
    guard result == SQLITE_ROW || result == SQLITE_DONE else { throw error(result, operation: "open", sql: sql) }
    guard result == SQLITE_ROW, let text = sqlite3_column_text(statement, 0) else { return "" }
    return String(cString: text)
  }

  /// Runs SQL of the store's own, of which no rows are wanted.
  func executeControl(_ sql: String, operation: String = "set up") throws {
    authorizer.allowsControl = true
    defer { authorizer.allowsControl = false }
    let result = sqlite3_exec(handle, sql, nil, nil, nil)
    guard result == SQLITE_OK else { throw error(result, operation: operation, sql: sql) }
  }
}
