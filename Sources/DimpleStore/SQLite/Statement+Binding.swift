internal import CSQLite

extension Statement {
  /// Binds a value to a placeholder, counted from 1.
  package func bind(_ value: SQLValue, at index: Int32) throws {
    switch value {
    case .null: try bindNull(at: index)
    case .integer(let value): try bind(int64: value, at: index)
    case .real(let value): try bind(double: value, at: index)
    case .text(let value): try bind(text: value, at: index)
    case .blob(let bytes): try bind(bytes: bytes, at: index)
    case .invalidText(let bytes):
      try bytes.withUnsafeBytes { try bind(text: $0, at: index) }
    }
  }

  /// Binds an integer.
  package func bind(int64 value: Int64, at index: Int32) throws {
    try check(sqlite3_bind_int64(handle, index, value))
  }

  /// Binds a real.
  ///
  /// - Throws: ``StoreError`` with code `typeMismatch` for NaN: SQLite would store `NULL` without a word.
  package func bind(double value: Double, at index: Int32) throws {
    guard !value.isNaN else { throw notANumber }
    try check(sqlite3_bind_double(handle, index, value))
  }

  /// Binds `NULL`.
  package func bindNull(at index: Int32) throws {
    try check(sqlite3_bind_null(handle, index))
  }

  /// Binds text, with the NUL characters it may hold.
  package func bind(text: String, at index: Int32) throws {
    var text = text
    try text.withUTF8 { try bind(text: UnsafeRawBufferPointer($0), at: index) }
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

  /// Binds a blob of zeros, by its size.
  func bind(zeroBlob byteCount: Int, at index: Int32) throws {
    try check(sqlite3_bind_zeroblob64(handle, index, UInt64(max(0, byteCount))))
  }

  /// Binds text by its bytes, whether they are UTF-8 or not; SQLite copies them.
  package func bind(text bytes: UnsafeRawBufferPointer, at index: Int32) throws {
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

  /// Binds a blob without a copy: the bytes must stay where they are until the statement has run.
  package func bind(borrowedBlob bytes: UnsafeRawBufferPointer, at index: Int32) throws {
    guard let base = bytes.baseAddress, !bytes.isEmpty else { return try bind(bytes: bytes, at: index) }
    try check(sqlite3_bind_blob64(handle, index, base, UInt64(bytes.count), nil))
  }

  /// Binds text without a copy: the bytes must stay where they are until the statement has run.
  package func bind(borrowedText bytes: UnsafeRawBufferPointer, at index: Int32) throws {
    guard let base = bytes.baseAddress, !bytes.isEmpty else { return try bind(text: bytes, at: index) }
    try check(
      sqlite3_bind_text64(
        handle, index, base.assumingMemoryBound(to: CChar.self), UInt64(bytes.count), nil, UInt8(SQLITE_UTF8)))
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

  private var notANumber: StoreError {
    StoreError(
      .typeMismatch, operation: "bind", sql: sql, message: "SQLite has no NaN.",
      hint: "Store nil, in a column that may be NULL, where there is no number.")
  }

  private func check(_ result: Int32) throws {
    hasBindings = true
    guard result != SQLITE_OK else { return }
    throw connection.error(result, operation: "bind", sql: sql)
  }
}
