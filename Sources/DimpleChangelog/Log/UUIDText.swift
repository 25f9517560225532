/// The 36-character text of a UUID, all in one case, as 16 bytes: keys of that form are most of a small change's size.
package struct UUIDText: Equatable {
  package let high: UInt64
  package let low: UInt64
  package let isUppercase: Bool

  package init(high: UInt64, low: UInt64, isUppercase: Bool) {
    self.high = high
    self.low = low
    self.isUppercase = isUppercase
  }

  /// `nil` for any text that ``characters`` would not give back byte by byte.
  package init?(_ text: UnsafeRawBufferPointer) {
    guard text.count == 36, text[8] == 0x2D, text[13] == 0x2D, text[18] == 0x2D, text[23] == 0x2D else { return nil }
    func four(_ offset: Int) -> UInt64 {
      UInt64(UInt32(littleEndian: text.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
    }
    var letters = HexLetters()
    guard let first = letters.number(four(0) | four(4) << 32), let second = letters.number(four(9) | four(14) << 32),
      let third = letters.number(four(19) | four(24) << 32), let fourth = letters.number(four(28) | four(32) << 32),
      letters.lower == 0 || letters.upper == 0
    else { return nil }
    self.init(high: first << 32 | second, low: third << 32 | fourth, isUppercase: letters.upper != 0)
  }

  /// The text again.
  var characters: String {
    String(unsafeUninitializedCapacity: 36) { buffer in
      write(to: UnsafeMutableRawBufferPointer(buffer))
      return 36
    }
  }

  /// Writes the 36 characters.
  package func write(to buffer: UnsafeMutableRawBufferPointer) {
    let letters: UInt8 = isUppercase ? 0x41 : 0x61
    var digit = 0
    for index in 0..<36 {
      if index == 8 || index == 13 || index == 18 || index == 23 {
        buffer[index] = 0x2D
        continue
      }
      let half = digit < 16 ? high : low
      let nibble = UInt8(truncatingIfNeeded: half >> UInt64(60 - 4 * (digit % 16))) & 0xF
      buffer[index] = nibble < 10 ? 0x30 + nibble : letters + nibble - 10
      digit += 1
    }
  }
}

/// Reads hexadecimal digits eight at a time, a byte of a word each, and notes the cases of the letters.
private struct HexLetters {
  private(set) var lower: UInt64 = 0
  private(set) var upper: UInt64 = 0

  private static let ones: UInt64 = 0x0101_0101_0101_0101
  private static let highBits: UInt64 = 0x8080_8080_8080_8080

  /// - Parameter text: The first digit in the lowest byte.
  /// - Returns: 32 bits, or `nil` if one of them is no digit.
  mutating func number(_ text: UInt64) -> UInt64? {
    guard text & Self.highBits == 0 else { return nil }
    let folded = text | (0x20 * Self.ones)
    let decimal = Self.atLeast(0x30, text) & ~Self.atLeast(0x3A, text)
    let letter = Self.atLeast(0x61, folded) & ~Self.atLeast(0x67, folded)
    guard decimal | letter == Self.highBits else { return nil }
    let isLower = text << 2 & letter
    lower |= isLower
    upper |= letter ^ isLower
    // A nibble in each byte; then pairs, then pairs of pairs.
    var value = (text & (0x0F * Self.ones)) + 9 * (letter >> 7)
    value = (value << 4 | value >> 8) & 0x00FF_00FF_00FF_00FF
    value = (value | value >> 8) & 0x0000_FFFF_0000_FFFF
    value |= value >> 16
    return UInt64(UInt32(truncatingIfNeeded: value).byteSwapped)
  }

  /// The high bit of each byte that is `least` or more; all bytes are less than 0x80.
  private static func atLeast(_ least: UInt64, _ bytes: UInt64) -> UInt64 {
    (bytes + (0x80 - least) * ones) & highBits
  }
}
