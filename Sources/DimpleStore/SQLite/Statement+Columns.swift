internal import CSQLite

/// The storage class of a value.
package enum ValueType: Sendable {
  case integer, real, text, blob, null

  init(code: Int32) {
    self =
      switch code {
      case SQLITE_INTEGER: .integer
      case SQLITE_FLOAT: .real
      case SQLITE_TEXT: .text
      case SQLITE_BLOB: .blob
      default: .null
      }
  }
}

/// The current row, after ``Statement/step()`` returned true. Columns count from 0.
extension Statement {
  /// The storage class of a column's value.
  package func columnType(_ index: Int32) -> ValueType { ValueType(code: sqlite3_column_type(handle, index)) }

  /// Whether the value is NULL.
  package func isNull(_ index: Int32) -> Bool { sqlite3_column_type(handle, index) == SQLITE_NULL }

  /// The value as an integer, converted as SQLite does; 0 for `NULL`.
  package func int64(_ index: Int32) -> Int64 { sqlite3_column_int64(handle, index) }

  /// The value as a real, converted as SQLite does; 0 for `NULL`.
  package func double(_ index: Int32) -> Double { sqlite3_column_double(handle, index) }

  /// The bytes of a blob or of a text's UTF-8; empty for `NULL`.
  package func bytes(_ index: Int32) -> [UInt8] { withBytes(index) { [UInt8]($0) } }

  /// The bytes of a blob or of a text's UTF-8, without a copy; valid inside the closure.
  package func withBytes<T>(_ index: Int32, _ body: (UnsafeRawBufferPointer) throws -> T) rethrows -> T {
    // For a text, sqlite3_column_blob would give UTF-16 where the database is in UTF-16.
    let isText = sqlite3_column_type(handle, index) == SQLITE_TEXT
    let pointer = isText ? UnsafeRawPointer(sqlite3_column_text(handle, index)) : sqlite3_column_blob(handle, index)
    let count = Int(sqlite3_column_bytes(handle, index))
    return try body(UnsafeRawBufferPointer(start: pointer, count: pointer == nil ? 0 : count))
  }

  /// The value as text, with its NUL characters; invalid UTF-8 is repaired (``value(_:)`` keeps it), `NULL` is empty.
  package func text(_ index: Int32) -> String {
    validText(index) ?? withBytes(index) { String(decoding: $0, as: UTF8.self) }
  }

  /// The value as text, or `nil` if it is not valid UTF-8.
  func validText(_ index: Int32) -> String? {
    guard let start = sqlite3_column_text(handle, index) else { return "" }
    let count = Int(sqlite3_column_bytes(handle, index))
    return String(validating: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
  }

  /// The value without loss.
  package func value(_ index: Int32) -> SQLValue {
    switch columnType(index) {
    case .null: .null
    case .integer: .integer(int64(index))
    case .real: .real(double(index))
    case .text: validText(index).map { .text($0) } ?? .invalidText(bytes(index))
    case .blob: .blob(bytes(index))
    }
  }
}
