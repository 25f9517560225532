/// Bech32 (BIP 173) without its length limit, as age writes keys.
enum Bech32 {
  private static let alphabet = [UInt8]("qpzry9x8gf2tvdw0s3jn54khce6mua7l".utf8)
  private static let separator = UInt8(ascii: "1")
  private static let checksumCount = 6

  /// `prefix`, `1`, and the data with its checksum; all uppercase where `prefix` is.
  static func encode(prefix: String, _ bytes: [UInt8]) -> String {
    let lowercase = prefix.lowercased()
    let data = regroup(bytes, from: 8, to: 5, pads: true) ?? []
    let sum = checksum(of: expand(lowercase) + data + [UInt8](repeating: 0, count: checksumCount)) ^ 1
    let check = (0..<checksumCount).map { UInt8(truncatingIfNeeded: sum >> (5 * UInt32(checksumCount - 1 - $0)) & 31) }
    let text = lowercase + "1" + String(decoding: (data + check).map { alphabet[Int($0)] }, as: UTF8.self)
    return prefix == lowercase ? text : text.uppercased()
  }

  /// The prefix, in its own case, and the data; `nil` for mixed case, a wrong checksum or padding that is not zero.
  static func decode(_ text: String) -> (prefix: String, bytes: [UInt8])? {
    guard text.utf8.allSatisfy({ (33...126).contains($0) }), text == text.lowercased() || text == text.uppercased()
    else { return nil }
    let characters = Array(text.lowercased().utf8)
    guard let border = characters.lastIndex(of: separator), border > 0, characters.count - border > checksumCount
    else { return nil }
    var values: [UInt8] = []
    for character in characters[(border + 1)...] {
      guard let value = alphabet.firstIndex(of: character) else { return nil }
      values.append(UInt8(value))
    }
    let prefix = String(decoding: characters[..<border], as: UTF8.self)
    guard checksum(of: expand(prefix) + values) == 1,
      let bytes = regroup(Array(values.dropLast(checksumCount)), from: 5, to: 8, pads: false)
    else { return nil }
    return (String(text.prefix(border)), bytes)
  }

  private static func expand(_ prefix: String) -> [UInt8] {
    prefix.utf8.map { $0 >> 5 } + [0] + prefix.utf8.map { $0 & 31 }
  }

  /// The BCH code of BIP 173.
  private static func checksum(of values: [UInt8]) -> UInt32 {
    let generator: [UInt32] = [0x3B6A_57B2, 0x2650_8E6D, 0x1EA1_19FA, 0x3D42_33DD, 0x2A14_62B3]
    var sum: UInt32 = 1
    for value in values {
      let top = sum >> 25
      sum = (sum & 0x1FF_FFFF) << 5 ^ UInt32(value)
      for (bit, factor) in generator.enumerated() where top >> UInt32(bit) & 1 == 1 { sum ^= factor }
    }
    return sum
  }

  private static func regroup(_ values: [UInt8], from: Int, to: Int, pads: Bool) -> [UInt8]? {
    var result: [UInt8] = []
    var bits = 0
    var bitCount = 0
    for value in values {
      bits = (bits << from | Int(value)) & 0xFFF
      bitCount += from
      while bitCount >= to {
        bitCount -= to
        result.append(UInt8(truncatingIfNeeded: bits >> bitCount & ((1 << to) - 1)))
      }
    }
    if pads {
      if bitCount > 0 { result.append(UInt8(truncatingIfNeeded: bits << (to - bitCount) & ((1 << to) - 1))) }
    } else if bitCount >= from || bits & ((1 << bitCount) - 1) != 0 {
      return nil
    }
    return result
  }
}
