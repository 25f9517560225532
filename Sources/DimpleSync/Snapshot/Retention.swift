internal import DimpleChangelog
internal import DimpleRemote
internal import DimpleStore

/// The end of a sync, where history is limited: removes own packs that nobody needs any more.
struct Retention {
  /// Milliseconds between two looks, at least: however short the history, syncs that follow each other do not look each time.
  private static let shortestInterval: Int64 = 60_000

  let session: SyncSession
  /// Snapshots with later stamps do not count: others may not take them yet.
  let latest: HybridTime

  /// - Parameter own: The own packs that the vault listed.
  func run(_ own: [CompactionPlan.StoredPack], _ report: inout SyncReport) async throws {
    guard case .limited(let duration) = session.options.history, own.count > 1 else { return }
    let age = max(0, duration.wholeMilliseconds)
    let now = session.changelog.now().milliseconds
    // Looking costs requests, and what is old enough now was nearly so a moment ago.
    guard try await isTime(now, every: max(age / 8, Self.shortestInterval)) else { return }
    let old = try await oldTransactions(own.map(\.name.range.upperBound), before: now - age)
    guard !old.isEmpty else { return }
    let objects = SnapshotObjects(session: session)
    let catalog = try await objects.list()
    var covered: [RangeSet64] = []
    for candidate in catalog.candidates where covered.count < 2 {
      guard let manifest = try await objects.usableManifest(candidate.manifest), manifest.latest <= latest else {
        continue
      }
      covered.append(manifest.vector[session.changelog.replicaID] ?? RangeSet64())
    }
    let plan = RetentionPlan(own, covered: covered, old: old)
    for pack in plan.superfluous {
      try await session.deleteOwnPack(pack.key)
      report.removedPacks += 1
    }
  }

  private func isTime(_ now: Int64, every interval: Int64) async throws -> Bool {
    let vaultID = session.vault.id
    let last = try await session.database.read { try SnapshotTable(vault: vaultID, connection: $0).retentionCheck() }
    if let last, last <= now, now - last < interval { return false }
    try await session.write { try SnapshotTable(vault: vaultID, connection: $0).setRetentionCheck(now) }
    return true
  }

  /// Those of `numbers`, under the present name, that were committed before; also what the log does not have any more.
  private func oldTransactions(_ numbers: [Int64], before limit: Int64) async throws -> Set<Int64> {
    let changelog = session.changelog
    return try await session.database.read { connection in
      let offset = try changelog.identities(connection).last?.offset ?? 0
      var old: Set<Int64> = []
      for number in numbers {
        var isOld = true
        try changelog.transactions(connection, after: offset + number - 1) { transaction in
          if transaction.number == offset + number, let last = transaction.changes.last {
            isOld = last.stamp.time.milliseconds < limit
          }
          return false
        }
        if isOld { old.insert(number) }
      }
      return old
    }
  }
}

/// Which own packs nobody needs. Pure.
struct RetentionPlan {
  /// In the order of their transactions, in which they are to be removed: what is left must not have a gap, whenever that ends.
  private(set) var superfluous: [CompactionPlan.StoredPack] = []

  /// - Parameters:
  ///   - own: The own packs in the vault.
  ///   - covered: Which of the own transactions each of the newest snapshots covers; it takes two.
  ///   - old: The transactions, last of a pack, that need not be kept.
  init(_ own: [CompactionPlan.StoredPack], covered: [RangeSet64], old: Set<Int64>) {
    guard covered.count >= 2, let last = own.map(\.name.range.upperBound).max() else { return }
    // The last pack tells all readers that there was something before it, and a copy of the database that it is one.
    superfluous = own.filter { pack in
      pack.name.range.upperBound < last && old.contains(pack.name.range.upperBound)
        && covered.allSatisfy { $0.contains(pack.name.range) }
    }.sorted {
      ($0.name.range.lowerBound, $0.name.range.upperBound) < ($1.name.range.lowerBound, $1.name.range.upperBound)
    }
  }
}
