internal import DimplePrimitives

/// scrypt as age uses it: N = 2^work factor, r = 8, p = 1.
enum Passphrase {
  static let saltCount = 16
  private static let label = [UInt8]("age-encryption.org/v1/scrypt".utf8)

  static func wrapKey(_ passphrase: [UInt8], salt: [UInt8], workFactor: Int) throws -> [UInt8] {
    try Scrypt.derive(
      password: passphrase, salt: label + salt, logN: workFactor, r: 8, p: 1, count: ChaCha20Poly1305.keyCount,
      maximumMemory: (1 << (workFactor + 10)) + (1 << 20))
  }

  /// `[1-9][0-9]*`, at most 2 digits long: any more is above every limit.
  static func workFactor(_ text: String) -> Int? {
    let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
    guard text.utf8.allSatisfy(digits.contains), let first = text.utf8.first, first != digits.lowerBound
    else { return nil }
    return Int(text) ?? Int.max
  }
}
