internal import DimplePrimitives

/// A public key: whoever has it can encrypt to the holder of the ``X25519Identity``. Its text is `age1…`.
public struct X25519Recipient: AgeRecipient, Hashable, CustomStringConvertible {
  static let prefix = "age"
  static let stanzaType = "X25519"

  /// The point on Curve25519, 32 bytes.
  let publicKey: [UInt8]

  init(publicKey: [UInt8]) { self.publicKey = publicKey }

  /// Reads `age1…`, in lowercase as the age program writes it.
  ///
  /// - Throws: ``AgeError/Code/invalidKey``.
  public init(_ text: String) throws {
    guard let (prefix, bytes) = Bech32.decode(text), prefix == Self.prefix, bytes.count == 32 else {
      throw AgeError(
        .invalidKey, operation: "read a recipient", message: "not an X25519 recipient",
        hint: "It starts with age1 and has 62 characters; check that none is missing.")
    }
    publicKey = bytes
  }

  /// `age1…`
  public var description: String { Bech32.encode(prefix: Self.prefix, publicKey) }

  /// Wraps a file key with a fresh ephemeral key.
  ///
  /// - Throws: ``AgeError/Code/invalidKey`` for a public key that is no usable point, ``AgeError/Code/unavailable``.
  public func wrap(fileKey: [UInt8]) throws -> [AgeStanza] {
    do {
      let ephemeral = try X25519.generate()
      let share = try X25519.publicKey(of: ephemeral)
      let secret = try X25519.sharedSecret(privateKey: ephemeral, publicKey: publicKey)
      let body = try FileKey.wrap(fileKey, with: wrapKey(sharedSecret: secret, share: share))
      let argument = Base64.encode(share, padded: false)
      return [AgeStanza(type: Self.stanzaType, arguments: [argument], body: body)]
    } catch let error as PrimitiveError {
      guard error.code == .invalidKey else { throw AgeError.unavailable("encrypt", error) }
      throw AgeError(
        .invalidKey, operation: "encrypt", message: "the recipient is not a usable public key", underlying: error)
    }
  }

  func wrapKey(sharedSecret: [UInt8], share: [UInt8]) throws -> [UInt8] {
    let info = [UInt8]("age-encryption.org/v1/X25519".utf8)
    return try HKDFSHA256.derive(sharedSecret, salt: share + publicKey, info: info, count: ChaCha20Poly1305.keyCount)
  }
}
