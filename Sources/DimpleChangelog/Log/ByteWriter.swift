package import DimpleStore

/// Appends numbers and values in the compact form that docs/CHANGELOG_FORMAT.md describes.
package struct ByteWriter {
  /// What was written so far.
  package private(set) var bytes: [UInt8] = []

  package init() {}

  mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

  package mutating func byte(_ byte: UInt8) { bytes.append(byte) }

  /// What is in this form already.
  mutating func raw(_ packed: UnsafeRawBufferPointer) { bytes.append(contentsOf: packed) }

  mutating func raw(_ packed: [UInt8]) { bytes += packed }

  /// An unsigned number in groups of seven bits, lowest first.
  package mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  mutating func null() { bytes.append(ValueTag.null) }

  /// The shortest big-endian two's complement, none for 0.
  mutating func integer(_ value: Int64) {
    let magnitude = value < 0 ? ~value : value
    let count = value == 0 ? 0 : (72 - magnitude.leadingZeroBitCount) / 8
    bytes.append(ValueTag.integer + UInt8(count))
    for shift in stride(from: (count - 1) * 8, through: 0, by: -8) {
      bytes.append(UInt8(truncatingIfNeeded: value >> Int64(shift)))
    }
  }

  /// The bit pattern, so that -0.0 and every infinity survive.
  mutating func real(_ value: Double) {
    bytes.append(ValueTag.real)
    withUnsafeBytes(of: value.bitPattern.bigEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func blob(_ blob: UnsafeRawBufferPointer) {
    varint(ValueTag.blob + UInt64(blob.count) << 1)
    bytes.append(contentsOf: blob)
  }

  /// Text by its bytes, whether they are UTF-8 or not; the text of a UUID in 16 bytes.
  mutating func text(_ text: UnsafeRawBufferPointer) {
    if let uuid = UUIDText(text) {
      bytes.append(uuid.isUppercase ? ValueTag.uppercaseUUID : ValueTag.lowercaseUUID)
      withUnsafeBytes(of: uuid.high.bigEndian) { bytes.append(contentsOf: $0) }
      withUnsafeBytes(of: uuid.low.bigEndian) { bytes.append(contentsOf: $0) }
    } else {
      varint(ValueTag.text + UInt64(text.count) << 1)
      bytes.append(contentsOf: text)
    }
  }

  /// Any value, to the bit.
  package mutating func value(_ value: SQLValue) {
    switch value {
    case .null: null()
    case .integer(let number): integer(number)
    case .real(let number): real(number)
    case .text(var string): string.withUTF8 { text(UnsafeRawBufferPointer($0)) }
    case .blob(let blob): blob.withUnsafeBytes { self.blob($0) }
    case .invalidText(let text): text.withUnsafeBytes { self.text($0) }
    }
  }
}

/// The first number of a packed value, which says its type and length: docs/CHANGELOG_FORMAT.md.
package enum ValueTag {
  package static let null: UInt8 = 0
  package static let real: UInt8 = 1
  /// Plus the number of bytes, 0 … 8.
  package static let integer: UInt8 = 2
  package static let lowercaseUUID: UInt8 = 11
  package static let uppercaseUUID: UInt8 = 12
  /// Plus twice the number of bytes.
  package static let blob: UInt64 = 16
  /// Plus twice the number of bytes.
  package static let text: UInt64 = 17
}
