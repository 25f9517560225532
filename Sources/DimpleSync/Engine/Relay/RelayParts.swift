internal import DimpleChangelog
internal import DimpleRemote
internal import DimpleStore

/// The parts of large values that carried packs refer to. They are not copied: when a pack is put, its parts are read from the
/// rows that have them, one at a time. Only what no row has is kept, as far as the spool has room.
struct RelayParts {
  let session: SyncSession
  /// The keys of the parts in the vault; `nil` before they were needed.
  private var there: Set<String>?

  init(session: SyncSession) { self.session = session }

  // MARK: - At the vault that has them

  /// Sees to it that parts which no row has are here: keeps those that the pull brought, and fetches others if this vault has
  /// the packs that refer to them.
  ///
  /// - Parameter taken: The packs that were put into the spool since the last time.
  func hold(_ taken: [RelayTable.Span], _ report: inout SyncReport) async throws {
    for span in taken { try await note(span) }
    guard try await session.database.read({ try !SpoolPartTable(connection: $0).isEmpty() }) else { return }
    let (limit, vaultID) = (Int64(session.options.maximumSpoolSize), session.vault.id)
    var (room, missing) = try await write { table in
      let parts = SpoolPartTable(connection: table.connection)
      // One has room always: else a spool full of packs would wait for ever.
      let room = max(Int64(BigReference.partSize), limit - (try table.spooled().size - parts.size()))
      try parts.trim(to: room)
      let listed = try table.vaults().first { $0.id == vaultID }?.listed ?? [:]
      let missing = try parts.missing().filter { listed[$0.span.replica]?.contains($0.span.range) == true }
      return (room - (try parts.size()), missing[...])
    }
    var asked: Set<[UInt8]> = []
    while room >= BigReference.partSize, let entry = missing.popFirst() {
      guard asked.insert(entry.hash).inserted else { continue }
      let outcome = try await PartFetch(session: session).run([entry.hash])
      room -= Int64(outcome.fetched * BigReference.partSize)
      report.pulledParts += outcome.fetched
      let known = Set(report.skipped.map(\.key))
      report.skipped += outcome.missing.filter { !known.contains($0.key) }
    }
  }

  /// Notes what a pack refers to and no row has, unless the vaults have it that lack the pack.
  private func note(_ span: RelayTable.Span) async throws {
    let vault = session.vault
    let (spooled, lacking) = try await session.database.read { connection in
      let table = RelayTable(connection: connection)
      return (try table.pack(span), try table.vaults().filter { $0.lacks(span.range, of: span.replica) }.map(\.id))
    }
    guard let spooled else { return }
    let pack = try CarriedPack(spooled, to: vault, maximumSize: session.options.maximumObjectSize)
    if pack.parts.isEmpty { return }
    let session = session
    var needed: [[UInt8]] = []
    for part in pack.parts {
      let isNeeded = try await session.database.read { connection in
        let known = PartTable(connection: connection)
        if try lacking.allSatisfy({ try known.isKnown(part.hash, in: $0) }) { return false }
        return try PartSource(session, connection)?.bytes(ofPart: part.hash, in: part.cells) == nil
      }
      if isNeeded { needed.append(part.hash) }
    }
    let hashes = needed
    try await write { table in
      try Self.noteUses(pack, in: vault.id, table.connection)
      try SpoolPartTable(connection: table.connection).insert(hashes, of: span)
    }
  }

  // MARK: - At the vault that lacks them

  /// Puts the parts that the vault lacks and a pack refers to.
  ///
  /// - Returns: Whether all are there. If not, those that are missing are noted, for the next sync with a vault that has them.
  mutating func put(_ pack: CarriedPack, _ report: inout SyncReport) async throws -> Bool {
    if pack.parts.isEmpty { return true }
    let parts = PartStorage(session: session)
    var there =
      if let there { there } else { Set(try await session.storage.listAll(prefix: PartStorage.prefix).map(\.key)) }
    defer { self.there = there }
    let vaultID = session.vault.id
    let found = try pack.parts.map(\.hash).filter { there.contains(try parts.key(of: $0)) }
    try await write { table in
      try Self.noteUses(pack, in: vaultID, table.connection)
      for hash in found { try PartTable(connection: table.connection).setKnown(hash, in: vaultID) }
    }
    var missing: [[UInt8]] = []
    for part in pack.parts {
      let key = try parts.key(of: part.hash)
      if there.contains(key) { continue }
      guard let bytes = try await bytes(of: part) else {
        missing.append(part.hash)
        continue
      }
      try await PartPush(session: session).put(bytes, part.hash, .ifAbsent)
      there.insert(key)
      report.pushedParts += 1
    }
    if missing.isEmpty {
      let due = session.changelog.now().milliseconds + PartCheck.delay
      try await write { table in
        try PartUseTable(vault: vaultID, connection: table.connection).insertChecks(pack.parts.map(\.hash), due: due)
      }
      return true
    }
    let hashes = missing
    try await write { table in
      // It may have been there once.
      for hash in hashes { try PartTable(connection: table.connection).forget(hash, in: vaultID) }
      try SpoolPartTable(connection: table.connection).insert(hashes, of: pack.span)
      try table.clean()
    }
    return false
  }

  private func bytes(of part: CarriedPack.Part) async throws -> [UInt8]? {
    let session = session
    return try await session.database.read { connection in
      if let bytes = try PartTable(connection: connection).bytes(part.hash) { return bytes }
      return try PartSource(session, connection)?.bytes(ofPart: part.hash, in: part.cells)
    }
  }

  /// For the sweep: the vault has a pack, or is about to, that was not merged from there.
  private static func noteUses(_ pack: CarriedPack, in vault: String, _ connection: Connection) throws {
    let table = PartUseTable(vault: vault, connection: connection)
    for use in pack.uses { try table.insertUses(use.hashes, by: use.number, of: pack.header.replica) }
  }

  private func write<T: Sendable>(_ body: @escaping @Sendable (RelayTable) throws -> T) async throws -> T {
    try await session.write { connection in
      try body(RelayTable(connection: connection))
    }
  }
}
