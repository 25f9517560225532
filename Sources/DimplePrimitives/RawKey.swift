internal import COpenSSL

/// An EVP_PKEY made from the 32 raw bytes of an X25519 or Ed25519 key.
final class RawKey {
  /// The curves whose keys are 32 raw bytes, as libcrypto numbers them.
  struct Curve {
    let identifier: Int32
    let name: String

    static let x25519 = Curve(identifier: EVP_PKEY_X25519, name: "X25519")
    static let ed25519 = Curve(identifier: EVP_PKEY_ED25519, name: "Ed25519")
  }

  static let byteCount = 32
  let pointer: OpaquePointer

  init(secret: [UInt8], _ curve: Curve) throws {
    try Self.check(secret, curve)
    guard let pointer = EVP_PKEY_new_raw_private_key(curve.identifier, nil, secret, secret.count) else {
      throw PrimitiveError(.unavailable, operation: curve.name, message: "libcrypto refused the private key")
    }
    self.pointer = pointer
  }

  init(public bytes: [UInt8], _ curve: Curve) throws {
    try Self.check(bytes, curve)
    guard let pointer = EVP_PKEY_new_raw_public_key(curve.identifier, nil, bytes, bytes.count) else {
      throw PrimitiveError(.invalidKey, operation: curve.name, message: "libcrypto refused the public key")
    }
    self.pointer = pointer
  }

  deinit { EVP_PKEY_free(pointer) }

  func publicBytes() throws -> [UInt8] {
    try [UInt8](unsafeUninitializedCapacity: Self.byteCount) { bytes, count in
      count = Self.byteCount
      guard EVP_PKEY_get_raw_public_key(pointer, bytes.baseAddress, &count) == 1, count == Self.byteCount else {
        count = 0
        throw PrimitiveError(.unavailable, operation: "public key", message: "libcrypto gave no public key")
      }
    }
  }

  private static func check(_ bytes: [UInt8], _ curve: Curve) throws {
    guard bytes.count == byteCount else {
      throw PrimitiveError(.invalidLength, operation: curve.name, message: "a key of \(bytes.count) bytes")
    }
  }
}
