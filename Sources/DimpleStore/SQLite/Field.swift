internal import CSQLite

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

/// A value that SQLite holds: a column of the current row, or an argument of a function.
///
/// Looked at in place, which costs one call where the `sqlite3_column_` functions cost one for each question. Valid until
/// the statement is stepped or reset, or the function returns. https://sqlite.org/c3ref/value_blob.html
struct Field {
  private let pointer: OpaquePointer?

  init(_ pointer: OpaquePointer?) { self.pointer = pointer }

  /// A column of the row that a statement stands on, from 0.
  @inline(__always) init(column: Int32, of statement: OpaquePointer?) {
    pointer = sqlite3_column_value(statement, column)
  }

  var type: ValueType { ValueType(code: sqlite3_value_type(pointer)) }

  var isNull: Bool { sqlite3_value_type(pointer) == SQLITE_NULL }
  var isInteger: Bool { sqlite3_value_type(pointer) == SQLITE_INTEGER }
  var isReal: Bool { sqlite3_value_type(pointer) == SQLITE_FLOAT }
  var isText: Bool { sqlite3_value_type(pointer) == SQLITE_TEXT }

  /// As an integer, converted as SQLite does.
  var int64: Int64 { sqlite3_value_int64(pointer) }

  /// As a real, converted as SQLite does.
  var double: Double { sqlite3_value_double(pointer) }

  /// The bytes of a blob or of a text's UTF-8, without a copy; valid inside the closure.
  func withBytes<T>(_ body: (UnsafeRawBufferPointer) throws -> T) rethrows -> T {
    // For a text, sqlite3_value_blob would give UTF-16 where the database is in UTF-16.
    let start = isText ? UnsafeRawPointer(sqlite3_value_text(pointer)) : sqlite3_value_blob(pointer)
    let count = Int(sqlite3_value_bytes(pointer))
    return try body(UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count))
  }

  /// The text, with its NUL characters, or `nil` if it is not valid UTF-8.
  var validText: String? {
    guard let start = sqlite3_value_text(pointer) else { return "" }
    let count = Int(sqlite3_value_bytes(pointer))
    return String(utf8: UnsafeBufferPointer(start: start, count: count))
  }

  /// Without loss.
  var value: SQLValue {
    switch type {
    case .null: .null
    case .integer: .integer(int64)
    case .real: .real(double)
    case .text: validText.map { .text($0) } ?? .invalidText(withBytes { [UInt8]($0) })
    case .blob: .blob(withBytes { [UInt8]($0) })
    }
  }
}

extension String {
  /// From UTF-8, or `nil` if it is not valid.
  ///
  /// `String(validating:as:)` does the same and costs hundreds of instructions more for each string (Swift 6.3). A repaired
  /// text never has the bytes that it was made of.
  package init?(utf8 bytes: UnsafeBufferPointer<UInt8>) {
    self.init(decoding: bytes, as: UTF8.self)
    if bytes.isASCII { return }
    guard withUTF8({ UnsafeRawBufferPointer($0).isEqual(to: UnsafeRawBufferPointer(bytes)) }) else { return nil }
  }
}

extension UnsafeRawBufferPointer {
  fileprivate func isEqual(to other: UnsafeRawBufferPointer) -> Bool {
    guard count == other.count else { return false }
    guard let mine = baseAddress, let theirs = other.baseAddress else { return true }
    return memcmp(mine, theirs, count) == 0
  }
}

extension UnsafeBufferPointer<UInt8> {
  /// Words at a time; the last word, or what there is of one, overlaps the one before.
  fileprivate var isASCII: Bool {
    let raw = UnsafeRawBufferPointer(self)
    let count = raw.count
    guard count >= 8 else { return raw.isShortASCII }
    var bits = raw.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)
    var position = 0
    while position < count - 8 {
      bits |= raw.loadUnaligned(fromByteOffset: position, as: UInt64.self)
      position += 8
    }
    return bits & 0x8080_8080_8080_8080 == 0
  }
}

extension UnsafeRawBufferPointer {
  /// Of fewer than eight bytes.
  fileprivate var isShortASCII: Bool {
    if count >= 4 {
      let bits = loadUnaligned(as: UInt32.self) | loadUnaligned(fromByteOffset: count - 4, as: UInt32.self)
      return bits & 0x8080_8080 == 0
    }
    var bits: UInt8 = 0
    for byte in self { bits |= byte }
    return bits < 0x80
  }
}
