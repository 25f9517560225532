internal import DimpleChangelog
internal import DimpleRemote
internal import DimpleStore

/// Sends once more what a copy of this database sent under a name that both had, where this one has sent something else under
/// the same numbers.
///
/// Readers take in one or the other. This database sends its own again under its new name, and a copy does the same, if it is
/// still there: where this is a backup that took its place, nobody is. So each such pack of the copy's goes out under a name
/// made for it, with the times it had. Whoever has taken it in already learns nothing new.
struct ContestedPacks {
  let session: SyncSession

  private struct Contested {
    var pack: PullPlan.Candidate
    /// The last transaction that both have.
    var end: Int64
    /// The private key of the name.
    var signingKey: [UInt8]
  }

  /// - Parameter listed: Every pack of the vault.
  func run(_ listed: [PullPlan.Candidate], _ report: inout SyncReport) async throws {
    for contested in try await contested(listed) {
      let sent = try await send(contested)
      report.pushedPacks += sent > 0 ? 1 : 0
      report.pushedTransactions += sent
    }
  }

  private func contested(_ listed: [PullPlan.Candidate]) async throws -> [Contested] {
    let (id, changelog) = (session.vault.id, session.changelog)
    return try await session.database.read { connection in
      let former = try changelog.identities(connection).dropLast()
      if former.isEmpty { return [] }
      let table = FormerTable(connection: connection)
      let known = try table.contested(in: id)
      var contested: [Contested] = []
      for identity in former {
        let end = (identity.last ?? 0) - identity.offset
        let beyond = listed.filter { $0.name.replica == identity.replica && $0.name.range.upperBound > end }
        guard beyond.contains(where: { known[$0.key] == true }), let key = try table.signingKey(of: identity.replica)
        else { continue }
        contested += beyond.filter { known[$0.key] == nil }.map { Contested(pack: $0, end: end, signingKey: key) }
      }
      return contested
    }
  }

  /// What cannot be read now may be at the next sync.
  ///
  /// - Returns: How many transactions were sent.
  private func send(_ contested: Contested) async throws -> Int {
    let (session, vault) = (session, session.vault)
    guard case .success(let decoded) = try await PackFetch(session: session).fetch(contested.pack) else { return 0 }
    let key = try vault.makeSigningKey()
    // Signed with another key, it is a forgery.
    let isGenuine = decoded.header.publicKey == (try vault.publicKey(of: contested.signingKey))
    let body = isGenuine ? try body(of: decoded, after: contested.end, signedWith: key) : nil
    var stored: CompactionPlan.StoredPack?
    if let body {
      stored = try await PackPut(session: session).put(
        body, of: session.changelog.makeReplicaID(), signingKey: key)
    }
    let sent = stored?.key
    try await session.write { connection in
      // It is taken in as anybody's.
      if let sent { try OwnPackTable(vault: vault.id, connection: connection).remove(sent) }
      try FormerTable(connection: connection).setSentAgain(contested.pack.key, to: vault.id)
    }
    return body?.range.count ?? 0
  }

  private func body(of decoded: DecodedPack, after end: Int64, signedWith key: [UInt8]) throws -> PackBody? {
    var builder = PackBuilder(before: LogChain.start, signingKey: key)
    var reader = TransactionReader(salts: decoded.header.salts)
    var number: Int64 = 0
    try decoded.forEachLine(from: end + 1) { line, original in
      var transaction = try reader.read(line, number: original)
      number += 1
      transaction.number = number
      builder.append(transaction)
      return true
    }
    return builder.body
  }
}
