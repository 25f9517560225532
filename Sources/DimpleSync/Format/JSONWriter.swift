/// Writes JSON in one canonical form: no white space, shortest round-trip reals, only what must be escaped is.
package struct JSONWriter {
  package private(set) var bytes: [UInt8] = []

  package init() {}

  /// A piece of JSON known to be valid: punctuation, a literal.
  package mutating func raw(_ text: StaticString) {
    text.withUTF8Buffer { bytes.append(contentsOf: $0) }
  }

  /// Takes back what was written after the first `count` bytes.
  mutating func truncate(to count: Int) { bytes.removeLast(bytes.count - count) }

  package mutating func byte(_ byte: UInt8) { bytes.append(byte) }

  /// Bytes known to be valid JSON.
  mutating func append(_ json: UnsafeRawBufferPointer) { bytes.append(contentsOf: json) }

  /// Bytes known to be valid JSON.
  mutating func append(_ json: [UInt8]) { json.withUnsafeBytes { append($0) } }

  package mutating func integer(_ value: Int64) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
      var (rest, first) = (value.magnitude, 20)
      repeat {
        first -= 1
        digits[first] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
        rest /= 10
      } while rest > 0
      if value < 0 {
        first -= 1
        digits[first] = UInt8(ascii: "-")
      }
      append(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: digits[first...])))
    }
  }

  /// A finite real: always with a point or an exponent, so that it reads back as a real.
  package mutating func real(_ value: Double) {
    bytes.append(contentsOf: value.description.utf8)
  }

  package mutating func string(_ value: String) {
    var value = value
    value.withUTF8 { text($0) }
  }

  /// Text that is UTF-8.
  mutating func text(_ utf8: UnsafeBufferPointer<UInt8>) {
    bytes.append(UInt8(ascii: "\""))
    var start = 0
    for index in utf8.indices where Self.mustEscape(utf8[index]) {
      append(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: utf8[start..<index])))
      escape(utf8[index])
      start = index + 1
    }
    append(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: utf8[start...])))
    bytes.append(UInt8(ascii: "\""))
  }

  private static func mustEscape(_ byte: UInt8) -> Bool {
    byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte == 0x7F
  }

  private mutating func escape(_ byte: UInt8) {
    bytes.append(UInt8(ascii: "\\"))
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(byte)
    case 0x0A: bytes.append(UInt8(ascii: "n"))
    case 0x0D: bytes.append(UInt8(ascii: "r"))
    case 0x09: bytes.append(UInt8(ascii: "t"))
    default:
      raw("u00")
      bytes.append(Self.hexDigits[Int(byte >> 4)])
      bytes.append(Self.hexDigits[Int(byte & 15)])
    }
  }

  private static let hexDigits = Array("0123456789abcdef".utf8)

  mutating func value(_ json: JSON) {
    switch json {
    case .null: raw("null")
    case .bool(let value): value ? raw("true") : raw("false")
    case .integer(let value): integer(value)
    case .real(let value): real(value)
    case .string(let value): string(value)
    case .array(let elements):
      list(elements, from: UInt8(ascii: "["), to: UInt8(ascii: "]")) { $0.value($1) }
    case .object(let members):
      list(members, from: UInt8(ascii: "{"), to: UInt8(ascii: "}")) { writer, member in
        writer.string(member.name)
        writer.byte(UInt8(ascii: ":"))
        writer.value(member.value)
      }
    }
  }

  package mutating func list<S: Sequence>(
    _ elements: S, from open: UInt8, to close: UInt8, _ write: (inout JSONWriter, S.Element) throws -> Void
  ) rethrows {
    bytes.append(open)
    var isFirst = true
    for element in elements {
      if !isFirst { bytes.append(UInt8(ascii: ",")) }
      isFirst = false
      try write(&self, element)
    }
    bytes.append(close)
  }
}
