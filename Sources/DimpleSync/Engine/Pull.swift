internal import DimpleChangelog
internal import DimpleRemote
internal import DimpleStore

/// The first half of a sync: list, fetch what is new, verify, merge.
struct Pull {
  let session: SyncSession

  private var vault: any Vault { session.vault }

  /// The packs that the vault lists.
  struct Listing {
    var own: [CompactionPlan.StoredPack]
    var others: [PullPlan.Candidate]

    var all: [PullPlan.Candidate] {
      others + own.map { PullPlan.Candidate(key: $0.key, name: $0.name, size: Int64($0.size)) }
    }
  }

  func run(_ report: inout SyncReport) async throws -> Listing {
    var (listed, own) = try await listOthers(&report)
    if try await SnapshotPull(session: session).run(listed, &report) { (listed, own) = try await listOthers(&report) }
    var state = State(relay: try await Relay(session: session).plan(listed))
    var listedAgain = false
    // An object that cannot be used may hide another that holds the same transactions: plan again without it.
    while true {
      let seen = try await loadSeen()
      let usable = listed.filter { !state.unusable.contains($0.key) }
      var fetch = PullPlan(listed: usable, seen: seen.vector).fetch
      fetch += state.relay?.fetch(usable, besides: fetch) ?? []
      if fetch.isEmpty {
        let gone = Set(report.skipped.filter(\.isGone).map(\.key))
        if gone.isEmpty || listedAgain { break }
        // Their owner joined them into larger ones since the listing.
        listedAgain = true
        (listed, own) = try await listOthers(&report)
        report.skipped.removeAll { gone.contains($0.key) }
        state.unusable.subtract(gone)
        continue
      }
      try await fetchAndMerge(fetch, &state, &report)
    }
    try await fold(&report)
    return Listing(own: own, others: listed)
  }

  /// The own log is folded, and what waits for a schema change looked at, even where nothing came in.
  func fold(_ report: inout SyncReport) async throws {
    var state = State()
    try await merge([], &state, &report)
  }

  private struct State {
    /// The keys of objects that were asked for in this sync, whatever came of it.
    var unusable: Set<String> = []
    var relay: RelayPlan?
  }

  // MARK: - Listing

  /// The packs of others; after a copy of this database was found, those under the name it had count.
  private func listOthers(
    _ report: inout SyncReport
  ) async throws -> (others: [PullPlan.Candidate], own: [CompactionPlan.StoredPack]) {
    session.progress.advance(.listing)
    let (listed, ignored) = try await VaultListing(session: session).run()
    report.ignoredPacks = ignored
    let id = session.changelog.replicaID
    let own = listed.filter { $0.name.replica == id }
    let others = listed.map { PullPlan.Candidate(key: $0.key, name: $0.name, size: Int64($0.size)) }
    if try await OwnPacks(session: session).check(others.filter { $0.name.replica == id }) {
      report.tookNewName = true
      return (others, [])
    }
    return (others.filter { $0.name.replica != id }, own)
  }

  private func loadSeen() async throws -> Seen {
    let id = vault.id
    return try await session.database.read { try SeenTable(vault: id, connection: $0).load() }
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
    for group in groups(fetch) {
      session.progress.advance(.pulling)
      for fetched in try await get(group) {
        waiting.append(fetched)
        if case .success(let decoded) = fetched.result {
          changes += decoded.changeCount
          size += decoded.foldedSize
        }
      }
      if changes >= session.options.mergeBatchSize || size >= Self.groupSize {
        try await merge(waiting, &state, &report)
        waiting = []
        (changes, size) = (0, 0)
      }
    }
    if !waiting.isEmpty { try await merge(waiting, &state, &report) }
  }

  /// In bytes, sealed: what is fetched at a time, unless a single pack is larger.
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
    try await withThrowingTaskGroup(of: (Int, FetchedPack).self) { group in
      for (index, candidate) in candidates.enumerated() {
        group.addTask {
          (index, FetchedPack(candidate: candidate, result: try await PackFetch(session: session).fetch(candidate)))
        }
      }
      var fetched: [(Int, FetchedPack)] = []
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
    _ fetched: [FetchedPack], _ state: inout State, _ report: inout SyncReport
  ) async throws {
    session.progress.advance(.merging)
    let vaultID = vault.id
    let changelog = session.changelog
    let limit = session.latestTime
    let schemas = session.schemas
    let (database, maximumChanges) = (session.database, session.options.mergeBatchSize)
    var next = 0
    repeat {
      let (start, relay) = (next, state.relay)
      let (outcome, schema) = try await database.withMergeTransaction { connection in
        let schema = try schemas.load(connection, changelog)
        var merge = PackMerge(
          connection: connection, changelog: changelog, vault: vaultID, schema: schema.schema, latest: limit,
          maximumChanges: maximumChanges, relay: relay)
        return (try merge.run(fetched, from: start) { database.isWriterAwaited }, schema)
      }
      schemas.remember(schema)
      (next, state.relay) = (outcome.next, outcome.relay)
      report.add(outcome, packs: next - start)
      for conflict in outcome.conflicts { session.conflicts.send(conflict) }
      // Who listens from now on is told of what comes from now on.
      session.conflicts.forget()
    } while next < fetched.count
    state.unusable.formUnion(fetched.map(\.candidate.key))
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
    postponedTransactions += outcome.postponed
    changedRows += outcome.count.changedRows
    conflictCount += outcome.conflictCount
    conflicts += outcome.conflicts.prefix(max(0, ConflictLog.limit - conflicts.count))
    headers += outcome.headers
  }
}
