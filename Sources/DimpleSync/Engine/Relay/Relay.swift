internal import DimpleChangelog
internal import DimplePrimitives
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
  func plan(_ listed: [PullPlan.Candidate]) async throws -> RelayPlan? {
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
    let covered = try await covered(listed, before: mine?.listed ?? [:])
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
      let manifest: SnapshotManifest
      do { manifest = try await objects.manifest(candidate.manifest) } catch is SyncError { continue }
      covered.formUnion(manifest.vector)
      try await session.database.write { connection in
        try connection.withInternalAccess {
          try SnapshotTable(vault: id, connection: connection)
            .remember(.init(vector: manifest.vector, size: manifest.size))
        }
      }
      break
    }
    return covered
  }

  /// Puts what others' vaults gave and this one lacks.
  func run(_ report: inout SyncReport) async throws {
    guard session.options.relays else { return }
    let id = vault.id
    while let pack = try await next() {
      let header = try await put(pack)
      try await write { table in
        try table.cover(pack.range, of: pack.replica, in: id)
        try table.clean()
        try noteSeen(header, table.connection)
      }
      report.relayedPacks += 1
    }
    report.spooledBytes = try await session.database.read { try RelayTable(connection: $0).spooled().size }
  }

  private func next() async throws -> RelayTable.Spooled? {
    let id = vault.id
    return try await session.database.read { connection in
      let table = RelayTable(connection: connection)
      return try table.vaults().first { $0.id == id }.flatMap { try table.next(for: $0) }
    }
  }

  /// What was merged from elsewhere need not be fetched from here.
  private func noteSeen(_ header: PackHeader, _ connection: Connection) throws {
    let table = SeenTable(vault: vault.id, connection: connection)
    var seen = try table.load()
    let run = Seen.Run(range: header.range, chain: header.chain)
    guard try SeenTable.vectorOverAllVaults(connection)[header.replica]?.contains(header.range) == true,
      seen.runs[header.replica, default: []].allSatisfy({ $0.agrees(with: run) })
    else { return }
    seen.insert(run, of: header.replica)
    var replicas = try ReplicaTable(connection)
    try table.save(seen, of: header.replica, &replicas)
  }

  private func put(_ pack: RelayTable.Spooled) async throws -> PackHeader {
    let lines = FoldedLines(folded: pack.pack, maximumSize: session.options.maximumObjectSize)
    var contents = SHA256()
    var header: PackHeader?
    let folded = try GzipWriter.write { writer in
      contents = SHA256()
      var isFirst = true
      try lines.forEach { line in
        var bytes = isFirst ? try PackHeaderCodec.readdressed(line, to: vault.id)[...] : line
        if isFirst { header = try PackHeaderCodec.read(bytes, vault: vault) }
        isFirst = false
        bytes.append(UInt8(ascii: "\n"))
        contents.update(bytes)
        try writer.append(bytes)
        return true
      }
    }
    let name = PackName(replica: pack.replica, range: pack.range, contentHash: vault.hash(contents.finalize()))
    let key = PackName.prefix + (try vault.sealName(name.record)) + vault.objectExtension
    guard let header else { throw PackHeaderCodec.damaged("A pack in the spool is empty.") }
    try await session.storage.put(key, vault.seal(folded))
    return header
  }

  private func write(_ body: @escaping @Sendable (RelayTable) throws -> Void) async throws {
    try await session.database.write { connection in
      try connection.withInternalAccess { try body(RelayTable(connection: connection)) }
    }
  }
}
