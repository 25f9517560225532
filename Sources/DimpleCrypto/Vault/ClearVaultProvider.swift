public import DimpleRemote

/// Opens or founds a vault without encryption: see ``ClearVault`` for what that means.
public struct ClearVaultProvider: VaultProvider {
  /// Takes no key.
  public init() {}

  /// Opens the vault of `storage`, or founds one on an empty remote. The result is a ``ClearVault``.
  ///
  /// - Throws: As the protocol says: `RemoteError.Code.encrypted` for an encrypted vault, one whose founding was cut off included.
  public func openVault(on storage: any ObjectStorage) async throws -> any Vault {
    if let manifest = try await VaultManifest.read(from: storage) {
      try manifest.require(.none, on: storage)
      return ClearVault(id: manifest.vault)
    }
    guard try await storage.list(prefix: VaultKeySlots.prefix, after: nil).objects.isEmpty else {
      throw VaultManifest.encrypted(storage)
    }
    let id = try VaultManifest.randomID()
    let manifest = try await VaultManifest(vault: id, encryption: .none).settle(on: storage)
    try manifest.require(.none, on: storage)
    return ClearVault(id: manifest.vault)
  }
}
