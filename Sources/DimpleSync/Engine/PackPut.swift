internal import DimpleRemote

/// Signs, folds, seals and puts one pack.
struct PackPut {
  let session: SyncSession

  /// - Returns: The object, as a listing will name it.
  func put(_ pack: Pack, signingKey: [UInt8]) async throws -> CompactionPlan.StoredPack {
    let vault = session.vault
    let lines = try PackEncoder.encode(pack, vault: vault, signingKey: signingKey)
    let name = PackName(replica: pack.header.replica, range: pack.header.range, contentHash: vault.hash(lines))
    let key = PackName.prefix + (try vault.sealName(name.record)) + vault.objectExtension
    let sealed = try vault.seal(Gzip.compress(lines))
    try await session.storage.put(key, sealed)
    return CompactionPlan.StoredPack(key: key, name: name, size: sealed.count)
  }
}
