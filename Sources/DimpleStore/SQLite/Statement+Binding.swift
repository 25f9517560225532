internal import CSQLite

extension Statement {
  /// Binds a value to a placeholder, counted from 1.
  package func bind(_ value: SQLValue, at index: Int32) throws {
    switch value {
    case .null: try bindNull(at: index)
    case .integer(let value): try bind(int64: value, at: index)
    case .real(let value): try check(sqlite3_bind_double(handle, index, value))
    case .text(let value): try bind(text: value, at: index)
    case .blob(let bytes): try bind(bytes: bytes, at: index)
    case .invalidText(let bytes):
      try bytes.withUnsafeBytes { try bind(textBytes: $0, at: index) }
    }
  }

  /// Binds an integer.
  package func bind(int64 value: Int64, at index: Int32) throws {
    try check(sqlite3_bind_int64(handle, index, value))
  }

  /// Binds `NULL`.
  package func bindNull(at index: Int32) throws {
    try check(sqlite3_bind_null(handle, index))
  }

  /// Binds text, with the NUL characters it may hold.
  package func bind(text: String, at index: Int32) throws {
    var text = text
    try text.withUTF8 { try bind(textBytes: UnsafeRawBufferPointer($0), at: index) }
  }

  /// Binds a blob; SQLite copies the bytes.
  package func bind(bytes: [UInt8], at index: Int32) throws {
    try bytes.withUnsafeBytes { try bind(bytes: $0, at: index) }
  }

  /// Binds a blob; SQLite copies the bytes.
  package func bind(bytes: UnsafeRawBufferPointer, at index: Int32) throws {
    guard let base = bytes.baseAddress, !bytes.isEmpty else {
      // sqlite3_bind_blob takes a null pointer for NULL; this is the empty blob.
      return try check(sqlite3_bind_zeroblob(handle, index, 0))
    }
    try check(sqlite3_bind_blob64(handle, index, base, UInt64(bytes.count), dimple_sqlite_transient()))
  }

  private func bind(textBytes bytes: UnsafeRawBufferPointer, at index: Int32) throws {
    // sqlite3_bind_text takes a null pointer for NULL; this may be the empty text.
    let result =
      if let base = bytes.baseAddress, !bytes.isEmpty {
        sqlite3_bind_text64(
          handle, index, base.assumingMemoryBound(to: CChar.self), UInt64(bytes.count), dimple_sqlite_transient(),
          UInt8(SQLITE_UTF8))
      } else {
        sqlite3_bind_text64(handle, index, "", 0, dimple_sqlite_transient(), UInt8(SQLITE_UTF8))
      }
    try check(result)
  }

  /// Binds one value per placeholder, first to last.
  package func bindAll(_ values: [SQLValue]) throws {
    guard values.count == Int(parameterCount) else { throw wrongArgumentCount(values.count) }
    for index in values.indices { try bind(values[index], at: Int32(index) + 1) }
  }

  func wrongArgumentCount(_ count: Int) -> StoreError {
    StoreError(
      .wrongArgumentCount, operation: "bind", sql: sql,
      message: "The statement has \(parameterCount) placeholders, and \(count) values were given.",
      hint: "Give one value for each '?'; in an SQL literal, interpolate it instead.")
  }

  /// Lets go of all bound values: each is `NULL` again.
  package func clearBindings() {
    guard hasBindings else { return }
    hasBindings = false
    sqlite3_clear_bindings(handle)
  }

  /// Back to before the first row, and without values, which may be large: the cache would keep them.
  func endUse() {
    reset()
    clearBindings()
  }

  private func check(_ result: Int32) throws {
    hasBindings = true
    guard result != SQLITE_OK else { return }
    throw connection.error(result, operation: "bind", sql: sql)
  }
}
