internal import DimpleChangelog
internal import DimpleRemote
internal import DimpleStore

/// Sends once more what copies of this database sent under a name that they had in common, where something else was sent under
/// the same numbers: by this one, or by two of them.
///
/// Readers take in one or the other. This database sends its own again under its new name, and a copy does the same, if it is
/// still there: where this is a backup that took its place, nobody is. So each such pack of a copy's goes out under a name
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
    let (names, known) = try await session.database.read { connection in
      let table = FormerTable(connection: connection)
      let identities = try changelog.identities(connection).dropLast()
      // A name of which this database has nothing left is no identity of the log's any more.
      let names = try table.signingKeys().map { replica, key in
        let identity = identities.first { $0.replica == replica }
        return (replica: replica, end: identity.map { ($0.last ?? 0) - $0.offset } ?? 0, key: key)
      }
      return (names, names.isEmpty ? [:] : try table.contested(in: id))
    }
    var contested: [Contested] = []
    for name in names {
      let beyond = listed.filter { $0.name.replica == name.replica && $0.name.range.upperBound > name.end }
      let others = beyond.filter { known[$0.key] == nil }
      if others.isEmpty { continue }
      let ownIsThere = beyond.contains { known[$0.key] == true }
      if !ownIsThere, try await !contradictEachOther(beyond) { continue }
      contested += others.map { Contested(pack: $0, end: name.end, signingKey: name.key) }
    }
    return contested
  }

  /// Whether packs of one name differ where they overlap: as where the database was restored twice, and two of its former selves
  /// are lost. Those of a copy that lives on overlap only until it has removed what it joined. Read once, as long as the vault
  /// is open.
  private func contradictEachOther(_ packs: [PullPlan.Candidate]) async throws -> Bool {
    let overlapping = Self.overlapping(packs)
    if overlapping.allSatisfy({ session.agreeing.contains($0.key) }) { return false }
    var log = VaultLog()
    log.setBorders(overlapping.flatMap { [$0.name.range.lowerBound, $0.name.range.upperBound.saturatingSuccessor] })
    for pack in overlapping.sorted(by: { $0.key < $1.key }) {
      guard case .success(let decoded) = try await PackFetch(session: session).fetch(pack) else { return false }
      guard log.agrees(with: decoded) else { return true }
    }
    for pack in overlapping { session.agreeing.insert(pack.key) }
    return false
  }

  private static func overlapping(_ packs: [PullPlan.Candidate]) -> Set<PullPlan.Candidate> {
    var overlapping: Set<PullPlan.Candidate> = []
    // Of those so far, the one that goes furthest.
    var furthest: PullPlan.Candidate?
    for pack in packs.sorted(by: { ($0.name.range.lowerBound, $0.key) < ($1.name.range.lowerBound, $1.key) }) {
      if let furthest, furthest.name.range.overlaps(pack.name.range) { overlapping.formUnion([furthest, pack]) }
      if furthest.map({ $0.name.range.upperBound < pack.name.range.upperBound }) ?? true { furthest = pack }
    }
    return overlapping
  }

  /// What cannot be read now may be at the next sync.
  ///
  /// - Returns: How many transactions were sent.
  private func send(_ contested: Contested) async throws -> Int {
    let (session, vault) = (session, session.vault)
    let key = try vault.makeSigningKey()
    let body: PackBody?
    do {
      let decoded = try await PackFetch(session: session).fetch(contested.pack).get()
      // Signed with another key, it is a forgery.
      let isGenuine = decoded.header.publicKey == (try vault.publicKey(of: contested.signingKey))
      body = isGenuine ? try self.body(of: decoded, after: contested.end, signedWith: key) : nil
    } catch is SyncError { return 0 }
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
