/// Why a primitive refused: wrong sizes, a message that does not authenticate, a cost above the bound.
///
/// Match on the code: `catch let error as PrimitiveError where error.code == .authenticationFailed`.
package struct PrimitiveError: Error, Sendable, CustomStringConvertible {
  /// The kind of failure; compare with the static members.
  package struct Code: Sendable, Hashable, CustomStringConvertible {
    private enum Kind: String {
      case invalidLength, invalidKey, authenticationFailed, excessiveCost, unavailable
    }
    private let kind: Kind
    private init(_ kind: Kind) { self.kind = kind }

    /// A key, nonce, seed or tag has a length that the primitive does not take.
    package static let invalidLength = Code(.invalidLength)
    /// The key has the right length but cannot be used: a point of low order, for instance.
    package static let invalidKey = Code(.invalidKey)
    /// The message was altered, or sealed under another key, nonce or associated data.
    package static let authenticationFailed = Code(.authenticationFailed)
    /// The parameters ask for more memory than the caller allows.
    package static let excessiveCost = Code(.excessiveCost)
    /// libcrypto lacks the algorithm (a build or provider without it), has no entropy, or no memory.
    package static let unavailable = Code(.unavailable)

    package var description: String { kind.rawValue }
  }

  /// The kind of failure.
  package var code: Code
  /// What was being done: `X25519 shared secret`.
  package var operation: String
  /// What happened; never holds a secret.
  package var message: String

  package init(_ code: Code, operation: String, message: String) {
    self.code = code
    self.operation = operation
    self.message = message
  }

  package var description: String { "\(code): \(operation): \(message)" }
}
