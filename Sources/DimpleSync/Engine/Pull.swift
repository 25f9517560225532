internal import DimpleChangelog
internal import DimpleRemote
internal import DimpleStore

/// The first half of a sync: list, fetch what is new, verify, merge.
struct Pull {
  let session: SyncSession

  private var vault: any Vault { session.vault }

  /// The packs that the vault lists.
  struct Listing {
    /// Those under the present name that are known to be own ones.
    var own: [CompactionPlan.StoredPack] = []
    var others: [PullPlan.Candidate] = []
    /// All of them, also what a copy of this database put under its name.
    var all: [PullPlan.Candidate] = []
    /// The storage's clock, where it tells.
    var serverTime: ServerTime?
  }

  func run(_ report: inout SyncReport) async throws -> Listing {
    var listing = try await listOthers(&report)
    if try await SnapshotPull(session: session).run(listing.others, &report) { listing = try await listOthers(&report) }
    var unusable: Set<String> = []
    var listedAgain = false
    // An object that cannot be used may hide another that holds the same transactions: plan again without it.
    while true {
      let seen = try await loadSeen()
      let plan = PullPlan(listed: listing.others.filter { !unusable.contains($0.key) }, seen: seen)
      let fetch = plan.fetch
      if fetch.isEmpty {
        let gone = Set(report.skipped.filter(\.isGone).map(\.key))
        if gone.isEmpty || listedAgain { break }
        // Their owner joined them into larger ones since the listing.
        listedAgain = true
        listing = try await listOthers(&report)
        report.skipped.removeAll { gone.contains($0.key) }
        unusable.subtract(gone)
        continue
      }
      try await fetchAndMerge(fetch, &unusable, &report)
    }
    try await fold(&report)
    if !report.skipped.contains(where: { $0.key.hasPrefix(PartStorage.prefix) }) { try await forgetParts() }
    report.postponedTransactions = try await waiting()
    report.missing = try await MissingPacks(session: session).check(listing.all)
    return listing
  }

  /// The own log is folded, and what waits for a schema change looked at, even where nothing came in.
  func fold(_ report: inout SyncReport) async throws {
    var unusable: Set<String> = []
    try await merge([], &unusable, &report)
  }

  // MARK: - Listing

  /// The packs of others; after a copy of this database was found, those under the name it had count.
  private func listOthers(_ report: inout SyncReport) async throws -> Listing {
    session.progress.advance(.listing)
    var listing = Listing()
    let listed = try await list(&listing.serverTime)
    listing.all = listed.map { PullPlan.Candidate(key: $0.key, name: $0.name, size: Int64($0.size)) }
    if try await OwnPacks(session: session).check(listing.all) { report.tookNewName = true }
    let id = session.changelog.replicaID
    listing.own = try await known(listed.filter { $0.name.replica == id })
    listing.others = listing.all.filter { $0.name.replica != id }
    return listing
  }

  /// Those that this database put itself, or has compared with its log.
  private func known(_ packs: [CompactionPlan.StoredPack]) async throws -> [CompactionPlan.StoredPack] {
    let id = vault.id
    let known = try await session.database.read { try OwnPackTable(vault: id, connection: $0).load() }
    return packs.filter { known[$0.key] != nil }
  }

  /// All packs that the vault lists.
  func listing() async throws -> [PullPlan.Candidate] {
    var serverTime: ServerTime?
    return try await list(&serverTime).map { PullPlan.Candidate(key: $0.key, name: $0.name, size: Int64($0.size)) }
  }

  private func list(_ serverTime: inout ServerTime?) async throws -> [CompactionPlan.StoredPack] {
    var candidates: [CompactionPlan.StoredPack] = []
    var cursor: ListCursor?
    repeat {
      let page = try await session.storage.list(prefix: PackName.prefix, after: cursor)
      if let time = ServerTime(page, session) { serverTime = time }
      candidates += page.objects.compactMap(storedPack)
      cursor = page.next
    } while cursor != nil
    return candidates
  }

  /// `nil` for an object that is not a pack of this vault.
  private func storedPack(_ object: ObjectInfo) -> CompactionPlan.StoredPack? {
    let key = object.key
    guard key.hasPrefix(PackName.prefix), key.hasSuffix(vault.objectExtension) else { return nil }
    let name = key.dropFirst(PackName.prefix.count).dropLast(vault.objectExtension.count)
    return vault.openName(String(name)).flatMap(PackName.init(record:)).map {
      .init(key: key, name: $0, size: Int(clamping: object.size))
    }
  }

  /// What need not be fetched: it is merged, or its time has not come.
  private func loadSeen() async throws -> [ReplicaID: RangeSet64] {
    let (id, limit) = (vault.id, session.latestTime)
    return try await session.database.read { connection in
      var vector = try SeenTable(vault: id, connection: connection).load().vector
      for run in try PostponedTable(vault: id, connection: connection).waiting(until: limit) {
        vector[run.replica, default: RangeSet64()].insert(run.range)
      }
      return vector
    }
  }

  /// All that needed parts has them.
  private func forgetParts() async throws {
    if try await session.database.read({ try PartTable(connection: $0).isEmpty() }) { return }
    try await session.database.write { connection in
      try connection.withInternalAccess { try PartTable(connection: connection).removeAll() }
    }
  }

  private func waiting() async throws -> Int {
    let (id, limit) = (vault.id, session.latestTime)
    return try await session.database.read { connection in
      Int(
        clamping: saturatingSum(
          try PostponedTable(vault: id, connection: connection).waiting(until: limit).map { Int64($0.range.count) }))
    }
  }

  private func fetchParts(_ packs: [DecodedPack], _ report: inout SyncReport) async throws {
    let parts = try await PartFetch(session: session).run(packs, known: loadSeen())
    report.pulledParts += parts.fetched
    let known = Set(report.skipped.map(\.key))
    report.skipped += parts.missing.filter { !known.contains($0.key) }
  }

  // MARK: - Fetching

  private struct Fetched: Sendable {
    var candidate: PullPlan.Candidate
    var result: Result<DecodedPack, SyncError>
  }

  private func fetchAndMerge(
    _ fetch: [PullPlan.Candidate], _ unusable: inout Set<String>, _ report: inout SyncReport
  ) async throws {
    var waiting: [Fetched] = []
    var changes = 0
    let transactions = saturatingSum(fetch.map(\.transactions))
    session.progress.plan(.pulling, transactions: transactions, bytes: saturatingSum(fetch.map(\.size)))
    session.progress.plan(.merging, transactions: transactions)
    // In the order of the plan, a few ahead: a bounded number of packs is in memory.
    for start in stride(from: 0, to: fetch.count, by: session.options.parallelGets) {
      session.progress.advance(.pulling)
      let group = Array(fetch[start..<min(start + session.options.parallelGets, fetch.count)])
      for fetched in try await get(group) {
        waiting.append(fetched)
        if case .success(let decoded) = fetched.result {
          changes += decoded.pack.transactions.reduce(0) { $0 + $1.changes.count }
        }
      }
      if changes >= session.options.mergeBatchSize {
        try await merge(waiting, &unusable, &report)
        waiting = []
        changes = 0
      }
    }
    if !waiting.isEmpty { try await merge(waiting, &unusable, &report) }
  }

  private func get(_ candidates: [PullPlan.Candidate]) async throws -> [Fetched] {
    try await withThrowingTaskGroup(of: (Int, Fetched).self) { group in
      for (index, candidate) in candidates.enumerated() {
        group.addTask {
          (index, Fetched(candidate: candidate, result: try await PackFetch(session: session).fetch(candidate)))
        }
      }
      var fetched: [(Int, Fetched)] = []
      for try await result in group {
        fetched.append(result)
        let candidate = result.1.candidate
        session.progress.advance(.pulling, transactions: candidate.transactions, bytes: candidate.size)
      }
      return fetched.sorted { $0.0 < $1.0 }.map(\.1)
    }
  }

  // MARK: - Merging

  private func merge(
    _ fetched: [Fetched], _ unusable: inout Set<String>, _ report: inout SyncReport
  ) async throws {
    session.progress.advance(.merging)
    let packs = fetched.compactMap { try? $0.result.get() }
    let hasParts = packs.contains { $0.pack.transactions.contains { $0.changes.contains { !$0.bigColumns.isEmpty } } }
    let (vaultID, changelog, limit, schemas) = (vault.id, session.changelog, session.latestTime, session.schemas)
    let database = session.database
    var next = 0
    repeat {
      let start = next
      if hasParts { try await fetchParts(packs, &report) }
      let (outcome, schema) = try await database.withMergeTransaction { connection in
        let schema = try schemas.load(connection, changelog)
        let merge = PackMerge(
          connection: connection, changelog: changelog, vault: vaultID, schema: schema.schema, latest: limit)
        let packs = fetched.map { (key: $0.candidate.key, result: $0.result) }
        return (try merge.run(packs, from: start) { database.isWriterAwaited }, schema)
      }
      schemas.remember(schema)
      next = outcome.next
      report.add(outcome, packs: next - start)
      for conflict in outcome.conflicts { session.conflicts.send(conflict) }
      // Who listens from now on is told of what comes from now on.
      session.conflicts.forget()
    } while next < fetched.count
    unusable.formUnion(fetched.map(\.candidate.key))
    session.progress.advance(.merging, transactions: saturatingSum(fetched.map(\.candidate.transactions)))
  }
}

extension SyncReport {
  fileprivate mutating func add(_ outcome: PackMerge.Outcome, packs: Int) {
    skipped += outcome.skipped
    pulledPacks += packs - outcome.skipped.count
    pulledTransactions += outcome.transactions
    pulledChanges += outcome.changes
    newlyHeldRows += outcome.count.newlyHeld
    changedRows += outcome.count.changedRows
    conflictCount += outcome.conflictCount
    conflicts += outcome.conflicts.prefix(max(0, ConflictLog.limit - conflicts.count))
    headers += outcome.headers
  }
}
