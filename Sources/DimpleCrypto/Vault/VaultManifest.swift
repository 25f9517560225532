internal import DimplePrimitives
internal import DimpleRemote

#if canImport(FoundationEssentials)
  internal import FoundationEssentials
#else
  internal import Foundation
#endif

/// The remote's `dimple.json`, which anyone may read: `{"format":1,"vault":"<id>","encryption":"age"}`.
///
/// Written once, when the vault is founded, and after its key: whoever finds it may count on the key.
struct VaultManifest: Codable, Equatable {
  static let key = "dimple.json"
  static let currentFormat = 1
  private static let maximumSize = 64 * 1024

  enum Encryption: String {
    case age
    case none
  }

  let format: Int
  let vault: String
  let encryption: String

  init(vault: String, encryption: Encryption) {
    format = Self.currentFormat
    self.vault = vault
    self.encryption = encryption.rawValue
  }

  /// The manifest of `storage`, or `nil` where no vault was founded.
  ///
  /// - Parameter expected: What the reader takes the vault for: what helps against damage depends on it.
  static func read(
    from storage: any ObjectStorage, expecting expected: Encryption
  ) async throws -> VaultManifest? {
    let bytes: [UInt8]
    do {
      bytes = try await storage.get(key, maximumSize: maximumSize)
    } catch let error as RemoteError where error.code == .notFound {
      return nil
    } catch let error as RemoteError where error.code == .tooLarge {
      throw damaged("It is far too long.", expected, error)
    }
    return try parse(bytes, expecting: expected)
  }

  static func parse(_ bytes: [UInt8], expecting expected: Encryption) throws -> VaultManifest {
    struct Format: Decodable { let format: Int }
    do {
      let format = try JSONDecoder().decode(Format.self, from: Data(bytes)).format
      guard format <= currentFormat else { throw unsupported("Format \(format)") }
      let manifest = try JSONDecoder().decode(VaultManifest.self, from: Data(bytes))
      guard format > 0, !manifest.vault.isEmpty else { throw damaged("A field has no sense.", expected, nil) }
      guard Encryption(rawValue: manifest.encryption) != nil else { throw unsupported("Its encryption") }
      return manifest
    } catch let error as DecodingError {
      throw damaged("It is not the JSON expected.", expected, error)
    }
  }

  /// Founds: stores this manifest unless one is there, and returns the one that then is.
  func settle(on storage: any ObjectStorage, as expected: Encryption) async throws -> VaultManifest {
    do {
      try await storage.put(Self.key, bytes, condition: .ifAbsent)
    } catch let error as RemoteError where error.code == .preconditionFailed {
      // Another device was faster; its manifest is read below.
    }
    // Where the condition is not honoured, the later of two founders has overwritten the other's.
    return try await Self.read(from: storage, expecting: expected) ?? self
  }

  /// - Throws: `RemoteError.Code.encrypted` or `RemoteError.Code.notEncrypted` when the remote is not as `expected`.
  func require(_ expected: Encryption, on storage: any ObjectStorage) throws {
    guard encryption != expected.rawValue else { return }
    switch expected {
    case .age:
      throw RemoteError(
        .notEncrypted, operation: "open the vault",
        message: "The remote \(storage.description) holds a vault without encryption.",
        hint: "Open it without a passphrase, or choose an empty remote and sync to that.")
    case .none: throw Self.encrypted(storage)
    }
  }

  static func encrypted(_ storage: any ObjectStorage) -> RemoteError {
    RemoteError(
      .encrypted, operation: "open the vault", message: "The remote \(storage.description) holds an encrypted vault.",
      hint: "Give its passphrase.")
  }

  var bytes: [UInt8] {
    Array(#"{"format":\#(format),"vault":"\#(vault)","encryption":"\#(encryption)"}"#.utf8) + [UInt8(ascii: "\n")]
  }

  /// 128 random bits in hex.
  static func randomID() throws -> String {
    do {
      return Hex.encode(try SecureRandom.bytes(16))
    } catch {
      throw AgeError.unavailable("found a vault", error)
    }
  }

  private static func damaged(
    _ message: String, _ expected: Encryption, _ underlying: (any Error)?
  ) -> RemoteError {
    let hint =
      switch expected {
      // It says nothing that the vault's key does not.
      case .age: "Restore the object, or remove it: it is written again when the vault is opened."
      // The id is in it and nowhere else: another one would make every device take the vault for a new one.
      case .none: "Restore the object from a backup. Do not remove it: another vault would take the place of this one."
      }
    return RemoteError(.damaged, operation: "read \(key)", message: message, hint: hint, underlying: underlying)
  }

  private static func unsupported(_ what: String) -> RemoteError {
    RemoteError(
      .unsupportedVersion, operation: "read \(key)", message: "\(what) is not known to this version.",
      hint: "Update the app.")
  }
}
