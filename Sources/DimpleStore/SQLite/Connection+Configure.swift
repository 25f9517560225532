internal import CSQLite

extension Connection {
  /// Sets the connection up: the same for every connection of a database.
  func configure() throws {
    sqlite3_busy_timeout(handle, Int32(clamping: configuration.busyTimeout.milliseconds))
    sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, Int32(clamping: configuration.maximumValueSize))
    // "column" in double quotes must not silently become text: https://sqlite.org/quirks.html#dblquote.
    try set(SQLITE_DBCONFIG_DQS_DML, to: false)
    try set(SQLITE_DBCONFIG_DQS_DDL, to: false)
    try set(SQLITE_DBCONFIG_DEFENSIVE, to: true)
    try pragma("foreign_keys = \(configuration.foreignKeys ? 1 : 0)")
    // Without it REPLACE fires no DELETE trigger, and the row it removes is not tracked.
    try pragma("recursive_triggers = 1")
    try pragma("temp_store = 2")
    switch role {
    case .writer: try configureWriter()
    case .reader: try pragma("query_only = 1")
    }
  }

  private func configureWriter() throws {
    guard !configuration.isReadOnly else { return }
    // The first real access to the file: here it shows whether it is a database at all.
    try pragma("journal_mode = WAL")
    try pragma("synchronous = \(configuration.synchronous.rawValue)")
  }

  private func pragma(_ text: String) throws {
    // Not cached: each runs once.
    let statement = try compileFirst(of: Array("PRAGMA \(text)".utf8)[...]).statement
    while try statement?.step() == true {}
  }

  private func set(_ option: Int32, to isOn: Bool) throws {
    let code = dimple_sqlite3_db_config(handle, option, isOn ? 1 : 0, nil)
    guard code == SQLITE_OK else { throw error(code, "configure the connection", sql: nil) }
  }

  /// Whether foreign keys are enforced on this connection by its configuration.
  package var enforcesForeignKeys: Bool { configuration.foreignKeys }

  /// Turns what would react to a write on or off; outside a transaction only.
  func setReactions(_ isOn: Bool) throws {
    try withInternalAccess {
      try pragma("foreign_keys = \(isOn && configuration.foreignKeys ? 1 : 0)")
      try set(SQLITE_DBCONFIG_ENABLE_TRIGGER, to: isOn)
    }
  }
}

extension Duration {
  /// Whole milliseconds, rounded down.
  var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}

extension Connection {
  /// The collating sequence that a column was declared with.
  package func collation(ofColumn column: String, in table: String) -> String {
    var name: UnsafePointer<CChar>?
    let code = sqlite3_table_column_metadata(handle, "main", table, column, nil, &name, nil, nil, nil)
    return code == SQLITE_OK ? name.map { String(cString: $0) } ?? "BINARY" : "BINARY"
  }
}
