internal import DimpleChangelog
internal import DimpleRemote
internal import DimpleStore

/// Gets the parts of large values that packs refer to, before the merge needs them: one at a time, into a table of its own,
/// so that a pull that is cut off goes on where it was.
struct PartFetch {
  let session: SyncSession

  struct Outcome {
    var fetched = 0
    /// Parts that could not be had.
    var missing: [SkippedObject] = []
    /// Their hashes.
    var unavailable: Set<[UInt8]> = []
  }

  /// Gets those that are not here yet.
  func run(_ hashes: Set<[UInt8]>) async throws -> Outcome {
    var outcome = Outcome()
    for hash in hashes.sorted(by: { $0.lexicographicallyPrecedes($1) }) { try await fetch(hash, &outcome) }
    return outcome
  }

  private func fetch(_ hash: [UInt8], _ outcome: inout Outcome) async throws {
    if try await session.database.read({ try PartTable(connection: $0).contains(hash) }) { return }
    let parts = PartStorage(session: session)
    switch try await parts.get(hash) {
    case .failure(let error):
      outcome.missing.append(SkippedObject(key: try parts.key(of: hash), error: error))
      outcome.unavailable.insert(hash)
    case .success(let bytes):
      let id = session.vault.id
      try await session.write { connection in
        let table = PartTable(connection: connection)
        try table.insert(hash, bytes)
        try table.setKnown(hash, in: id)
      }
      outcome.fetched += 1
    }
  }
}
