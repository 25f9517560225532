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
    /// There are more.
    var isPartial = false
    /// The storage's clock, where it tells.
    var serverTime: ServerTime?
  }

  func run(_ report: inout SyncReport) async throws -> Listing {
    var listing = try await listOthers(&report)
    if try await SnapshotPull(session: session).run(listing.others, &report) { listing = try await listOthers(&report) }
    var state = State(relay: try await Relay(session: session).plan(listing.others, isPartial: listing.isPartial))
    var listedAgain = false
    // An object that cannot be used may hide another that holds the same transactions: plan again without it.
    while true {
      let usable = listing.others.filter { !state.asked.contains($0.key) }
      var fetch = try await plan(usable, listing.others).fetch
      fetch += state.relay?.fetch(usable, besides: fetch) ?? []
      if fetch.isEmpty {
        let gone = Set(report.skipped.filter { $0.isGone && $0.key.hasPrefix(PackName.prefix) }.map(\.key))
        if gone.isEmpty || listedAgain { break }
        // Their owner joined them into larger ones since the listing.
        listedAgain = true
        listing = try await listOthers(&report)
        report.skipped.removeAll { gone.contains($0.key) }
        state.asked.subtract(gone)
        continue
      }
      try await fetchAndMerge(fetch, &state, &report)
    }
    try await fold(&report)
    let hasAllParts = !report.skipped.contains { $0.key.hasPrefix(PartStorage.prefix) }
    if let relay = state.relay { try await RelayParts(session: session).hold(relay.taken, &report) }
    if hasAllParts { try await forgetParts() }
    report.postponedTransactions = try await waiting()
    if !listing.isPartial { report.missing = try await MissingPacks(session: session).check(listing.all) }
    return listing
  }

  /// The own log is folded, and what waits for a schema change looked at, even where nothing came in.
  func fold(_ report: inout SyncReport) async throws {
    var state = State()
    try await merge([], &state, &report)
  }

  private struct State {
    /// The keys of objects that were asked for in this sync, whatever came of it.
    var asked: Set<String> = []
    var relay: RelayPlan?
    /// Hashes of parts of large values that could not be had.
    var unavailableParts: Set<[UInt8]> = []
    /// So many merges are still to be short ones, as the app was found waiting to write.
    var hurried = 0
  }

  /// After the app was found waiting to write, so many merges are short.
  private static let hurriedMerges = 50
  /// Of these, in changes: the app waits for as long as they take.
  private static let hurriedChunkSize = 50

  // MARK: - Listing

  /// The packs of others; after a copy of this database was found, those under the name it had count.
  private func listOthers(_ report: inout SyncReport) async throws -> Listing {
    session.progress.advance(.listing)
    let listed = try await VaultListing(session: session).run()
    report.ignoredPacks = listed.ignored
    var listing = Listing(all: listed.candidates, isPartial: listed.isPartial, serverTime: listed.serverTime)
    if try await OwnPacks(session: session).check(listing.all) { report.tookNewName = true }
    let id = session.changelog.replicaID
    listing.own = try await known(listed.packs.filter { $0.name.replica == id })
    listing.others = listing.all.filter { $0.name.replica != id }
    return listing
  }

  /// Those that this database put itself, or has compared with its log.
  private func known(_ packs: [CompactionPlan.StoredPack]) async throws -> [CompactionPlan.StoredPack] {
    let id = vault.id
    let known = try await session.database.read { try OwnPackTable(vault: id, connection: $0).load() }
    return packs.compactMap { pack in
      known[pack.key].map { .init(key: pack.key, name: pack.name, size: pack.size, unfoldedSize: $0.unfoldedSize) }
    }
  }

  /// What is merged, or its time has not come, need not be fetched. What packs with gaps lack may be, as long as they are listed:
  /// others may have it in full. Without them, what has their transactions is what their author made of them.
  private func plan(_ usable: [PullPlan.Candidate], _ listed: [PullPlan.Candidate]) async throws -> PullPlan {
    let (id, limit) = (vault.id, session.latestTime)
    let (seen, waiting, gaps) = try await session.database.read { connection in
      var waiting: [ReplicaID: RangeSet64] = [:]
      for run in try PostponedTable(vault: id, connection: connection).waiting(until: limit) {
        waiting[run.replica, default: RangeSet64()].insert(run.range)
      }
      let seen = try SeenTable(vault: id, connection: connection).load().vector
      return (seen, waiting, try GapTable(vault: id, connection: connection).load())
    }
    var (all, inFull) = (seen, seen)
    if !gaps.isEmpty {
      for pack in listed {
        guard let gap = gaps[pack.key] else { continue }
        inFull[gap.replica] = inFull[gap.replica]?.subtracting(gap.numbers)
      }
    }
    all.formUnion(waiting)
    inFull.formUnion(waiting)
    let hopeful = usable.filter { gaps[$0.key] == nil || all[$0.name.replica]?.contains($0.name.range) != true }
    return PullPlan(listed: hopeful, seen: inFull)
  }

  /// All that needed parts has them.
  private func forgetParts() async throws {
    guard try await session.database.read({ try PartTable(connection: $0).hasMerged() }) else { return }
    try await session.write { try PartTable(connection: $0).removeMerged() }
  }

  private func waiting() async throws -> Int {
    let (id, limit) = (vault.id, session.latestTime)
    return try await session.database.read { connection in
      Int(
        clamping: saturatingSum(
          try PostponedTable(vault: id, connection: connection).waiting(until: limit).map { Int64($0.range.count) }))
    }
  }

  private func fetchParts(_ hashes: Set<[UInt8]>, _ state: inout State, _ report: inout SyncReport) async throws {
    let parts = try await PartFetch(session: session).run(hashes)
    report.pulledParts += parts.fetched
    state.unavailableParts.formUnion(parts.unavailable)
    let known = Set(report.skipped.map(\.key))
    report.skipped += parts.missing.filter { !known.contains($0.key) }
  }

  // MARK: - Fetching

  private func fetchAndMerge(
    _ fetch: [PullPlan.Candidate], _ state: inout State, _ report: inout SyncReport
  ) async throws {
    var waiting: [FetchedPack] = []
    var (changes, size) = (0, 0)
    let transactions = saturatingSum(fetch.map(\.transactions))
    session.progress.plan(.pulling, transactions: transactions, bytes: saturatingSum(fetch.map(\.size)))
    session.progress.plan(.merging, transactions: transactions)
    // In the order of the plan, a few ahead: a bounded number of packs is in memory.
    var groups = groups(fetch)[...]
    session.progress.advance(.pulling)
    var group = try await get(groups.popFirst() ?? [])
    while !group.isEmpty {
      for fetched in group {
        session.progress.advance(
          .pulling, transactions: fetched.candidate.transactions, bytes: fetched.candidate.size)
        waiting.append(fetched)
        if case .success(let decoded) = fetched.result {
          changes += decoded.changeCount
          size += decoded.heldSize
        }
      }
      let next = groups.popFirst() ?? []
      // The next ones are on their way while these are merged.
      let isAhead = session.options.parallelGets > 1
      async let following = isAhead ? get(next) : []
      if next.isEmpty || changes >= session.options.mergeBatchSize || size >= Self.groupSize {
        try await merge(waiting, &state, &report)
        waiting = []
        (changes, size) = (0, 0)
      }
      if !next.isEmpty { session.progress.advance(.pulling) }
      group = isAhead ? try await following : try await get(next)
    }
  }

  /// In bytes: what is fetched at a time, sealed, unless a single pack is larger; what is held of it unfolded; and after how much of
  /// both a merge begins.
  private static let groupSize = 16 << 20

  private func groups(_ fetch: [PullPlan.Candidate]) -> [[PullPlan.Candidate]] {
    var groups: [[PullPlan.Candidate]] = []
    var size: Int64 = 0
    for candidate in fetch {
      size = saturatingSum([size, candidate.size])
      if let last = groups.last, last.count < session.options.parallelGets, size <= Int64(Self.groupSize) {
        groups[groups.count - 1].append(candidate)
      } else {
        groups.append([candidate])
        size = candidate.size
      }
    }
    return groups
  }

  private func get(_ candidates: [PullPlan.Candidate]) async throws -> [FetchedPack] {
    zip(candidates, try await PackFetch(session: session).fetch(candidates, keptSize: Self.groupSize)).map {
      FetchedPack(candidate: $0, result: $1)
    }
  }

  // MARK: - Merging

  private func merge(
    _ fetched: [FetchedPack], _ state: inout State, _ report: inout SyncReport
  ) async throws {
    session.progress.advance(.merging)
    let (vaultID, changelog, limit, schemas) = (vault.id, session.changelog, session.latestTime, session.schemas)
    let (database, maximumChanges) = (session.database, session.options.mergeBatchSize)
    var next = 0
    repeat {
      let (start, relay, unavailable) = (next, state.relay, state.unavailableParts)
      let isHurried = state.hurried > 0
      let (outcome, schema) = try await database.withMergeTransaction { connection in
        let schema = try schemas.load(connection, changelog)
        var merge = PackMerge(
          connection: connection, changelog: changelog, vault: vaultID, schema: schema.schema, latest: limit,
          maximumChanges: maximumChanges, relay: relay, unavailableParts: unavailable)
        if isHurried { merge.chunkSize = Self.hurriedChunkSize }
        return (try merge.run(fetched, from: start) { database.isWriterAwaited }, schema)
      }
      schemas.remember(schema)
      state.hurried = outcome.wasAwaited ? Self.hurriedMerges : max(0, state.hurried - 1)
      (next, state.relay) = (outcome.next, outcome.relay)
      report.add(outcome, packs: next - start)
      if !outcome.missingParts.isEmpty { try await fetchParts(outcome.missingParts, &state, &report) }
      for conflict in outcome.conflicts { session.conflicts.send(conflict) }
      // Who listens from now on is told of what comes from now on.
      session.conflicts.forget()
    } while next < fetched.count
    state.asked.formUnion(fetched.map(\.candidate.key))
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
    newlyKeptRows += outcome.count.newlyKept
    changedRows += outcome.count.changedRows
    conflictCount += outcome.conflictCount
    conflicts += outcome.conflicts.prefix(max(0, ConflictLog.limit - conflicts.count))
    for header in outcome.headers { headers[header.replica] = header }
  }
}
