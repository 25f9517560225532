/// HKDF (RFC 5869) with SHA-256.
package enum HKDFSHA256 {
  /// The most that one derivation can give, in bytes (RFC 5869 §2.3: 255 blocks).
  package static let maximumCount = 255 * HMACSHA256.byteCount

  /// Derives `count` bytes from input key material; distinct `info`s give independent keys.
  ///
  /// - Throws: ``PrimitiveError/Code/invalidLength`` for a count above ``maximumCount``.
  package static func derive(
    _ inputKeyMaterial: some RawBytes, salt: some RawBytes, info: some RawBytes, count: Int
  ) throws -> [UInt8] {
    guard (0...maximumCount).contains(count) else {
      throw PrimitiveError(.invalidLength, operation: "HKDF", message: "\(count) bytes were asked for")
    }
    let key = HMACSHA256.authenticate(inputKeyMaterial, key: salt)
    let info = info.withUnsafeBytes { [UInt8]($0) }
    var output: [UInt8] = []
    output.reserveCapacity(count + HMACSHA256.byteCount)
    var block: [UInt8] = []
    var number: UInt8 = 0
    while output.count < count {
      number += 1
      block = HMACSHA256.authenticate(block + info + [number], key: key)
      output += block
    }
    return [UInt8](output.prefix(count))
  }
}
