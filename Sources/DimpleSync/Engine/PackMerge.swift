internal import DimpleChangelog
internal import DimpleStore

/// Merges fetched packs and advances the vector and the clock, all in one transaction.
struct PackMerge {
  struct Outcome: Sendable {
    /// The pack to go on with; behind the last one when all are done.
    var next: Int
    /// The latest stamp merged.
    var newest: HybridTime?
    var count = MergeCount()
    var transactions = 0
    var changes = 0
    var postponed = 0
    var skipped: [SkippedObject] = []
    var conflicts: [SyncConflict] = []
    var conflictCount = 0
    var headers: [PackHeader] = []
  }

  let connection: Connection
  let changelog: Changelog
  let vault: String
  let schema: MergeSchema
  /// Transactions with a later stamp are postponed.
  let latest: HybridTime

  /// About how many changes are merged before another writer may have its turn; never half a transaction.
  private static let chunkSize = 1000

  /// Merges packs one after the other.
  ///
  /// - Parameters:
  ///   - start: The first to merge, perhaps for the second time: what is merged is passed over.
  ///   - isAwaited: Whether somebody else waits to write. Then this ends between two transactions, with ``Outcome/next`` at
  ///     the pack to go on with.
  func run(
    _ packs: [(key: String, result: Result<DecodedPack, SyncError>)], from start: Int = 0,
    isAwaited: () -> Bool = { false }
  ) throws -> Outcome {
    var outcome = Outcome(next: start)
    let table = SeenTable(vault: vault, connection: connection)
    var seen = try table.load()
    var replicas = try ReplicaTable(connection)
    let merge = try Merge(connection, changelog, schema)
    while outcome.next < packs.count {
      let (key, result) = packs[outcome.next]
      do {
        let decoded = try result.get()
        try authenticate(decoded, &replicas)
        try seen.check(decoded)
        try refuseBigValues(decoded)
        let isWhole = try take(decoded, into: merge, &seen, &outcome, isAwaited)
        try table.save(seen, of: decoded.pack.header.replica, &replicas)
        if !isWhole { break }
      } catch let error as SyncError where error.code != .damagedState {
        outcome.skipped.append(SkippedObject(key: key, error: error))
      }
      outcome.next += 1
      if outcome.next < packs.count, isAwaited() { break }
    }
    if let newest = outcome.newest { try changelog.receive(newest, connection) }
    outcome.count = try merge.finish()
    outcome.conflicts = Array(merge.conflicts.conflicts)
    outcome.conflictCount = merge.conflicts.count
    return outcome
  }

  /// - Returns: Whether all of the pack that is new is merged.
  private func take(
    _ decoded: DecodedPack, into merge: Merge, _ seen: inout Seen, _ outcome: inout Outcome, _ isAwaited: () -> Bool
  ) throws -> Bool {
    let postponed = outcome.postponed
    var seenAfter = seen
    let accepted = accept(decoded, &seenAfter, &outcome)
    let knownToAuthor = decoded.pack.header.vector[changelog.replicaID]?.last ?? 0
    merge.conflicts.unseenFrom =
      try changelog.time(ofTransactionsAfter: knownToAuthor, connection).rawValue
    if accepted.contains(where: { !$0.transaction.left.isEmpty || $0.transaction.leftHash != nil }) {
      try SyncSetting.hasGaps.set(.integer(1), connection)
    }
    var taken = 0
    while taken < accepted.count {
      let first = taken
      var changes = 0
      while taken < accepted.count, changes < Self.chunkSize {
        let transaction = accepted[taken].transaction
        changes += transaction.changes.count
        if let last = transaction.changes.last { outcome.newest = max(outcome.newest ?? last.time, last.time) }
        taken += 1
      }
      try merge.add(accepted[first..<taken])
      outcome.transactions += taken - first
      outcome.changes += changes
      if taken < accepted.count, isAwaited() {
        for foreign in accepted[..<taken] {
          seen.insert(foreign.transaction.number...foreign.transaction.number, of: decoded)
        }
        outcome.postponed = postponed
        return false
      }
    }
    seen = seenAfter
    outcome.headers.append(decoded.pack.header)
    return true
  }

  /// A replica's packs are signed with the key that its first pack had.
  private func authenticate(_ decoded: DecodedPack, _ replicas: inout ReplicaTable) throws {
    let header = decoded.pack.header
    if let pinned = try replicas.publicKey(of: header.replica, connection), pinned != header.publicKey {
      throw SyncError(
        .forgedAuthor, operation: "merge a pack",
        message: "The pack claims replica \(header.replica) but is signed with another key.",
        hint: "Somebody with access to the vault wrote in that replica's name.")
    }
    try replicas.pin(header.publicKey, of: header.replica, connection)
  }

  /// Values that lie under `blob/` are not fetched yet.
  private func refuseBigValues(_ decoded: DecodedPack) throws {
    if decoded.pack.transactions.contains(where: { $0.changes.contains { !$0.bigColumns.isEmpty } }) {
      throw PackHeaderCodec.unsupported("The pack refers to large values.")
    }
  }

  /// The pack's transactions that are new and not from the future.
  private func accept(
    _ decoded: DecodedPack, _ seen: inout Seen, _ outcome: inout Outcome
  ) -> [ForeignTransaction] {
    let replica = decoded.pack.header.replica
    let known = seen.numbers(of: replica)
    var accepted: [ForeignTransaction] = []
    for transaction in decoded.pack.transactions where !known.contains(transaction.number) {
      guard transaction.changes.allSatisfy({ $0.time <= latest }) else {
        outcome.postponed += 1
        continue
      }
      seen.insert(transaction.number...transaction.number, of: decoded)
      accepted.append(ForeignTransaction(replica: replica, transaction: transaction))
    }
    return accepted
  }
}
