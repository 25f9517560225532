internal import CSQLite

/// A prepared statement of one connection. Confined to the connection's holder.
package final class Statement {
  let pointer: OpaquePointer
  let sql: String
  /// What it reads, writes and changes of the schema, as SQLite's authorizer told when it was prepared.
  private(set) var access: StatementAccess
  private unowned let connection: Connection
  private var isRunning = false
  private var changesBefore: Int64 = 0

  init(pointer: OpaquePointer, sql: String, access: StatementAccess, connection: Connection) {
    self.pointer = pointer
    self.sql = sql
    self.access = access
    self.connection = connection
  }

  deinit { sqlite3_finalize(pointer) }

  /// Stepped, and not yet at its end.
  var isBusy: Bool { sqlite3_stmt_busy(pointer) != 0 }

  package var isReadOnly: Bool { sqlite3_stmt_readonly(pointer) != 0 }

  // MARK: - Binding

  package var parameterCount: Int { Int(sqlite3_bind_parameter_count(pointer)) }

  /// Binds the parameter at `index`, which counts from 1.
  package func bind(_ value: SQLValue, at index: Int32) throws {
    let code: Int32
    switch value {
    case .null: code = sqlite3_bind_null(pointer, index)
    case .integer(let value): code = sqlite3_bind_int64(pointer, index, value)
    case .real(let value): code = sqlite3_bind_double(pointer, index, value)
    case .text(var text):
      // With its length, so that text may hold NUL characters.
      code = text.withUTF8 { bindText($0, at: index) }
    case .invalidText(let bytes): code = bytes.withUnsafeBufferPointer { bindText($0, at: index) }
    case .blob(let bytes): code = bytes.withUnsafeBufferPointer { bindBlob($0, at: index) }
    }
    guard code == SQLITE_OK else { throw connection.error(code, "bind a value", sql: sql) }
  }

  private func bindText(_ bytes: UnsafeBufferPointer<UInt8>, at index: Int32) -> Int32 {
    bytes.withMemoryRebound(to: CChar.self) { text in
      // A null pointer would bind NULL instead of empty text.
      guard let start = text.baseAddress else {
        return "".withCString { sqlite3_bind_text(pointer, index, $0, 0, dimple_sqlite_transient()) }
      }
      return sqlite3_bind_text64(
        pointer, index, start, UInt64(text.count), dimple_sqlite_transient(), UInt8(SQLITE_UTF8))
    }
  }

  private func bindBlob(_ bytes: UnsafeBufferPointer<UInt8>, at index: Int32) -> Int32 {
    guard let start = bytes.baseAddress, !bytes.isEmpty else { return sqlite3_bind_zeroblob(pointer, index, 0) }
    return sqlite3_bind_blob64(pointer, index, start, UInt64(bytes.count), dimple_sqlite_transient())
  }

  /// Binds all parameters, in order.
  package func bindAll(_ values: [SQLValue]) throws {
    guard values.count == parameterCount else {
      throw StoreError(
        .misuse, operation: "bind values", sql: sql,
        message: "The statement has \(parameterCount) parameters, but \(values.count) values were given.")
    }
    for (index, value) in values.enumerated() { try bind(value, at: Int32(index + 1)) }
  }

  // MARK: - Stepping

  /// Goes on to the next row; `false` at the end, where the statement is ready to run again.
  package func step() throws -> Bool {
    let isFirst = !isRunning
    if isFirst { try begin() }
    let code = sqlite3_step(pointer)
    if isFirst, let again = connection.endCollecting() { access = again }
    if code == SQLITE_ROW { return true }
    let failure = code == SQLITE_DONE ? nil : connection.error(code, "run", sql: sql)
    try finish(failed: failure != nil)
    if let failure { throw failure }
    return false
  }

  private func begin() throws {
    try connection.checkMayRun()
    if access.changesSchema { try connection.willChangeSchema(access) }
    changesBefore = sqlite3_total_changes64(connection.handle)
    isRunning = true
    // Where the schema has changed since, SQLite now prepares the statement again.
    connection.beginCollecting()
  }

  private func finish(failed: Bool) throws {
    guard isRunning else { return }
    isRunning = false
    sqlite3_reset(pointer)
    connection.note(access, changedRows: sqlite3_total_changes64(connection.handle) - changesBefore, failed: failed)
    if access.changesSchema { try connection.didChangeSchema() }
  }

  /// Ends the run and forgets the bound values.
  package func reset() {
    // A statement left before its end has done its writing at its first row: https://sqlite.org/lang_returning.html.
    // Its schema changes, which return no rows, never get here.
    try? finish(failed: false)
    sqlite3_reset(pointer)
    sqlite3_clear_bindings(pointer)
  }

  /// Binds `values`, runs to the end and resets.
  package func run(_ values: SQLValue...) throws {
    defer { reset() }
    try bindAll(values)
    while try step() {}
  }

  // MARK: - Columns

  package var columnCount: Int { Int(sqlite3_column_count(pointer)) }

  package func columnName(_ index: Int) -> String {
    sqlite3_column_name(pointer, Int32(index)).map { String(cString: $0) } ?? ""
  }

  package func int64(_ index: Int32) -> Int64 { sqlite3_column_int64(pointer, index) }

  package func double(_ index: Int32) -> Double { sqlite3_column_double(pointer, index) }

  package func isNull(_ index: Int32) -> Bool { sqlite3_column_type(pointer, index) == SQLITE_NULL }

  /// The bytes of a blob or text; empty for NULL.
  package func bytes(_ index: Int32) -> [UInt8] { withBytes(index) { Array($0) } }

  package func withBytes<T>(_ index: Int32, _ body: (UnsafeRawBufferPointer) throws -> T) rethrows -> T {
    let start = sqlite3_column_blob(pointer, index)
    return try body(UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(pointer, index))))
  }

  /// Text, with what is not UTF-8 repaired; empty for NULL.
  package func text(_ index: Int32) -> String {
    // As text first: for a number, the length must be that of its text.
    guard let start = sqlite3_column_text(pointer, index) else { return "" }
    let count = Int(sqlite3_column_bytes(pointer, index))
    return String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
  }

  /// The value as SQLite has it, without loss.
  package func value(_ index: Int32) -> SQLValue {
    switch sqlite3_column_type(pointer, index) {
    case SQLITE_INTEGER: .integer(int64(index))
    case SQLITE_FLOAT: .real(double(index))
    case SQLITE_TEXT: withBytes(index) { SQLValue(textBytes: $0) }
    case SQLITE_BLOB: .blob(bytes(index))
    default: .null
    }
  }
}

extension SQLValue {
  /// Text as SQLite has it: `.text` if it is UTF-8, else `.invalidText`.
  init(textBytes bytes: UnsafeRawBufferPointer) {
    if let text = String(validating: bytes, as: UTF8.self) {
      self = .text(text)
    } else {
      self = .invalidText(Array(bytes))
    }
  }
}
