/// Secrecy and authenticity of a remote, without saying how: sync hands bytes in and takes bytes out.
///
/// An opened vault holds its keys in memory and does no I/O; all methods are safe to call from any thread.
public protocol Vault: Sendable {
  /// Identifies the vault: the same on every device that opened it, different for every other vault. Not secret.
  var id: String { get }

  /// The file name ending of sealed objects, dot included: `.age`, or empty without encryption.
  var objectExtension: String { get }

  /// Encrypts and authenticates. Sealing the same bytes twice gives different results.
  func seal(_ plaintext: [UInt8]) throws -> [UInt8]

  /// The reverse of ``seal(_:)``.
  ///
  /// - Throws: ``RemoteError/Code/damaged`` for anything this vault did not seal: altered, cut short, another vault's.
  func open(_ sealed: [UInt8]) throws -> [UInt8]

  /// Turns a short record into a file name of `[a-z0-9]` (no extension) that reveals nothing but its length.
  ///
  /// Deterministic: the same record always gives the same name, so that a put can be repeated.
  func sealName(_ record: [UInt8]) throws -> String

  /// The reverse of ``sealName(_:)``; `nil` for a name this vault did not make.
  func openName(_ name: String) -> [UInt8]?

  /// A 32-byte hash that only holders of the vault's key can compute: HMAC-SHA-256, or SHA-256 without encryption.
  func hash(_ bytes: [UInt8]) -> [UInt8]

  /// Whether `hash` is what ``hash(_:)`` gives for `bytes`, here or on another device of this vault: all of it, or its first
  /// 16 bytes or more.
  ///
  /// Ask this of foreign objects instead of comparing: a vault that two devices founded at once has two keys.
  func isHash(_ hash: [UInt8], of bytes: [UInt8]) -> Bool

  /// Whether `id` is this vault's ``id``, here or on another device: after founding at once they may differ.
  func hasID(_ id: String) -> Bool

  /// A new private signing key (Ed25519 seed, 32 bytes) for one replica.
  func makeSigningKey() throws -> [UInt8]

  /// The public half of a signing key (32 bytes).
  func publicKey(of signingKey: [UInt8]) throws -> [UInt8]

  /// An Ed25519 signature (RFC 8032, 64 bytes).
  func sign(_ message: [UInt8], with signingKey: [UInt8]) throws -> [UInt8]

  /// Whether `signature` over `message` was made by the holder of `publicKey`'s private half.
  func verify(_ signature: [UInt8], of message: [UInt8], by publicKey: [UInt8]) -> Bool
}

extension Vault {
  /// Compares with ``hash(_:)``; for vaults of one key.
  public func isHash(_ hash: [UInt8], of bytes: [UInt8]) -> Bool {
    hash.count >= 16 && self.hash(bytes).starts(with: hash)
  }

  /// Compares with ``id``; for vaults of one key.
  public func hasID(_ id: String) -> Bool { id == self.id }
}

/// Finds or founds the vault on a remote: what an app chooses when it chooses its encryption.
public protocol VaultProvider: Sendable {
  /// Opens the vault of `storage`, founding one where there is none.
  ///
  /// Costs a few requests and one passphrase derivation; callers keep the result. Two devices founding at once end with
  /// vaults that read each other's objects.
  ///
  /// - Throws: ``RemoteError/Code/wrongPassphrase``, ``RemoteError/Code/encrypted``, ``RemoteError/Code/notEncrypted``,
  ///   ``RemoteError/Code/unsupportedVersion``; storage errors as they are. Nothing is written unless founding.
  func openVault(on storage: any ObjectStorage) async throws -> any Vault
}
