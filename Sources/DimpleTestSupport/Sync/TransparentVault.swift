internal import DimplePrimitives
public import DimpleRemote

/// A vault that hides nothing: for tests of sync that do not test secrecy.
///
/// Signatures are hashes that anybody can make; they find accidents, not forgers. Nothing is stored on the remote.
public struct TransparentVault: Vault, VaultProvider {
  /// The same for all, unless set.
  public var id = "transparent"
  /// None.
  public let objectExtension = ""

  private let seed: UInt64?

  /// - Parameters:
  ///   - seed: Makes the signing key the same in every run; random without. One for each replica.
  ///   - id: Tells several vaults apart.
  public init(seed: UInt64? = nil, id: String = "transparent") {
    self.seed = seed
    self.id = id
  }

  /// Itself.
  public func openVault(on storage: any ObjectStorage) async throws -> any Vault { self }
  /// The bytes as they are.
  public func seal(_ plaintext: [UInt8]) throws -> [UInt8] { plaintext }
  /// The bytes as they are.
  public func open(_ sealed: [UInt8]) throws -> [UInt8] { sealed }

  /// Hexadecimal.
  public func sealName(_ record: [UInt8]) throws -> String {
    record.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  /// From hexadecimal.
  public func openName(_ name: String) -> [UInt8]? {
    let digits = Array(name.utf8)
    guard digits.count.isMultiple(of: 2) else { return nil }
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let byte = UInt8(String(decoding: digits[index..<index + 2], as: UTF8.self), radix: 16) else { return nil }
      bytes.append(byte)
    }
    return bytes
  }

  /// SHA-256.
  public func hash(_ bytes: [UInt8]) -> [UInt8] { SHA256.hash(bytes) }

  /// 32 bytes, by the seed.
  public func makeSigningKey() throws -> [UInt8] {
    var random = SeededRandom(seed: seed ?? UInt64.random(in: 0...UInt64.max))
    return (0..<32).map { _ in UInt8(random.below(256)) }
  }

  /// A hash of the key.
  public func publicKey(of signingKey: [UInt8]) throws -> [UInt8] { SHA256.hash(signingKey) }

  /// A hash of public key and message.
  public func sign(_ message: [UInt8], with signingKey: [UInt8]) throws -> [UInt8] {
    signature(of: message, by: try publicKey(of: signingKey))
  }

  /// Whether it is that hash.
  public func verify(_ signature: [UInt8], of message: [UInt8], by publicKey: [UInt8]) -> Bool {
    signature == self.signature(of: message, by: publicKey)
  }

  private func signature(of message: [UInt8], by publicKey: [UInt8]) -> [UInt8] {
    let half = SHA256.hash(publicKey + message)
    return half + half
  }
}
