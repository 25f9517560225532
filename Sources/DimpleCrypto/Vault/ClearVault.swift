internal import DimplePrimitives
public import DimpleRemote

/// A vault without encryption: objects as they are, names that anyone can read. For remotes one trusts, and for looking
/// inside while developing.
///
/// It protects against accidents (a changed byte changes the hash), not against anyone who means it.
public struct ClearVault: Vault {
  /// Random, from the remote's `dimple.json`.
  public let id: String

  init(id: String) { self.id = id }

  /// Empty.
  public var objectExtension: String { "" }

  /// `plaintext` itself.
  public func seal(_ plaintext: [UInt8]) throws -> [UInt8] { plaintext }

  /// `sealed` itself.
  public func open(_ sealed: [UInt8]) throws -> [UInt8] { sealed }

  /// The record in base 32.
  ///
  /// - Throws: `RemoteError.Code.invalidKey` for a record of more than 128 bytes, as the encrypted vault does.
  public func sealName(_ record: [UInt8]) throws -> String {
    guard record.count <= VaultKey.maximumRecordCount else { throw RemoteError.recordTooLong(record.count) }
    return Base32.encode(record)
  }

  /// The record of any name in base 32.
  public func openName(_ name: String) -> [UInt8]? { name.isEmpty ? nil : Base32.decode(name) }

  /// SHA-256.
  public func hash(_ bytes: [UInt8]) -> [UInt8] { SHA256.hash(bytes) }

  /// Always: without a key nothing tells one vault from another, and two devices that founded it at once on a remote
  /// without conditional puts have seen different ids.
  public func hasID(_ id: String) -> Bool { true }

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
