internal import DimpleChangelog
internal import DimpleRemote
internal import DimpleStore

/// The start of a pull where packs alone would be too many, or are not there any more: takes the newest snapshot that can be
/// used; packs then bring what it lacks.
struct SnapshotPull {
  let session: SyncSession

  private var objects: SnapshotObjects { SnapshotObjects(session: session) }

  /// - Parameter listed: The packs of others.
  /// - Returns: Whether the database took a new name, since the vault knows transactions of its name that it does not.
  func run(_ listed: [PullPlan.Candidate], _ report: inout SyncReport) async throws -> Bool {
    let vaultID = session.vault.id
    let (seen, loading) = try await session.database.read { connection in
      (
        try SeenTable(vault: vaultID, connection: connection).load().settled,
        try SnapshotTable(vault: vaultID, connection: connection).loading()
      )
    }
    let plan = SnapshotPlan(listed: listed)
    guard loading != nil || plan.isWorthALook(seen: seen, minimum: Int64(session.options.smallestSnapshot)) else {
      return false
    }
    let catalog = try await objects.list()
    var isBegun = loading != nil
    for candidate in ordered(catalog.candidates, resuming: loading) {
      do {
        let manifest = try await objects.manifest(candidate.manifest)
        if manifest.latest <= session.latestTime { try await remember(manifest) }
        guard
          loading?.record == candidate.manifest.name.record
            || plan.isWorthMerging(manifest.vector, size: manifest.size, seen: seen)
        else { break }
        if try await isOfACopy(manifest) {
          report.tookNewName = true
          return true
        }
        isBegun = true
        let hasPacks = plan.missing(seen).intersection(manifest.vector).isEmpty
        try await merge(manifest, candidate.manifest, catalog, loading, hasPacks: hasPacks, &report)
        return false
      } catch let error as SyncError where error.code != .damagedState {
        let skipped = SkippedObject(key: candidate.manifest.key, error: error)
        // What is gone was replaced since the listing.
        if !skipped.isGone { report.skipped.append(skipped) }
      }
    }
    if isBegun { try await finish(nil, &report) }
    return false
  }

  /// The one that was begun comes first, then the newest.
  private func ordered(
    _ candidates: [SnapshotCatalog.Candidate], resuming loading: SnapshotTable.Loading?
  ) -> [SnapshotCatalog.Candidate] {
    let begun = candidates.filter { $0.manifest.name.record == loading?.record }
    return begun + candidates.filter { $0.manifest.name.record != loading?.record }
  }

  private func remember(_ manifest: SnapshotManifest) async throws {
    try await write { try $0.remember(.init(manifest)) }
  }

  private func write(_ body: @escaping @Sendable (SnapshotTable) throws -> Void) async throws {
    let vaultID = session.vault.id
    try await session.write { try body(SnapshotTable(vault: vaultID, connection: $0)) }
  }

  /// Whether it covers transactions under the own name that this database did not write.
  private func isOfACopy(_ manifest: SnapshotManifest) async throws -> Bool {
    guard let own = manifest.replicas[session.changelog.replicaID], let run = own.runs.last else { return false }
    let (vaultID, changelog) = (session.vault.id, session.changelog)
    let isOther = try await session.database.read { connection in
      let pushed = try SeenTable(vault: vaultID, connection: connection).pushed()
      if run.range.upperBound == pushed.last { return run.chain.after != pushed.chain }
      let offset = try changelog.identities(connection).last?.offset ?? 0
      return try saturatingSum([offset, run.range.upperBound]) > changelog.lastTransaction(connection)
    }
    if isOther { try await OwnPacks(session: session).takeNewName() }
    return isOther
  }

  // MARK: - Parts

  private func merge(
    _ manifest: SnapshotManifest, _ object: SnapshotCatalog.StoredObject, _ catalog: SnapshotCatalog,
    _ loading: SnapshotTable.Loading?, hasPacks: Bool, _ report: inout SyncReport
  ) async throws {
    let keys = Dictionary(catalog.objects.map { ($0.name, $0.key) }) { first, _ in first }
    let record = object.name.record
    let resumed = loading?.record == record ? loading : nil
    let start = min(Int(clamping: resumed?.next ?? 0), manifest.parts.count)
    var occupied = try await begin(manifest, record: record, isResumed: resumed != nil, &report)
    session.progress.plan(.pulling, bytes: saturatingSum(manifest.parts[start...].map(\.size)))
    var fetched = try await fetch(start, manifest, keys)
    for index in start..<manifest.parts.count {
      // One ahead: two parts are in memory.
      async let following = fetch(index + 1, manifest, keys)
      if let part = fetched {
        try await fetchLargeValues(manifest.parts[index], &report)
        occupied = try await merge(
          part, index, manifest, record: record, occupied: occupied, hasPacks: hasPacks, &report)
      }
      session.progress.advance(.pulling, bytes: manifest.parts[index].size)
      fetched = try await following
    }
    try await finish(manifest, &report)
    report.mergedSnapshot = true
  }

  /// `nil` beyond the last.
  private func fetch(
    _ index: Int, _ manifest: SnapshotManifest, _ keys: [SnapshotName: String]
  ) async throws -> SnapshotPartReader? {
    guard index < manifest.parts.count else { return nil }
    let name = manifest.name(ofPart: index)
    guard let key = keys[name] else {
      throw SyncError(.damagedObject, operation: "fetch a snapshot", message: "Part \(index) is missing.")
    }
    return try SnapshotPartReader(await objects.lines(key), name: name, latest: manifest.latest, vault: session.vault)
  }

  private func fetchLargeValues(_ part: SnapshotManifest.Part, _ report: inout SyncReport) async throws {
    if part.big.isEmpty { return }
    let outcome = try await PartFetch(session: session).run(Set(part.big))
    report.pulledParts += outcome.fetched
    if let missing = outcome.missing.first { throw missing.error }
  }

  private func inMergeTransaction<T: Sendable>(
    hasPacks: Bool = false, _ body: @escaping @Sendable (SnapshotMerge) throws -> T
  ) async throws -> T {
    let (vaultID, changelog, schemas) = (session.vault.id, session.changelog, session.schemas)
    let limit = session.latestTime
    let (result, schema) = try await session.database.withMergeTransaction { connection in
      let schema = try schemas.load(connection, changelog)
      let merge = SnapshotMerge(
        connection: connection, changelog: changelog, vault: vaultID, schema: schema.schema, latest: limit,
        hasPacks: hasPacks)
      return (try body(merge), schema)
    }
    schemas.remember(schema)
    return result
  }

  /// - Returns: The tables that have rows already.
  private func begin(
    _ manifest: SnapshotManifest, record: [UInt8], isResumed: Bool, _ report: inout SyncReport
  ) async throws -> SnapshotMerge.Occupied {
    let outcome = try await inMergeTransaction { merge in
      try merge.check(manifest)
      return try merge.begin(record: record, isResumed: isResumed)
    }
    report.add(outcome.count)
    return outcome.occupied
  }

  private func merge(
    _ part: SnapshotPartReader, _ index: Int, _ manifest: SnapshotManifest, record: [UInt8],
    occupied: SnapshotMerge.Occupied, hasPacks: Bool, _ report: inout SyncReport
  ) async throws -> SnapshotMerge.Occupied {
    session.progress.advance(.merging)
    let loading = SnapshotTable.Loading(record: record, next: Int64(index + 1))
    let outcome = try await inMergeTransaction(hasPacks: hasPacks) { merge in
      try merge.run(part, occupied: occupied, latest: manifest.latest, then: loading)
    }
    report.add(outcome.count)
    return outcome.occupied
  }

  /// - Parameter manifest: What is merged now; `nil` where it was given up.
  private func finish(_ manifest: SnapshotManifest?, _ report: inout SyncReport) async throws {
    report.add(try await inMergeTransaction { try $0.finish(manifest) })
  }
}

extension SyncReport {
  fileprivate mutating func add(_ count: MergeCount) {
    changedRows += count.changedRows
    newlyHeldRows += count.newlyHeld
    newlyKeptRows += count.newlyKept
  }
}
