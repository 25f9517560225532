/// One recipient's share of a header: the file key, wrapped for that recipient.
public struct AgeStanza: Sendable, Hashable {
  /// The kind of recipient, `X25519` or `scrypt`; the first argument on the stanza's line.
  public var type: String
  /// What follows the type, each of one or more visible ASCII characters.
  public var arguments: [String]
  /// The wrapped file key.
  public var body: [UInt8]

  /// A stanza; that its text obeys the format is checked where it is written.
  public init(type: String, arguments: [String], body: [UInt8]) {
    self.type = type
    self.arguments = arguments
    self.body = body
  }
}

/// Whom a file is encrypted to.
public protocol AgeRecipient: Sendable {
  /// Wraps the 16-byte key of one file.
  ///
  /// - Returns: One or more stanzas for the header, in order.
  func wrap(fileKey: [UInt8]) throws -> [AgeStanza]
}

/// Who opens a file.
///
/// An app may bring its own: one that asks for a passphrase when it meets a `scrypt` stanza, for instance.
public protocol AgeIdentity: Sendable {
  /// Looks for a stanza addressed to this identity and unwraps it.
  ///
  /// - Parameter stanzas: All of the header, in order; unknown types are to be ignored.
  /// - Returns: The 16-byte file key, or `nil` when no stanza is for this identity.
  /// - Throws: ``AgeError`` for a stanza of this identity's type that breaks its rules; decryption ends there.
  func unwrap(_ stanzas: [AgeStanza]) throws -> [UInt8]?
}
