internal import DimpleChangelog
internal import DimplePrimitives
internal import DimpleRemote
internal import DimpleStore

/// The end of a sync, once a day: removes parts of large values to which no pack and no snapshot of the vault has referred for
/// a week. docs/decisions/0026-the-sweep-of-parts.md says why that is safe.
struct PartSweep {
  /// How long a part must have been without a reference, in every look, in milliseconds.
  static let grace: Int64 = 7 * 86_400_000
  /// From the listing of the packs to the last removal that it allows.
  static let longestLook: Duration = .seconds(1800)
  private static let interval = grace / 7
  /// Packs that were never read for it are read up to this size in one look, in bytes; the next one goes on.
  private static let readAtOnce: Int64 = 64 << 20

  let session: SyncSession

  /// - Parameter listed: The packs that the sync saw.
  func run(_ listed: [PullPlan.Candidate], _ report: inout SyncReport) async throws {
    guard try await isTime() else { return }
    let stopwatch = Stopwatch(session.options.clock)
    let old = try await unused(listed)
    guard !old.isEmpty, let used = try await used() else { return }
    let id = session.vault.id
    for hash in old.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
      if used.contains(hash) {
        try await write { try $0.setUsed(hash) }
        continue
      }
      guard stopwatch.elapsed < Self.longestLook else { return }
      try await session.storage.delete(PartStorage(session: session).key(of: hash))
      try await session.write { connection in
        try PartUseTable(vault: id, connection: connection).removed(hash)
      }
      report.removedParts += 1
    }
  }

  /// Who knows of no large values has nothing to look for.
  private func isTime() async throws -> Bool {
    let (id, now) = (session.vault.id, session.changelog.now().milliseconds)
    let (knowsAny, last) = try await session.database.read { connection in
      (
        try PartTable(connection: connection).knowsAny(in: id),
        try SnapshotTable(vault: id, connection: connection).lastSweep()
      )
    }
    guard knowsAny else { return false }
    if let last, last <= now, now - last < Self.interval { return false }
    try await session.write { connection in
      try SnapshotTable(vault: id, connection: connection).setLastSweep(now)
    }
    return last != nil
  }

  private func write(_ body: @escaping @Sendable (PartUseTable) throws -> Void) async throws {
    let id = session.vault.id
    try await session.write { connection in
      try body(PartUseTable(vault: id, connection: connection))
    }
  }

  // MARK: - What nothing seems to refer to

  /// The parts that were without a known reference in all looks of the grace time.
  private func unused(_ listed: [PullPlan.Candidate]) async throws -> [[UInt8]] {
    let (there, time) = try await parts()
    let (id, names) = (session.vault.id, Self.ranges(listed))
    let now = time ?? session.changelog.now().milliseconds
    return try await session.write { connection in
      let table = PartUseTable(vault: id, connection: connection)
      // What an own push is about to refer to.
      let pending = Set(try table.checks().map(\.hash))
      let unused = there.subtracting(try table.used(by: names)).subtracting(pending)
      return try table.setUnused(unused, now: now).filter { now - $0.value >= Self.grace }.map(\.key)
    }
  }

  /// The hashes of all parts in the vault, and the storage's time, where it tells.
  private func parts() async throws -> (Set<[UInt8]>, Int64?) {
    let vault = session.vault
    var (hashes, time): (Set<[UInt8]>, ServerTime?) = ([], nil)
    try await session.storage.forEachPage(prefix: PartStorage.prefix) { page in
      time = ServerTime(page, session) ?? time
      for object in page.objects where object.key.hasSuffix(vault.objectExtension) {
        let name = object.key.dropFirst(PartStorage.prefix.count).dropLast(vault.objectExtension.count)
        guard let hash = vault.openName(String(name)), hash.count == SHA256.byteCount else { continue }
        hashes.insert(hash)
      }
    }
    return (hashes, time?.now)
  }

  private static func ranges(_ listed: [PullPlan.Candidate]) -> [ReplicaID: RangeSet64] {
    var ranges: [ReplicaID: RangeSet64] = [:]
    for pack in listed { ranges[pack.name.replica, default: RangeSet64()].insert(pack.name.range) }
    return ranges
  }

  // MARK: - What refers to parts

  /// All parts that the vault's packs and snapshots refer to; `nil` where that cannot be told: something is missing, or cannot
  /// be read, or there is too much to read in one look.
  private func used() async throws -> Set<[UInt8]>? {
    let listing = try await VaultListing(session: session).run()
    guard listing.ignored == 0, let snapshots = try await snapshots() else { return nil }
    let packs = listing.candidates
    let names = Self.ranges(packs)
    var there = names
    for manifest in snapshots { there.formUnion(manifest.vector) }
    // A listing that lacks what is known to be there may lack more.
    guard try await MissingPacks(session: session).missing(there).isEmpty, try await read(packs) else { return nil }
    let id = session.vault.id
    let used = try await session.database.read { connection in
      try PartUseTable(vault: id, connection: connection).used(by: names)
    }
    return used.union(snapshots.flatMap(\.parts).flatMap(\.big))
  }

  /// The manifests of all snapshots, also of those that are not whole; `nil` where one cannot be read.
  private func snapshots() async throws -> [SnapshotManifest]? {
    let objects = SnapshotObjects(session: session)
    var manifests: [SnapshotManifest] = []
    for object in try await objects.list().objects where object.name.kind == .manifest {
      do { manifests.append(try await objects.manifest(object)) } catch let error as SyncError {
        // What is gone was replaced since the listing, by one that covers more.
        guard SkippedObject(key: object.key, error: error).isGone else { return nil }
      }
    }
    return manifests
  }

  /// Reads the packs that were not read for it yet.
  ///
  /// - Returns: Whether all is read now.
  private func read(_ packs: [PullPlan.Candidate]) async throws -> Bool {
    let id = session.vault.id
    // Those with gaps may hide what others under the same numbers refer to.
    var (read, withGaps) = try await session.database.read { connection in
      let table = PartUseTable(vault: id, connection: connection)
      return (try table.read(), try table.readWithGaps())
    }
    var size: Int64 = 0
    var usable = packs.filter { !withGaps.contains($0.key) }
    while let pack = PullPlan(listed: usable, seen: read).fetch.first {
      size = saturatingSum([size, pack.size])
      guard size <= Self.readAtOnce || size == pack.size else { return false }
      switch try await note(PackFetch(session: session).fetch(pack), key: pack.key) {
      case .whole: read[pack.name.replica, default: RangeSet64()].insert(pack.name.range)
      case .withGaps: withGaps.insert(pack.key)
      case .unusable: break
      }
      // Another may have the same transactions.
      usable.removeAll { $0.key == pack.key }
    }
    return packs.allSatisfy { withGaps.contains($0.key) || read[$0.name.replica]?.contains($0.name.range) == true }
  }

  private enum Reading { case whole, withGaps, unusable }

  private func note(_ fetched: Result<DecodedPack, SyncError>, key: String) async throws -> Reading {
    do {
      let decoded = try fetched.get()
      guard try await note(decoded, key: key) else { return .unusable }
      return decoded.hasGaps ? .withGaps : .whole
    } catch let error as SyncError where error.code != .damagedState { return .unusable }
  }

  /// - Returns: Whether it is its replica's.
  private func note(_ decoded: DecodedPack, key: String) async throws -> Bool {
    let (id, header) = (session.vault.id, decoded.header)
    return try await session.database.write { connection in
      let pinned = try ReplicaTable(connection).publicKey(of: header.replica, connection)
      guard pinned == nil || pinned == header.publicKey else { return false }
      try connection.withInternalAccess {
        let table = PartUseTable(vault: id, connection: connection)
        try decoded.forEachTransaction { transaction in
          guard let use = PartUse(transaction) else { return true }
          try table.insertUses(use.hashes, by: use.number, of: header.replica)
          return true
        }
        if decoded.hasGaps {
          try table.setReadWithGaps(key)
        } else {
          try table.setRead(header.range, of: header.replica)
        }
      }
      return true
    }
  }
}
