internal import COpenSSL

/// Ed25519 signatures (RFC 8032, pure). Seeds and public keys are 32 bytes, signatures 64.
package enum Ed25519 {
  /// A signature's length in bytes.
  package static let signatureCount = 64

  /// A new private key (seed).
  ///
  /// - Throws: ``PrimitiveError/Code/unavailable`` without entropy.
  package static func generate() throws -> [UInt8] { try SecureRandom.bytes(RawKey.byteCount) }

  /// The public key of a seed.
  ///
  /// - Throws: ``PrimitiveError/Code/invalidLength`` for a seed not of 32 bytes.
  package static func publicKey(of seed: [UInt8]) throws -> [UInt8] {
    try RawKey(secret: seed, .ed25519).publicBytes()
  }

  /// The signature over `message`; the same every time (RFC 8032 is deterministic).
  ///
  /// - Throws: ``PrimitiveError/Code/invalidLength`` for a seed not of 32 bytes.
  package static func sign(_ message: [UInt8], seed: [UInt8]) throws -> [UInt8] {
    let key = try RawKey(secret: seed, .ed25519)
    let context = EVP_MD_CTX_new()
    defer { EVP_MD_CTX_free(context) }
    var signature = [UInt8](repeating: 0, count: signatureCount)
    var count = signature.count
    guard EVP_DigestSignInit(context, nil, nil, nil, key.pointer) == 1,
      EVP_DigestSign(context, &signature, &count, message, message.count) == 1, count == signatureCount
    else {
      throw PrimitiveError(.unavailable, operation: "Ed25519 sign", message: "libcrypto failed")
    }
    return signature
  }

  /// Whether `signature` over `message` verifies; false for keys and signatures of any other length or form too.
  package static func verify(_ signature: [UInt8], of message: [UInt8], publicKey: [UInt8]) -> Bool {
    guard signature.count == signatureCount, let key = try? RawKey(public: publicKey, .ed25519) else { return false }
    let context = EVP_MD_CTX_new()
    defer { EVP_MD_CTX_free(context) }
    return EVP_DigestVerifyInit(context, nil, nil, nil, key.pointer) == 1
      && EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
  }
}
