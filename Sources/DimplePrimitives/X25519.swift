internal import COpenSSL

/// Diffie-Hellman on Curve25519 (RFC 7748). Keys and secrets are 32 bytes.
package enum X25519 {
  /// A new private key.
  ///
  /// - Throws: ``PrimitiveError/Code/unavailable`` without entropy.
  package static func generate() throws -> [UInt8] { try SecureRandom.bytes(RawKey.byteCount) }

  /// The public half of `privateKey` (any 32 bytes).
  package static func publicKey(of privateKey: [UInt8]) throws -> [UInt8] {
    try RawKey(secret: privateKey, .x25519).publicBytes()
  }

  /// What both sides compute from their own private and the other's public key.
  ///
  /// - Throws: ``PrimitiveError/Code/invalidKey`` when the result would be all zeros (a public key of low order),
  ///   ``PrimitiveError/Code/invalidLength``.
  package static func sharedSecret(privateKey: [UInt8], publicKey: [UInt8]) throws -> [UInt8] {
    let own = try RawKey(secret: privateKey, .x25519)
    let peer = try RawKey(public: publicKey, .x25519)
    let context = EVP_PKEY_CTX_new(own.pointer, nil)
    defer { EVP_PKEY_CTX_free(context) }
    guard EVP_PKEY_derive_init(context) == 1, EVP_PKEY_derive_set_peer(context, peer.pointer) == 1 else {
      throw PrimitiveError(.unavailable, operation: "X25519", message: "libcrypto refused the key pair")
    }
    var secret = [UInt8](repeating: 0, count: RawKey.byteCount)
    var count = secret.count
    // libcrypto fails on an all-zero result itself; the second look costs nothing and does not depend on its version.
    guard EVP_PKEY_derive(context, &secret, &count) == 1, count == RawKey.byteCount,
      !ConstantTime.areEqual(secret, [UInt8](repeating: 0, count: RawKey.byteCount))
    else {
      throw PrimitiveError(.invalidKey, operation: "X25519", message: "the public key is a point of low order")
    }
    return secret
  }
}
