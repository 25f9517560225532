public import DimpleChangelog
internal import DimpleRemote
internal import DimpleStore

/// The object of a vault that shows who made a change: signed by its author, part of the author's chain of transactions.
public struct ChangeProof: Sendable, Hashable {
  /// The object's key in the storage.
  public var key: String
  /// The author.
  public var replica: ReplicaID
  /// The fingerprint of the key that signed it, which is the one that was seen first: ``KnownReplica/keyFingerprint``.
  public var keyFingerprint: String
  /// The number of the author's transaction that has the change.
  public var transaction: Int64
  /// The row's table.
  public var table: String
}

extension SyncEngine {
  /// Looks in the vault for the signed object that has a change, and checks it anew: contents, signature, key, chain.
  ///
  /// Costs a listing and a get per pack of the author, the newest first, until it is found.
  ///
  /// - Parameter stamp: The change's, as ``RowAuthors`` or the history has it.
  /// - Returns: `nil` where no object that can be trusted has such a change: it was not sent yet, or it is gone.
  /// - Throws: `RemoteError`, `StoreError`, ``SyncError``, `CancellationError`.
  public func proof(of stamp: Stamp) async throws -> ChangeProof? {
    let session = try await openSession()
    let packs = try await VaultListing(session: session).run().candidates.filter { $0.name.replica == stamp.replica }
      .sorted { ($1.name.range.upperBound, $1.key) < ($0.name.range.upperBound, $0.key) }
    let pinned = try await session.publicKey(of: stamp.replica)
    for pack in packs {
      guard case .success(let decoded) = try await PackFetch(session: session).fetch(pack),
        decoded.header.publicKey == pinned ?? decoded.header.publicKey
      else { continue }
      var proof: ChangeProof?
      try decoded.forEachTransaction { transaction in
        guard let change = transaction.changes.first(where: { $0.time == stamp.time }) else { return true }
        proof = ChangeProof(
          key: pack.key, replica: stamp.replica,
          keyFingerprint: KnownReplica.fingerprint(ofKey: decoded.header.publicKey),
          transaction: transaction.number, table: change.table)
        return false
      }
      if let proof { return proof }
    }
    return nil
  }
}

extension SyncSession {
  /// The key that a replica's packs must be signed with; `nil` where none was seen.
  func publicKey(of replica: ReplicaID) async throws -> [UInt8]? {
    try await database.read { try ReplicaTable($0).publicKey(of: replica, $0) }
  }
}
