internal import DimplePrimitives

/// What is derived from a file's 16-byte key.
enum FileKey {
  static let byteCount = 16
  /// A wrapped file key: the key and an AEAD tag.
  static let wrappedCount = byteCount + ChaCha20Poly1305.tagCount

  static func headerMAC(_ text: [UInt8], fileKey: [UInt8]) throws -> [UInt8] {
    let key = try HKDFSHA256.derive(fileKey, salt: [UInt8](), info: [UInt8]("header".utf8), count: 32)
    return HMACSHA256.authenticate(text, key: key)
  }

  static func payloadKey(fileKey: [UInt8], nonce: [UInt8]) throws -> [UInt8] {
    try HKDFSHA256.derive(fileKey, salt: nonce, info: [UInt8]("payload".utf8), count: ChaCha20Poly1305.keyCount)
  }

  /// Wraps with a key that is used for nothing else, hence the fixed nonce.
  static func wrap(_ fileKey: [UInt8], with key: [UInt8]) throws -> [UInt8] {
    try ChaCha20Poly1305.seal(fileKey, key: key, nonce: zeroNonce)
  }

  /// The file key, or `nil` when `key` is not the one it was wrapped with.
  ///
  /// The body's length must have been checked before: an attacker who may choose it can make one body open under many
  /// keys, and so test many passphrases at once.
  static func unwrap(_ body: [UInt8], with key: [UInt8]) throws -> [UInt8]? {
    do {
      return try ChaCha20Poly1305.open(body, key: key, nonce: zeroNonce)
    } catch let error as PrimitiveError where error.code == .authenticationFailed {
      return nil
    }
  }

  private static let zeroNonce = [UInt8](repeating: 0, count: ChaCha20Poly1305.nonceCount)
}
