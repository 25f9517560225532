package import DimpleStore

/// Reads what ``ByteWriter`` wrote. Total: whatever the bytes, it ends in a value or in ``DamagedBytes``.
package struct ByteReader {
  private let bytes: [UInt8]
  private var offset = 0

  package init(_ bytes: [UInt8]) { self.bytes = bytes }

  package var isAtEnd: Bool { offset == bytes.count }

  func damage(_ reason: StaticString) -> DamagedBytes { DamagedBytes(offset: offset, reason: reason) }

  package mutating func byte() throws -> UInt8 {
    guard offset < bytes.count else { throw damage("ends early") }
    defer { offset += 1 }
    return bytes[offset]
  }

  private mutating func take(_ count: Int) throws -> ArraySlice<UInt8> {
    guard count <= bytes.count - offset else { throw damage("a length runs past the end") }
    defer { offset += count }
    return bytes[offset..<offset + count]
  }

  /// A number in its shortest form; a longer one is damage, so that a payload has one encoding.
  package mutating func varint() throws -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), through: 63, by: 7) {
      let next = try byte()
      guard shift < 63 || next <= 1 else { throw damage("a number is too large") }
      value |= UInt64(next & 0x7F) << shift
      if next < 0x80 {
        guard next != 0 || shift == 0 else { throw damage("a number is longer than it need be") }
        return value
      }
    }
    throw damage("a number is too large")
  }

  /// A number that must be an identifier: 1 or more, and one that has a successor.
  mutating func identifier() throws -> Int64 {
    guard let value = Int64(exactly: try varint()), value > 0, value < .max else {
      throw damage("an identifier is out of range")
    }
    return value
  }

  private mutating func word(_ count: Int) throws -> UInt64 {
    var value: UInt64 = 0
    for byte in try take(count) { value = value << 8 | UInt64(byte) }
    return value
  }

  package mutating func value() throws -> SQLValue {
    let tag = try varint()
    switch tag {
    case UInt64(ValueTag.null): return .null
    case UInt64(ValueTag.real): return .real(Double(bitPattern: try word(8)))
    case 2...10: return .integer(try integer(byteCount: Int(tag) - 2))
    case UInt64(ValueTag.lowercaseUUID): return .text(try uuid(isUppercase: false))
    case UInt64(ValueTag.uppercaseUUID): return .text(try uuid(isUppercase: true))
    case 16...:
      guard let count = Int(exactly: (tag - 16) >> 1) else { throw damage("a length is too large") }
      let content = try take(count)
      if tag & 1 == 0 { return .blob([UInt8](content)) }
      return String(validating: content, as: UTF8.self).map(SQLValue.text) ?? .invalidText([UInt8](content))
    default: throw damage("a value has an unknown type")
    }
  }

  private mutating func integer(byteCount: Int) throws -> Int64 {
    guard byteCount > 0 else { return 0 }
    let unused = UInt64(64 - 8 * byteCount)
    return Int64(bitPattern: try word(byteCount) << unused) >> Int64(unused)
  }

  private mutating func uuid(isUppercase: Bool) throws -> String {
    UUIDText(high: try word(8), low: try word(8), isUppercase: isUppercase).characters
  }
}

/// Bytes that no writer wrote: where, and why they do not decode.
package struct DamagedBytes: Error, Sendable, CustomStringConvertible {
  /// From the start.
  package let offset: Int
  /// For people.
  package let reason: StaticString

  /// Both in a line.
  package var description: String { "\(reason) (at byte \(offset))" }
}
