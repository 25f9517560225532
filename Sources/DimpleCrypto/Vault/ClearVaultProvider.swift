public import DimpleRemote

/// Opens or founds a vault without encryption: see ``ClearVault`` for what that means.
public struct ClearVaultProvider: VaultProvider {
  /// Takes no key.
  public init() {}

  /// Opens the vault of `storage`, or founds one on an empty remote. The result is a ``ClearVault``.
  ///
  /// - Throws: As the protocol says: `RemoteError.Code.encrypted` for an encrypted vault, one whose founding was cut off included.
  public func openVault(on storage: any ObjectStorage) async throws -> any Vault {
    if let manifest = try await VaultManifest.read(from: storage, expecting: .none) {
      try manifest.require(.none, on: storage)
      return ClearVault(id: manifest.vault)
    }
    guard try await !hasKeys(storage) else { throw VaultManifest.encrypted(storage) }
    let id = try VaultManifest.randomID()
    let manifest = try await VaultManifest(vault: id, encryption: .none).settle(on: storage, as: .none)
    try manifest.require(.none, on: storage)
    // Another device may have founded with encryption meanwhile, and lost its manifest to this one. Its key remains, from
    // which its next opening makes the manifest anew.
    guard try await !hasKeys(storage) else {
      try await storage.delete(VaultManifest.key)
      throw VaultManifest.encrypted(storage)
    }
    return ClearVault(id: manifest.vault)
  }

  private func hasKeys(_ storage: any ObjectStorage) async throws -> Bool {
    try await !storage.list(prefix: VaultKeySlots.prefix, after: nil).objects.isEmpty
  }
}
