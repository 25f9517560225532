internal import DimpleChangelog
internal import DimpleRemote
internal import DimpleStore

/// The second half of a sync: sends the own transactions that the vault does not have.
struct Push {
  let session: SyncSession

  private var vault: any Vault { session.vault }

  func run(_ report: inout SyncReport) async throws {
    session.progress.plan(.pushing, transactions: try await session.unsent())
    while let next = try await nextPack() {
      session.progress.advance(.pushing)
      let stored = try await PackPut(session: session).put(next.body, signingKey: next.signingKey)
      // Only now: a put that failed, or whose answer was lost, is done again, under the same name or one that overlaps.
      try await record(next.body)
      report.pushedPacks += 1
      report.pushedTransactions += next.body.range.count
      session.progress.advance(.pushing, transactions: Int64(next.body.range.count), bytes: Int64(stored.size))
    }
  }

  private struct Next: Sendable {
    var body: PackBody
    var signingKey: [UInt8]
  }

  /// The own transactions after the last one sent, up to a pack's size; `nil` when all are sent.
  private func nextPack() async throws -> Next? {
    let signingKey = try await signingKey()
    let (vaultID, changelog, packSize) = (vault.id, session.changelog, session.options.packSize)
    let leavesOut = session.options.leavesOutKeys
    return try await session.database.read { connection -> Next? in
      let pushed = try SeenTable(vault: vaultID, connection: connection).pushed()
      var builder = PackBuilder(before: pushed.chain, signingKey: signingKey) {
        !leavesOut.isEmpty && leavesOut.contains($0.lowercased())
      }
      try changelog.transactions(connection, after: pushed.last) { local in
        builder.append(PackTransaction(number: local.number, changes: local.changes))
        return builder.size < packSize
      }
      return builder.body.map { Next(body: $0, signingKey: signingKey) }
    }
  }

  private func record(_ body: PackBody) async throws {
    let (vaultID, changelog) = (vault.id, session.changelog)
    try await session.database.write { connection in
      try connection.withInternalAccess {
        try SeenTable(vault: vaultID, connection: connection)
          .setPushed(body.range.upperBound, chain: body.chain.after)
        try SyncTables.noteNeeded(changelog, connection)
      }
    }
  }

  /// This replica's private key, made at its first push.
  private func signingKey() async throws -> [UInt8] {
    if case .blob(let key) = try await session.database.read({ try SyncSetting.signingKey.get($0) }) { return key }
    let fresh = try vault.makeSigningKey()
    return try await session.database.write { connection in
      // Another process may have been faster.
      if case .blob(let key) = try SyncSetting.signingKey.get(connection) { return key }
      try connection.withInternalAccess { try SyncSetting.signingKey.set(.blob(fresh), connection) }
      return fresh
    }
  }
}
