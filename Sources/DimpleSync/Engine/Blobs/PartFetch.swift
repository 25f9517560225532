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
  }

  /// - Parameter known: Transactions that are merged already need nothing.
  func run(_ packs: [DecodedPack], known: [ReplicaID: RangeSet64]) async throws -> Outcome {
    var outcome = Outcome()
    var tried: Set<[UInt8]> = []
    for pack in packs {
      let seen = known[pack.pack.header.replica] ?? RangeSet64()
      for transaction in pack.pack.transactions where !seen.contains(transaction.number) {
        for reference in transaction.changes.flatMap(\.bigColumns).map(\.reference) {
          for hash in reference.parts where tried.insert(hash).inserted {
            try await fetch(hash, &outcome)
          }
        }
      }
    }
    return outcome
  }

  private func fetch(_ hash: [UInt8], _ outcome: inout Outcome) async throws {
    if try await session.database.read({ try PartTable(connection: $0).contains(hash) }) { return }
    let parts = PartStorage(session: session)
    switch try await parts.get(hash) {
    case .failure(let error): outcome.missing.append(SkippedObject(key: try parts.key(of: hash), error: error))
    case .success(let bytes):
      let id = session.vault.id
      try await session.database.write { connection in
        try connection.withInternalAccess {
          let table = PartTable(connection: connection)
          try table.insert(hash, bytes)
          try table.setKnown(hash, in: id)
        }
      }
      outcome.fetched += 1
    }
  }
}
