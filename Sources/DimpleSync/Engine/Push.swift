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
      let stored = try await PackPut(session: session).put(next.pack, signingKey: next.signingKey)
      // Only now: a put that failed, or whose answer was lost, is done again, under the same name or one that overlaps.
      try await record(next.pack)
      report.pushedPacks += 1
      report.pushedTransactions += next.pack.transactions.count
      session.progress.advance(
        .pushing, transactions: Int64(next.pack.transactions.count), bytes: Int64(stored.size))
    }
  }

  private struct Next: Sendable {
    var pack: Pack
    var signingKey: [UInt8]
  }

  /// The own transactions after the last one sent, up to a pack's size; `nil` when all are sent.
  private func nextPack() async throws -> Next? {
    let signingKey = try await signingKey()
    let publicKey = try vault.publicKey(of: signingKey)
    let (vaultID, changelog, packSize) = (vault.id, session.changelog, session.options.packSize)
    return try await session.database.read { connection -> Next? in
      let table = SeenTable(vault: vaultID, connection: connection)
      let pushed = try table.pushed()
      var chain = pushed.chain
      var size = 0
      var transactions: [PackTransaction] = []
      try changelog.transactions(connection, after: pushed.last) { local in
        let transaction = PackTransaction(number: local.number, changes: local.changes)
        let line = PackEncoder.line(transaction)
        chain = LogChain.next(chain, line: line)
        transactions.append(transaction)
        size += line.count
        return size < packSize
      }
      guard let first = transactions.first?.number, let last = transactions.last?.number else { return nil }
      let header = PackHeader(
        vault: vaultID, replica: changelog.replicaID, range: first...last,
        chain: PackChain(before: pushed.chain, after: chain), vector: try table.load().vector, publicKey: publicKey)
      return Next(pack: Pack(header: header, transactions: transactions), signingKey: signingKey)
    }
  }

  private func record(_ pack: Pack) async throws {
    let (vaultID, changelog) = (vault.id, session.changelog)
    try await session.database.write { connection in
      try connection.withInternalAccess {
        try SeenTable(vault: vaultID, connection: connection)
          .setPushed(pack.header.range.upperBound, chain: pack.header.chain.after)
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
