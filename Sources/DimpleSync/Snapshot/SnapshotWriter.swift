internal import DimpleChangelog
internal import DimpleRemote
internal import DimpleStore

/// Writes a snapshot where one is due: the parts, then the manifest that makes them count; then removes what it replaces.
struct SnapshotWriter {
  enum Outcome { case notDue, written, appIsWriting }

  let session: SyncSession
  /// A snapshot with later stamps is of no use to others yet: none is written, and one that is there does not count.
  let latest: HybridTime

  private var objects: SnapshotObjects { SnapshotObjects(session: session) }
  private var minimum: Int64 { Int64(session.options.smallestSnapshot) }

  /// - Parameter listed: Every pack of the vault.
  func run(_ listed: [PullPlan.Candidate], _ report: inout SyncReport) async throws -> Outcome {
    let plan = SnapshotPlan(listed: listed)
    let known = try await read { try $0.known() }
    guard plan.isDue(covered: known.vector, size: known.size, minimum: minimum) else { return .notDue }
    guard try await mayShowAll(), try await isTimely() else { return .notDue }
    // Somebody may have written one since.
    let catalog = try await objects.list()
    let newest = try await newest(in: catalog)
    let found = newest.map { SnapshotTable.Known($0.manifest) } ?? .init()
    try await remember(found)
    guard plan.isDue(covered: found.vector, size: found.size, minimum: minimum) else { return .notDue }
    let moment = try SnapshotMoment(session)
    defer { moment.end() }
    do {
      return try await write(moment, catalog, newest, &report)
    } catch is MissingValue {
      // Another replica may have it. This one asks again when twice as much has come together.
      let vector = newest?.manifest.vector ?? [:]
      try await remember(.init(vector: vector, size: plan.bytes(beyond: vector)))
      return .notDue
    }
  }

  /// A snapshot is of the whole state: not for a vault that is not to get all of it; and a state that lacks what a vault left
  /// out is not what its vector says.
  private func mayShowAll() async throws -> Bool {
    let (id, options) = (session.vault.id, session.options)
    guard options.leavesOut.isEmpty else { return false }
    return try await session.database.read { connection in
      guard try SyncSetting.hasGaps.get(connection) == nil else { return false }
      return try options.relays || !SeenTable(vault: id, connection: connection).othersExist()
    }
  }

  /// Nothing here, nothing that was merged, is stamped later than others take.
  private func isTimely() async throws -> Bool {
    let changelog = session.changelog
    return try await session.database.read { try changelog.latestTime($0) } <= latest
  }

  private func write(
    _ moment: SnapshotMoment, _ catalog: SnapshotCatalog, _ newest: SnapshotCatalog.Whole?,
    _ report: inout SyncReport
  ) async throws -> Outcome {
    guard let coverage = try await moment.coverage() else { return .appIsWriting }
    let vector = coverage.replicas.mapValues { RangeSet64($0.runs.map(\.range)) }
    if let newest, newest.manifest.vector.contains(where: { !(vector[$0.key] ?? RangeSet64()).contains($0.value) }) {
      // What it has and this replica lacks would be lost with it.
      return .notDue
    }
    guard let written = try await write(coverage, moment) else { return .appIsWriting }
    try await remember(.init(written.manifest))
    report.wroteSnapshot = true
    for object in catalog.superfluous(keeping: written, previous: newest) {
      try await session.storage.delete(object.key)
    }
    return .written
  }

  private func read<T: Sendable>(_ body: @escaping @Sendable (SnapshotTable) throws -> T) async throws -> T {
    let id = session.vault.id
    return try await session.database.read { try body(SnapshotTable(vault: id, connection: $0)) }
  }

  private func remember(_ known: SnapshotTable.Known) async throws {
    let id = session.vault.id
    try await session.write { try SnapshotTable(vault: id, connection: $0).remember(known) }
  }

  /// The newest that can be used.
  private func newest(in catalog: SnapshotCatalog) async throws -> SnapshotCatalog.Whole? {
    for candidate in catalog.candidates {
      guard let manifest = try await objects.usableManifest(candidate.manifest), manifest.latest <= latest else {
        continue
      }
      return .init(manifest: manifest, name: candidate.manifest.name)
    }
    return nil
  }

  /// - Returns: `nil` where the app writes, and the moment cannot be kept.
  private func write(
    _ coverage: SnapshotSource.Coverage, _ moment: SnapshotMoment
  ) async throws -> SnapshotCatalog.Whole? {
    session.progress.plan(.snapshotting)
    var manifest = SnapshotManifest(
      vault: session.vault.id, writer: session.changelog.replicaID, latest: HybridTime(rawValue: 0), parts: [],
      replicas: coverage.replicas, schema: try await session.database.read(PackPut.migrationCount),
      app: session.options.appVersion, digest: coverage.digest, publicKey: coverage.publicKey)
    var position: SnapshotSource.Position? = .init()
    var large: [LargeCell] = []
    while let start = position {
      session.progress.advance(.snapshotting)
      let part = try await moment.part(manifest.parts.count, from: start)
      let stored = try await objects.put(part.lines, .part, of: manifest.id, index: manifest.parts.count)
      let big = Set(part.large.flatMap(\.reference.parts)).sorted { $0.lexicographicallyPrecedes($1) }
      manifest.parts.append(.init(hash: stored.name.hash, size: stored.size, rows: part.rows, big: big))
      large += part.large
      manifest.latest = max(manifest.latest, part.latest)
      session.progress.advance(.snapshotting, bytes: stored.size)
      position = part.next
    }
    guard try await putMissing(large, moment) else { return nil }
    let lines = try manifest.encoded(vault: session.vault, signingKey: coverage.signingKey)
    let stored = try await objects.put(lines, .manifest, of: manifest.id, index: manifest.parts.count)
    return .init(manifest: manifest, name: stored.name)
  }

  /// The vault has the parts of large values from packs, nearly always.
  ///
  /// - Returns: Whether all are there now.
  private func putMissing(_ large: [LargeCell], _ moment: SnapshotMoment) async throws -> Bool {
    if large.isEmpty { return true }
    let parts = PartStorage(session: session)
    var there = Set(try await session.storage.listAll(prefix: PartStorage.prefix).map(\.key))
    for cell in large {
      var missing: Set<[UInt8]> = []
      for hash in cell.reference.parts where try !there.contains(parts.key(of: hash)) { missing.insert(hash) }
      if missing.isEmpty { continue }
      guard let value = try await moment.value(of: cell) else { return false }
      try await PartPush(session: session).put(missing, of: value)
      for hash in missing { there.insert(try parts.key(of: hash)) }
    }
    return true
  }
}
