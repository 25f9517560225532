internal import DimplePrimitives
public import DimpleRemote

/// A vault whose objects are age files: `age -d -i vault.key object.age` opens each.
///
/// Objects are encrypted to one key, the vault's ``identity``, which the remote keeps wrapped for the passphrase or for the
/// members' recipients; so no object costs a passphrase derivation. A vault founded by two devices at once has two
/// such keys: this reads what either sealed.
public struct AgeVault: Vault {
  /// The key to seal with, then the others, which only open.
  private let keys: [VaultKey]

  /// - Parameter keys: The first seals; never empty.
  init(sealingWith first: VaultKey, alsoOpening others: [VaultKey]) {
    keys = [first] + others
  }

  /// Names the vault; derived from its key, and no secret.
  public var id: String { keys[0].id }

  /// `.age`
  public var objectExtension: String { ".age" }

  /// The vault's key, for the age program: write ``X25519Identity/secretText`` to a file and pass that to `age -d -i`.
  ///
  /// - Warning: Whoever has it reads and writes everything in this vault, for ever, whatever becomes of the passphrase:
  ///   changing a passphrase wraps the same key anew. Keep it where you would keep the data.
  public var identity: X25519Identity { keys[0].identity }

  /// Every key that opens objects of this vault, ``identity`` first; more than one after two devices founded it at once.
  ///
  /// - Warning: As ``identity``.
  public var identities: [X25519Identity] { keys.map(\.identity) }

  /// An age file to the vault's key.
  ///
  /// - Throws: ``AgeError/Code/unavailable``.
  public func seal(_ plaintext: [UInt8]) throws -> [UInt8] {
    try Age.encrypt(plaintext, to: [identity.recipient])
  }

  /// The contents of an age file to one of the vault's keys.
  ///
  /// - Throws: `RemoteError.Code.damaged` for any other bytes.
  public func open(_ sealed: [UInt8]) throws -> [UInt8] {
    do {
      return try Age.decrypt(sealed, with: identities)
    } catch let error as AgeError where error.code != .unavailable {
      throw RemoteError(
        .damaged, operation: "open an object", message: "The object cannot be opened: \(error.message).",
        hint: "It was altered, cut short, or belongs to another vault.", underlying: error)
    }
  }

  /// Deterministic authenticated encryption of a record of at most 128 bytes, in base 32.
  ///
  /// - Throws: `RemoteError.Code.invalidKey` for a longer record.
  public func sealName(_ record: [UInt8]) throws -> String {
    guard record.count <= VaultKey.maximumRecordCount else { throw RemoteError.recordTooLong(record.count) }
    return keys[0].sealName(record)
  }

  /// The record of a name sealed under any of the vault's keys.
  public func openName(_ name: String) -> [UInt8]? {
    guard let sealed = Base32.decode(name) else { return nil }
    return keys.lazy.compactMap { $0.openName(sealed) }.first
  }

  /// HMAC-SHA-256 under a key derived from the vault's.
  public func hash(_ bytes: [UInt8]) -> [UInt8] { keys[0].hash(bytes) }

  /// Whether any of the vault's keys gives this hash, or one of which this is the first 16 bytes or more: the object may have
  /// been sealed under another key than ``hash(_:)`` uses.
  public func isHash(_ hash: [UInt8], of bytes: [UInt8]) -> Bool {
    hash.count >= 16 && keys.contains { ConstantTime.areEqual(Array($0.hash(bytes).prefix(hash.count)), hash) }
  }

  /// Whether `id` is derived from any of the vault's keys.
  public func hasID(_ id: String) -> Bool { keys.contains { $0.id == id } }

  /// See `Vault`.
  public func makeSigningKey() throws -> [UInt8] { try ReplicaSignature.makeKey() }

  /// See `Vault`.
  public func publicKey(of signingKey: [UInt8]) throws -> [UInt8] { try ReplicaSignature.publicKey(of: signingKey) }

  /// See `Vault`.
  public func sign(_ message: [UInt8], with signingKey: [UInt8]) throws -> [UInt8] {
    try ReplicaSignature.sign(message, with: signingKey)
  }

  /// See `Vault`.
  public func verify(_ signature: [UInt8], of message: [UInt8], by publicKey: [UInt8]) -> Bool {
    Ed25519.verify(signature, of: message, publicKey: publicKey)
  }
}

extension RemoteError {
  static func recordTooLong(_ count: Int) -> RemoteError {
    RemoteError(
      .invalidKey, operation: "seal a name",
      message: "A record of \(count) bytes is longer than \(VaultKey.maximumRecordCount).",
      hint: "File names must stay below 255 characters.")
  }
}
