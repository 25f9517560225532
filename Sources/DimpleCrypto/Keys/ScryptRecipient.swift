internal import DimplePrimitives

/// Encrypts to a passphrase; opened by a ``ScryptIdentity``.
///
/// The passphrase counts as the bytes given, without Unicode normalisation, as the age program has it: `é` typed as one
/// character and as two are different passphrases.
public struct ScryptRecipient: AgeRecipient, CustomStringConvertible, CustomReflectable {
  /// About a second and 256 MiB of memory on a laptop, as the age program has it.
  public static let defaultWorkFactor = 18

  private let passphrase: [UInt8]
  /// The base-two logarithm of the cost; memory is 1 KiB · 2^workFactor.
  public let workFactor: Int

  /// - Parameters:
  ///   - passphrase: Not empty, please; nothing here judges its strength.
  ///   - workFactor: 1 to 22. Each step doubles the attacker's cost and one's own; below 15 is for tests only.
  public init(passphrase: String, workFactor: Int = defaultWorkFactor) {
    self.passphrase = Array(passphrase.utf8)
    self.workFactor = workFactor
  }

  /// Never the passphrase.
  public var description: String { "ScryptRecipient(workFactor: \(workFactor))" }

  /// Never the passphrase.
  public var customMirror: Mirror { Mirror(self, children: ["workFactor": workFactor]) }

  /// Wraps a file key; costs one scrypt.
  ///
  /// - Throws: ``AgeError/Code/excessiveWork`` for a work factor outside 1 to 22, ``AgeError/Code/unavailable`` without the
  ///   memory.
  public func wrap(fileKey: [UInt8]) throws -> [AgeStanza] {
    guard (1...ScryptIdentity.defaultMaximumWorkFactor).contains(workFactor) else {
      throw AgeError(
        .excessiveWork, operation: "encrypt", message: "a work factor of \(workFactor) is not allowed",
        hint: "Choose one from 15 to 22.")
    }
    do {
      let salt = try SecureRandom.bytes(Passphrase.saltCount)
      let key = try Passphrase.wrapKey(passphrase, salt: salt, workFactor: workFactor)
      let arguments = [Base64.encode(salt, padded: false), String(workFactor)]
      return [
        AgeStanza(type: AgeHeader.scryptType, arguments: arguments, body: try FileKey.wrap(fileKey, with: key))
      ]
    } catch let error as PrimitiveError {
      throw AgeError.unavailable("encrypt", error)
    }
  }
}
