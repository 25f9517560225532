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
  /// A column's value, in place.
  ///
  /// SQLite documents what is done with it as not threadsafe; a connection is confined to one thread at a time.
  func field(_ index: Int32) -> Field { Field(sqlite3_column_value(handle, index)) }

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
    try field(index).withBytes(body)
  }

  /// The value as text, with its NUL characters; invalid UTF-8 is repaired (``value(_:)`` keeps it), `NULL` is empty.
  package func text(_ index: Int32) -> String {
    let field = field(index)
    return field.validText ?? field.withBytes { String(decoding: $0, as: UTF8.self) }
  }

  /// The value without loss.
  package func value(_ index: Int32) -> SQLValue { field(index).value }
}
