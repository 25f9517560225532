internal import DimpleStore

/// Reads a ``TriggerShape`` where SQLite keeps it, without a copy: it is read for every row.
struct ShapeCursor {
  private let bytes: UnsafeRawBufferPointer
  private var offset = 0

  /// Calls `body` with a cursor over an argument, which is valid during the call only.
  static func read<T>(_ call: borrowing FunctionCall, argument: Int, _ body: (inout ShapeCursor) throws -> T) throws
    -> T
  {
    try call.withBytes(argument) { bytes in
      var cursor = ShapeCursor(bytes: bytes)
      return try body(&cursor)
    }
  }

  private init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  mutating func head() throws -> (table: Int64, keyCount: Int, keepsOldValues: Bool) {
    let flags = try number()
    let (table, keyCount) = (try number(), try number())
    guard let id = Int64(exactly: table), (1...UInt64(LogRecord.maximumKeyColumns)).contains(keyCount) else {
      throw Self.mismatch("an impossible shape")
    }
    return (id, Int(keyCount), flags & 1 != 0)
  }

  mutating func number() throws -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), through: 63, by: 7) {
      guard offset < bytes.count else { throw Self.mismatch("more values than columns") }
      let byte = bytes[offset]
      offset += 1
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
    }
    throw Self.mismatch("an impossible shape")
  }

  func end() throws {
    if offset != bytes.count { throw Self.mismatch("fewer values than columns") }
  }

  static func mismatch(_ what: String) -> ChangelogError {
    ChangelogError(
      .internalMismatch, operation: "track a write", message: "A tracking trigger passed \(what).",
      hint: "The functions named dimple_… are for the library's own triggers only.")
  }
}

extension FunctionCall {
  /// Whether two arguments have the same type and bytes.
  func areIdentical(_ left: Int, _ right: Int) -> Bool {
    let leftType = type(left)
    guard leftType == type(right) else { return false }
    switch leftType {
    case .null: return true
    case .integer: return int64(left) == int64(right)
    case .real: return double(left).bitPattern == double(right).bitPattern
    case .text, .blob:
      return withBytes(left) { left in
        withBytes(right) { right in left.count == right.count && left.elementsEqual(right) }
      }
    }
  }
}

extension ByteWriter {
  /// An argument of a function, to the bit.
  mutating func argument(_ call: borrowing FunctionCall, _ index: Int) {
    switch call.type(index) {
    case .null: null()
    case .integer: integer(call.int64(index))
    case .real: real(call.double(index))
    case .text: call.withBytes(index) { text($0) }
    case .blob: call.withBytes(index) { blob($0) }
    }
  }
}
