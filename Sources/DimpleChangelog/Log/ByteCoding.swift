package import DimpleStore

/// Appends numbers and values in a compact form.
package struct ByteWriter {
  package private(set) var bytes: [UInt8] = []

  package init() {}

  package mutating func byte(_ byte: UInt8) { bytes.append(byte) }

  /// LEB128: seven bits a byte, least significant first.
  package mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  private mutating func run(_ content: some Collection<UInt8>) {
    varint(UInt64(content.count))
    bytes += content
  }

  /// A tag of one byte, then the content.
  package mutating func value(_ value: SQLValue) {
    switch value {
    case .null: byte(ValueTag.null.rawValue)
    case .integer(let integer):
      byte(ValueTag.integer.rawValue)
      // Zigzag: small negative numbers stay short.
      varint(UInt64(bitPattern: integer << 1 ^ integer >> 63))
    case .real(let real):
      byte(ValueTag.real.rawValue)
      for shift in stride(from: 0, to: 64, by: 8) { byte(UInt8(truncatingIfNeeded: real.bitPattern >> UInt64(shift))) }
    case .text(let text):
      byte(ValueTag.text.rawValue)
      run(text.utf8)
    case .blob(let blob):
      byte(ValueTag.blob.rawValue)
      run(blob)
    case .invalidText(let text):
      byte(ValueTag.invalidText.rawValue)
      run(text)
    }
  }
}

private enum ValueTag: UInt8 {
  case null = 0
  case integer = 1
  case real = 2
  case text = 3
  case blob = 4
  case invalidText = 5
}

/// Reads what ``ByteWriter`` wrote. Never traps, whatever the bytes.
package struct ByteReader {
  private let bytes: [UInt8]
  private var index = 0

  package init(_ bytes: [UInt8]) { self.bytes = bytes }

  package var isAtEnd: Bool { index == bytes.count }

  package mutating func byte() throws -> UInt8 {
    guard index < bytes.count else { throw DamagedBytes() }
    defer { index += 1 }
    return bytes[index]
  }

  package mutating func varint() throws -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      let byte = try byte()
      value |= UInt64(byte & 0x7F) << shift
      if byte & 0x80 == 0 { return value }
    }
    throw DamagedBytes()
  }

  private mutating func run() throws -> [UInt8] {
    let count = try varint()
    guard count <= UInt64(bytes.count - index) else { throw DamagedBytes() }
    defer { index += Int(count) }
    return Array(bytes[index..<index + Int(count)])
  }

  package mutating func value() throws -> SQLValue {
    switch ValueTag(rawValue: try byte()) {
    case .null: return .null
    case .integer:
      let zigzag = try varint()
      return .integer(Int64(bitPattern: zigzag >> 1) ^ -Int64(bitPattern: zigzag & 1))
    case .real:
      var bits: UInt64 = 0
      for shift in stride(from: UInt64(0), to: 64, by: 8) { bits |= UInt64(try byte()) << shift }
      return .real(Double(bitPattern: bits))
    case .text:
      guard let text = String(validating: try run(), as: UTF8.self) else { throw DamagedBytes() }
      return .text(text)
    case .blob: return .blob(try run())
    case .invalidText: return .invalidText(try run())
    case nil: throw DamagedBytes()
    }
  }
}

/// Bytes that no writer wrote.
package struct DamagedBytes: Error {}
