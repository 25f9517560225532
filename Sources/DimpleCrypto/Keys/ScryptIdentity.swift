internal import DimplePrimitives

/// Opens files encrypted to a passphrase; made by a ``ScryptRecipient`` or `age -p`.
///
/// Whoever opens a file this way knows that a holder of the passphrase made it. The passphrase counts as the bytes
/// given, without Unicode normalisation.
public struct ScryptIdentity: AgeIdentity, CustomStringConvertible, CustomReflectable {
  /// What the age program accepts: 4 GiB of memory and about 15 seconds.
  public static let defaultMaximumWorkFactor = 22

  private let passphrase: [UInt8]
  /// Files that ask for more are refused before any work is done.
  public let maximumWorkFactor: Int

  /// - Parameter maximumWorkFactor: The base-two logarithm of the cost one is ready to pay, up to 30; memory is
  ///   1 KiB · 2^maximumWorkFactor. Lower it for files from strangers.
  public init(passphrase: String, maximumWorkFactor: Int = defaultMaximumWorkFactor) {
    self.passphrase = Array(passphrase.utf8)
    self.maximumWorkFactor = min(maximumWorkFactor, 30)
  }

  /// Never the passphrase.
  public var description: String { "ScryptIdentity" }

  /// Never the passphrase.
  public var customMirror: Mirror { Mirror(self, children: ["maximumWorkFactor": maximumWorkFactor]) }

  /// Unwraps the file key of a file encrypted to the passphrase; costs one scrypt.
  ///
  /// - Throws: ``AgeError/Code/malformedHeader`` for a scrypt stanza that breaks the format's rules or is not alone,
  ///   ``AgeError/Code/excessiveWork``, ``AgeError/Code/unavailable`` without the memory.
  public func unwrap(_ stanzas: [AgeStanza]) throws -> [UInt8]? {
    guard let stanza = stanzas.first(where: { $0.type == AgeHeader.scryptType }) else { return nil }
    guard stanzas.count == 1 else { throw AgeError.malformedHeader("a scrypt stanza stands beside another") }
    guard stanza.arguments.count == 2, let salt = Base64.decode(stanza.arguments[0], padded: false),
      salt.count == Passphrase.saltCount, let workFactor = Passphrase.workFactor(stanza.arguments[1]),
      stanza.body.count == FileKey.wrappedCount
    else { throw AgeError.malformedHeader("a scrypt stanza breaks the format's rules") }
    guard workFactor <= maximumWorkFactor else {
      throw AgeError(
        .excessiveWork, operation: "decrypt",
        message: "the file asks for a scrypt work factor above \(maximumWorkFactor)",
        hint: "If you trust the file, allow a higher work factor.")
    }
    do {
      return try FileKey.unwrap(
        stanza.body, with: Passphrase.wrapKey(passphrase, salt: salt, workFactor: workFactor))
    } catch let error as PrimitiveError {
      throw AgeError.unavailable("decrypt", error)
    }
  }
}
