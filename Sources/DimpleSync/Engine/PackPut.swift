internal import DimpleRemote
internal import DimpleStore

/// Signs, folds, seals and puts one pack.
struct PackPut {
  let session: SyncSession

  /// - Parameter attempt: The last local transaction in it, where it may be in a put for the first time.
  /// - Returns: The object, as a listing will name it.
  func put(_ pack: Pack, signingKey: [UInt8], attempt: Int64? = nil) async throws -> CompactionPlan.StoredPack {
    let (session, vault) = (session, session.vault)
    let lines = try PackEncoder.encode(pack, vault: vault, signingKey: signingKey)
    let name = PackName(replica: pack.header.replica, range: pack.header.range, contentHash: vault.hash(lines))
    let key = PackName.prefix + (try vault.sealName(name.record)) + vault.objectExtension
    let sealed = try vault.seal(Gzip.compress(lines))
    // First: whatever becomes of the put, the pack will be known as an own one, and its changes as possibly seen.
    try await session.database.write { connection in
      try connection.withInternalAccess {
        try OwnPackTable(vault: vault.id, connection: connection).insert(key, pack.header)
        if let attempt { try session.noteAttempt(upTo: attempt, connection) }
      }
    }
    try await session.storage.put(key, sealed)
    return CompactionPlan.StoredPack(key: key, name: name, size: sealed.count)
  }
}
