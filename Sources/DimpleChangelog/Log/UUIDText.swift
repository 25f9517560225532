/// The 36-character text of a UUID, all in one case, as 16 bytes: keys of that form are most of a small change's size.
struct UUIDText: Equatable {
  let high: UInt64
  let low: UInt64
  let isUppercase: Bool

  init(high: UInt64, low: UInt64, isUppercase: Bool) {
    self.high = high
    self.low = low
    self.isUppercase = isUppercase
  }

  /// `nil` for any text that ``characters`` would not give back byte by byte.
  init?(_ text: UnsafeRawBufferPointer) {
    guard text.count == 36, text[8] == 0x2D, text[13] == 0x2D, text[18] == 0x2D, text[23] == 0x2D else { return nil }
    var halves: (UInt64, UInt64) = (0, 0)
    var digits = 0
    var cases: UInt8 = 0
    for index in 0..<36 {
      if index == 8 || index == 13 || index == 18 || index == 23 { continue }
      let nibble: UInt8
      switch text[index] {
      case 0x30...0x39: nibble = text[index] - 0x30
      case 0x61...0x66: (nibble, cases) = (text[index] - 0x61 + 10, cases | 1)
      case 0x41...0x46: (nibble, cases) = (text[index] - 0x41 + 10, cases | 2)
      default: return nil
      }
      if digits < 16 { halves.0 = halves.0 << 4 | UInt64(nibble) } else { halves.1 = halves.1 << 4 | UInt64(nibble) }
      digits += 1
    }
    guard cases != 3 else { return nil }
    self.init(high: halves.0, low: halves.1, isUppercase: cases == 2)
  }

  /// The text again.
  var characters: String {
    let letters: UInt8 = isUppercase ? 0x41 : 0x61
    return String(unsafeUninitializedCapacity: 36) { buffer in
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
      return 36
    }
  }
}
