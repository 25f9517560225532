/// Why an age file, key or passphrase was refused.
///
/// Match on the code: `catch let error as AgeError where error.code == .wrongPassphrase`.
public struct AgeError: Error, Sendable, CustomStringConvertible {
  /// The kind of failure; compare with the static members.
  public struct Code: Sendable, Hashable, CustomStringConvertible {
    private enum Kind: String {
      case noMatchingIdentity, wrongPassphrase, malformedHeader, unsupportedVersion, headerAuthenticationFailed
      case payloadAuthenticationFailed, payloadTruncated, malformedArmor, excessiveWork, invalidKey, invalidRecipients
      case finished, unavailable
    }
    private let kind: Kind
    private init(_ kind: Kind) { self.kind = kind }

    /// The file was encrypted to others: none of the identities opens it.
    public static let noMatchingIdentity = Code(.noMatchingIdentity)
    /// The file was encrypted with another passphrase.
    public static let wrongPassphrase = Code(.wrongPassphrase)
    /// Not an age file, or one whose header breaks the format's rules.
    public static let malformedHeader = Code(.malformedHeader)
    /// An age file, but not of version 1.
    public static let unsupportedVersion = Code(.unsupportedVersion)
    /// The header was altered after the file was made.
    public static let headerAuthenticationFailed = Code(.headerAuthenticationFailed)
    /// The payload was altered, reordered, or has bytes after its end.
    public static let payloadAuthenticationFailed = Code(.payloadAuthenticationFailed)
    /// The payload ends early.
    public static let payloadTruncated = Code(.payloadTruncated)
    /// The text around the file (`-----BEGIN AGE ENCRYPTED FILE-----`) breaks the rules of strict PEM.
    public static let malformedArmor = Code(.malformedArmor)
    /// The file asks for a scrypt work factor above the limit.
    public static let excessiveWork = Code(.excessiveWork)
    /// A recipient, an identity or a key file that cannot be read.
    public static let invalidKey = Code(.invalidKey)
    /// No recipients, or a passphrase together with others.
    public static let invalidRecipients = Code(.invalidRecipients)
    /// The encryptor or decryptor was used after its end.
    public static let finished = Code(.finished)
    /// The cryptographic library failed: no entropy, no memory, or an algorithm switched off.
    public static let unavailable = Code(.unavailable)

    /// The code's name.
    public var description: String { kind.rawValue }
  }

  /// The kind of failure.
  public var code: Code
  /// What was being done: `read the header`.
  public var operation: String
  /// What happened, for people; never holds a secret.
  public var message: String
  /// What to do next.
  public var hint: String
  /// Whether the same call may succeed later unchanged.
  public var isRetryable: Bool { code == .unavailable }
  /// What the lower layer said.
  public var underlying: (any Error)?

  /// An error.
  public init(
    _ code: Code, operation: String, message: String, hint: String = "", underlying: (any Error)? = nil
  ) {
    self.code = code
    self.operation = operation
    self.message = message
    self.hint = hint
    self.underlying = underlying
  }

  /// One line: code, operation, message, hint.
  public var description: String {
    "\(code): \(operation): \(message)" + (hint.isEmpty ? "" : " \(hint)")
  }
}

extension AgeError {
  static func malformedHeader(_ message: String) -> AgeError {
    AgeError(
      .malformedHeader, operation: "read the age header", message: message,
      hint: "Check that this is an age file and that it was copied whole, as binary.")
  }

  static func unavailable(_ operation: String, _ underlying: any Error) -> AgeError {
    AgeError(.unavailable, operation: operation, message: "the cryptographic library failed", underlying: underlying)
  }
}
