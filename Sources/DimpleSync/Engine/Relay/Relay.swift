internal import DimpleChangelog
internal import DimpleRemote
internal import DimpleStore

/// Carries packs of others from vault to vault, as they are: a database that syncs with two makes each whole, also where
/// the vaults' other members never meet. docs/SYNC_ENGINE.md has the idea.
struct Relay {
  let session: SyncSession

  private var vault: any Vault { session.vault }

  /// Takes note of what the vault has.
  ///
  /// - Returns: What to take along for other vaults; `nil` where there are none.
  func plan(_ listed: [PullPlan.Candidate], isPartial: Bool) async throws -> RelayPlan? {
    let (id, options, own) = (vault.id, session.options, session.changelog.replicaID)
    let leavesOut = options.leavesOutKeys
    let vaults = try await session.database.read { try RelayTable(connection: $0).vaults() }
    let mine = vaults.first { $0.id == id }
    guard options.relays else {
      if mine != nil { try await write { try $0.forget(id) } }
      return nil
    }
    if mine == nil || mine?.leavesOut != leavesOut { try await write { try $0.register(id, leavesOut: leavesOut) } }
    // A database of one vault has nothing to carry, and no need to know.
    guard vaults.contains(where: { $0.id != id }) else { return nil }
    var known = try await covered(listed, before: isPartial ? [:] : mine?.listed ?? [:])
    if isPartial, let mine { known.formUnion(mine.listed) }
    let covered = known
    try await write { table in
      try table.setListed(covered, in: id)
      try table.clean()
    }
    return try await session.database.read { connection in
      let table = RelayTable(connection: connection)
      let spool = try table.spooled()
      return RelayPlan(
        others: try table.vaults().filter { $0.id != id && $0.isListed }, spooled: spool.covered,
        room: Int64(options.maximumSpoolSize) - spool.size, own: own)
    }
  }

  /// What the vault has, in packs or in its newest snapshot.
  ///
  /// - Parameter before: At the last listing. Where packs are gone since then, a snapshot may be the reason.
  private func covered(
    _ listed: [PullPlan.Candidate], before: [ReplicaID: RangeSet64]
  ) async throws -> [ReplicaID: RangeSet64] {
    var covered: [ReplicaID: RangeSet64] = [:]
    for pack in listed.sorted(by: { $0.name.range.lowerBound < $1.name.range.lowerBound }) {
      covered[pack.name.replica, default: RangeSet64()].insert(pack.name.range)
    }
    let id = vault.id
    covered.formUnion(try await session.database.read { try SnapshotTable(vault: id, connection: $0).known() }.vector)
    guard !before.subtracting(covered).isEmpty else { return covered }
    let objects = SnapshotObjects(session: session)
    for candidate in try await objects.list().candidates {
      guard let manifest = try await objects.usableManifest(candidate.manifest) else { continue }
      covered.formUnion(manifest.vector)
      // One from the future is nothing to go by: it is others' turn to write one.
      if manifest.latest > session.latestTime { continue }
      try await session.write { try SnapshotTable(vault: id, connection: $0).remember(.init(manifest)) }
      break
    }
    return covered
  }

  /// Puts what others' vaults gave and this one lacks: the parts of large values, then the pack that refers to them.
  func run(_ report: inout SyncReport) async throws {
    guard session.options.relays else { return }
    let id = vault.id
    var parts = RelayParts(session: session)
    // Packs of which a part cannot be had: they hold up no other.
    var waiting: Set<RelayTable.Span> = []
    // Packs that cannot be read here: neither do they.
    var unreadable: Set<RelayTable.Span> = []
    while let spooled = try await next(besides: waiting.union(unreadable)) {
      guard let pack = try await open(spooled, &report) else {
        unreadable.insert(spooled.span)
        continue
      }
      let (span, header) = (pack.span, pack.header)
      let isMeant = isMeant(header)
      if isMeant {
        guard try await parts.put(pack, &report) else {
          waiting.insert(span)
          continue
        }
        try await put(pack)
        report.relayedPacks += 1
      }
      try await write { table in
        try table.cover(span.range, of: span.replica, in: id, isListed: isMeant)
        try table.clean()
        if isMeant { try noteSeen(header, table.connection) }
      }
    }
    report.waitingPacks = waiting.count
    report.spooledBytes = try await session.database.read { try RelayTable(connection: $0).spooled().size }
  }

  /// - Returns: `nil` for a pack that cannot be read. A damaged one is asked for again of the vault that it is from.
  private func open(_ spooled: RelayTable.Spooled, _ report: inout SyncReport) async throws -> CarriedPack? {
    do {
      return try CarriedPack(spooled, to: vault, maximumSize: session.options.maximumObjectSize)
    } catch let error as SyncError {
      report.skipped.append(SkippedObject(key: spooled.span.description, error: error))
      if error.code == .damagedObject { try await write { try $0.unspool(spooled.span) } }
      return nil
    }
  }

  private func next(besides waiting: Set<RelayTable.Span>) async throws -> RelayTable.Spooled? {
    let id = vault.id
    return try await session.database.read { connection in
      let table = RelayTable(connection: connection)
      return try table.vaults().first { $0.id == id }.flatMap { try table.next(for: $0, besides: waiting) }
    }
  }

  /// A table that it shows may have been left out since it was taken along.
  private func isMeant(_ header: PackHeader) -> Bool {
    let leavesOut = session.options.leavesOutKeys
    return !header.salts.contains { leavesOut.contains($0.table.lowercased()) }
  }

  /// What was merged from elsewhere need not be fetched from here.
  private func noteSeen(_ header: PackHeader, _ connection: Connection) throws {
    let table = SeenTable(vault: vault.id, connection: connection)
    var seen = try table.load()
    let run = Seen.Run(range: header.range, chain: header.chain)
    let inFull = try SeenTable.vectorOverAllVaults(connection).subtracting(GapTable.overAllVaults(connection))
    guard inFull[header.replica]?.contains(header.range) == true,
      seen.runs[header.replica, default: []].allSatisfy({ $0.agrees(with: run) })
    else { return }
    seen.insert(run, of: header.replica)
    var replicas = try ReplicaTable(connection)
    try table.save(seen, of: header.replica, &replicas)
  }

  private func put(_ pack: CarriedPack) async throws {
    let (contents, folded) = try pack.folded()
    let name = PackName(
      replica: pack.span.replica, range: pack.span.range, contentHash: vault.hash(contents))
    let key = PackName.prefix + (try vault.sealName(name.record)) + vault.objectExtension
    try await session.storage.put(key, vault.seal(folded))
  }

  private func write(_ body: @escaping @Sendable (RelayTable) throws -> Void) async throws {
    try await session.write { try body(RelayTable(connection: $0)) }
  }
}
