internal import DimplePrimitives

/// A private key: opens what was encrypted to its ``recipient``. Its text is `AGE-SECRET-KEY-1…`.
///
/// Descriptions and dumps show the public half only. The secret stays in memory as long as the value lives and is not
/// wiped afterwards.
public struct X25519Identity: AgeIdentity, Hashable, CustomStringConvertible, CustomReflectable {
  static let prefix = "AGE-SECRET-KEY-"

  /// 32 random bytes.
  let privateKey: [UInt8]
  /// The public half.
  public let recipient: X25519Recipient

  /// A new key.
  ///
  /// - Throws: ``AgeError/Code/unavailable`` without entropy.
  public init() throws {
    do {
      try self.init(privateKey: X25519.generate())
    } catch let error as PrimitiveError {
      throw AgeError.unavailable("make a key", error)
    }
  }

  init(privateKey: [UInt8]) throws {
    self.privateKey = privateKey
    recipient = X25519Recipient(publicKey: try X25519.publicKey(of: privateKey))
  }

  /// Reads `AGE-SECRET-KEY-1…`, in uppercase as the age program writes it.
  ///
  /// - Throws: ``AgeError/Code/invalidKey``; post-quantum identities (`AGE-SECRET-KEY-PQ-1…`) are not supported.
  public init(_ text: String) throws {
    guard let (prefix, bytes) = Bech32.decode(text), prefix == Self.prefix, bytes.count == 32 else {
      throw AgeError(
        .invalidKey, operation: "read an identity",
        message: text.hasPrefix("AGE-SECRET-KEY-PQ-1")
          ? "post-quantum identities are not supported" : "not an X25519 identity",
        hint: "It starts with AGE-SECRET-KEY-1 and has 74 characters; check that none is missing.")
    }
    try self.init(privateKey: bytes)
  }

  /// `AGE-SECRET-KEY-1…`: whoever sees it can open every file of this identity.
  public var secretText: String { Bech32.encode(prefix: Self.prefix, privateKey) }

  /// The public half; never the secret.
  public var description: String { "X25519Identity(\(recipient))" }

  /// The public half; never the secret.
  public var customMirror: Mirror { Mirror(self, children: ["recipient": recipient]) }

  /// Unwraps the stanza made for ``recipient``, if there is one.
  ///
  /// - Throws: ``AgeError/Code/malformedHeader`` for an X25519 stanza that breaks the format's rules.
  public func unwrap(_ stanzas: [AgeStanza]) throws -> [UInt8]? {
    for stanza in stanzas where stanza.type == X25519Recipient.stanzaType {
      guard let argument = stanza.arguments.first, stanza.arguments.count == 1,
        let share = Base64.decode(argument, padded: false), share.count == 32, stanza.body.count == FileKey.wrappedCount
      else { throw AgeError.malformedHeader("an X25519 stanza breaks the format's rules") }
      do {
        let secret = try X25519.sharedSecret(privateKey: privateKey, publicKey: share)
        let key = try recipient.wrapKey(sharedSecret: secret, share: share)
        if let fileKey = try FileKey.unwrap(stanza.body, with: key) { return fileKey }
      } catch let error as PrimitiveError where error.code == .invalidKey {
        throw AgeError.malformedHeader("an X25519 stanza's share is a point of low order")
      } catch let error as PrimitiveError {
        throw AgeError.unavailable("decrypt", error)
      }
    }
    return nil
  }
}
