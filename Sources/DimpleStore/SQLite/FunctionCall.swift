internal import CSQLite

/// One call of an SQL function implemented in Swift: its arguments, and where the result goes.
///
/// Valid during the call. Arguments count from 0; without a result set, the call returns `NULL`.
package struct FunctionCall: ~Copyable {
  private let context: OpaquePointer?
  private let arguments: UnsafeMutablePointer<OpaquePointer?>?
  /// The number of arguments.
  package let argumentCount: Int

  init(context: OpaquePointer?, arguments: UnsafeMutablePointer<OpaquePointer?>?, count: Int32) {
    self.context = context
    self.arguments = arguments
    argumentCount = Int(count)
  }

  /// An argument at a glance: all that its bytes are, in one call.
  package func view(_ index: Int) -> FunctionArgument {
    guard let arguments, index >= 0, index < argumentCount, let value = arguments[index] else {
      return FunctionArgument.null
    }
    return FunctionArgument(value)
  }

  /// An argument's storage class.
  package func type(_ index: Int) -> ValueType { argument(index)?.type ?? .null }

  /// An argument as an integer, converted as SQLite does.
  package func int64(_ index: Int) -> Int64 { argument(index)?.int64 ?? 0 }

  /// An argument as a real, converted as SQLite does.
  package func double(_ index: Int) -> Double { argument(index)?.double ?? 0 }

  /// The bytes of a blob or of a text's UTF-8, without a copy; valid inside the closure.
  package func withBytes<T>(_ index: Int, _ body: (UnsafeRawBufferPointer) throws -> T) rethrows -> T {
    guard let argument = argument(index) else { return try body(UnsafeRawBufferPointer(start: nil, count: 0)) }
    return try argument.withBytes(body)
  }

  /// An argument without loss.
  package func value(_ index: Int) -> SQLValue { argument(index)?.value ?? .null }

  /// Returns a value.
  package func setResult(_ value: SQLValue) {
    switch value {
    case .null: setNull()
    case .integer(let value): setResult(int64: value)
    case .real(let value): sqlite3_result_double(context, value)
    case .text(let text):
      var text = text
      text.withUTF8 { setResult(textBytes: UnsafeRawBufferPointer($0)) }
    case .blob(let bytes): setResult(blob: bytes)
    case .invalidText(let bytes): bytes.withUnsafeBytes { setResult(textBytes: $0) }
    }
  }

  /// Returns an integer.
  package func setResult(int64 value: Int64) { sqlite3_result_int64(context, value) }

  /// Returns a blob.
  package func setResult(blob bytes: [UInt8]) { bytes.withUnsafeBytes { setResult(blob: $0) } }

  /// Returns a blob; SQLite copies the bytes.
  package func setResult(blob bytes: UnsafeRawBufferPointer) {
    guard let start = bytes.baseAddress, !bytes.isEmpty else {
      sqlite3_result_zeroblob(context, 0)
      return
    }
    sqlite3_result_blob64(context, start, UInt64(bytes.count), dimple_sqlite_transient())
  }

  /// Returns `NULL`.
  package func setNull() { sqlite3_result_null(context) }

  private func setResult(textBytes bytes: UnsafeRawBufferPointer) {
    guard let start = bytes.baseAddress, !bytes.isEmpty else {
      sqlite3_result_text64(context, "", 0, dimple_sqlite_transient(), UInt8(SQLITE_UTF8))
      return
    }
    let text = start.assumingMemoryBound(to: CChar.self)
    sqlite3_result_text64(context, text, UInt64(bytes.count), dimple_sqlite_transient(), UInt8(SQLITE_UTF8))
  }

  private func argument(_ index: Int) -> Field? {
    guard index >= 0, index < argumentCount else { return nil }
    return arguments.map { Field($0[index]) }
  }
}

/// An argument of a function where SQLite keeps it: valid during the call.
package struct FunctionArgument {
  /// Its storage class.
  package let type: ValueType
  /// The integer, or the bit pattern of the real; 0 for others.
  package let number: Int64
  /// The bytes of a blob or of a text's UTF-8; none for others.
  package let bytes: UnsafeRawBufferPointer

  static var null: FunctionArgument { FunctionArgument(.null, 0, nil, 0) }

  private init(_ type: ValueType, _ number: Int64, _ start: UnsafeRawPointer?, _ count: Int) {
    self.type = type
    self.number = number
    bytes = UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count)
  }

  init(_ value: OpaquePointer) {
    let type = ValueType(code: sqlite3_value_type(value))
    switch type {
    case .integer: self.init(type, sqlite3_value_int64(value), nil, 0)
    case .real: self.init(type, Int64(bitPattern: sqlite3_value_double(value).bitPattern), nil, 0)
    case .text, .blob:
      // For a text, sqlite3_value_blob would give UTF-16 where the database is in UTF-16.
      let start = type == .text ? UnsafeRawPointer(sqlite3_value_text(value)) : sqlite3_value_blob(value)
      self.init(type, 0, start, Int(sqlite3_value_bytes(value)))
    case .null: self.init(type, 0, nil, 0)
    }
  }
}
