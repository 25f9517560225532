internal import DimpleStore

/// Reads a ``TriggerShape`` where SQLite keeps it, without a copy: it is read for every row.
struct ShapeCursor {
  private let bytes: UnsafeRawBufferPointer
  private var offset = 0

  /// Over an argument of a call, while that lasts.
  init(_ call: borrowing FunctionCall, argument: Int) { bytes = call.view(argument).bytes }

  /// What a first call's shape begins with.
  struct Head {
    var table: Int64
    var keyCount: Int
    var flags: TriggerShape.Flags
  }

  mutating func head() throws -> Head {
    let flags = try flags()
    let (table, keyCount) = (try number(), try number())
    guard let id = Int64(exactly: table), id > 0, id < .max,
      (1...UInt64(LogRecord.maximumKeyColumns)).contains(keyCount)
    else { throw Self.mismatch("an impossible shape") }
    return Head(table: id, keyCount: Int(keyCount), flags: flags)
  }

  /// What a further call's shape begins with.
  mutating func flags() throws -> TriggerShape.Flags {
    TriggerShape.Flags(rawValue: UInt8(truncatingIfNeeded: try number()))
  }

  mutating func number() throws -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while shift <= 63 {
      guard offset < bytes.count else { throw Self.mismatch("more values than columns") }
      let byte = bytes[offset]
      offset += 1
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
      shift += 7
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

extension FunctionArgument {
  /// Whether two arguments have the same type and bytes.
  func isIdentical(to other: FunctionArgument) -> Bool {
    guard type == other.type, number == other.number, bytes.count == other.bytes.count else { return false }
    var position = 0
    while position + 8 <= bytes.count {
      let mine = bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)
      guard mine == other.bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self) else { return false }
      position += 8
    }
    while position < bytes.count {
      guard bytes[position] == other.bytes[position] else { return false }
      position += 1
    }
    return true
  }
}
