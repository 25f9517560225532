/// Base 32 (RFC 4648 §6) in lowercase without padding, canonical only: file names that survive any file system.
enum Base32 {
  private static let alphabet = [UInt8]("abcdefghijklmnopqrstuvwxyz234567".utf8)

  /// The text of `bytes`: 8 characters per 5 bytes, rounded up.
  static func encode(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count * 8 + 4) / 5)
    var bits = 0
    var bitCount = 0
    for byte in bytes {
      bits = (bits << 8 | Int(byte)) & 0xFFF
      bitCount += 8
      while bitCount >= 5 {
        bitCount -= 5
        text.append(alphabet[bits >> bitCount & 31])
      }
    }
    if bitCount > 0 { text.append(alphabet[bits << (5 - bitCount) & 31]) }
    return String(decoding: text, as: UTF8.self)
  }

  /// The bytes of `text`; `nil` unless canonical.
  static func decode(_ text: String) -> [UInt8]? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count * 5 / 8)
    var bits = 0
    var bitCount = 0
    for character in text.utf8 {
      guard let value = value(character) else { return nil }
      bits = (bits << 5 | value) & 0xFFF
      bitCount += 5
      guard bitCount >= 8 else { continue }
      bitCount -= 8
      bytes.append(UInt8(truncatingIfNeeded: bits >> bitCount))
    }
    // A whole unused character, or spare bits that are not zero, would be a second text for the same bytes.
    guard bitCount < 5, bits & ((1 << bitCount) - 1) == 0 else { return nil }
    return bytes
  }

  private static func value(_ character: UInt8) -> Int? {
    switch character {
    case UInt8(ascii: "a")...UInt8(ascii: "z"): Int(character - UInt8(ascii: "a"))
    case UInt8(ascii: "2")...UInt8(ascii: "7"): Int(character - UInt8(ascii: "2")) + 26
    default: nil
    }
  }
}
