internal import DimpleChangelog
internal import DimpleStore

/// Merges fetched packs and advances the vector and the clock, all in one transaction.
struct PackMerge {
  struct Outcome: Sendable {
    /// The pack to go on with; behind the last one when all are done.
    var next: Int
    /// What is still to be taken along.
    var relay: RelayPlan?
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
  /// No more transactions are begun after so many changes; what is left is for another merge.
  let maximumChanges: Int
  /// What to take along for other vaults.
  var relay: RelayPlan?

  /// About how many changes are merged before another writer may have its turn; never half a transaction.
  private static let chunkSize = 1000
  /// Likewise, in bytes of their lines.
  private static let chunkBytes = 4 << 20

  /// Merges packs one after the other.
  ///
  /// - Parameters:
  ///   - start: The first to merge, perhaps for the second time: what is merged is passed over.
  ///   - isAwaited: Whether somebody else waits to write. Then this ends between two transactions, with ``Outcome/next`` at
  ///     the pack to go on with.
  mutating func run(
    _ packs: [FetchedPack], from start: Int = 0, isAwaited: () -> Bool = { false }
  ) throws -> Outcome {
    var outcome = Outcome(next: start)
    let table = SeenTable(vault: vault, connection: connection)
    var seen = try table.load()
    var replicas = try ReplicaTable(connection)
    let merge = try Merge(connection, changelog, schema)
    while outcome.next < packs.count {
      let pack = packs[outcome.next]
      do {
        let decoded = try pack.result.get()
        try authenticate(decoded, &replicas)
        try seen.check(decoded)
        try relay?.take(decoded, connection)
        // What cannot be read ends the pack; what came before it counts.
        let isWhole = Result { try take(decoded, into: merge, &seen, &outcome, isAwaited) }
        try table.save(seen, of: decoded.header.replica, &replicas)
        if try !isWhole.get() { break }
        outcome.headers.append(decoded.header)
      } catch let error as SyncError where error.code != .damagedState {
        outcome.skipped.append(SkippedObject(key: pack.candidate.key, error: error))
      }
      outcome.next += 1
      if outcome.next < packs.count, isAwaited() { break }
    }
    outcome.relay = relay
    if let newest = outcome.newest { try changelog.receive(newest, connection) }
    outcome.count = try merge.finish()
    outcome.conflicts = Array(merge.conflicts.conflicts)
    outcome.conflictCount = merge.conflicts.count
    return outcome
  }

  /// Merges the pack's transactions that are new and not from the future, a chunk at a time.
  ///
  /// - Returns: Whether all of them are merged.
  private func take(
    _ decoded: DecodedPack, into merge: Merge, _ seen: inout Seen, _ outcome: inout Outcome, _ isAwaited: () -> Bool
  ) throws -> Bool {
    let (replica, postponed) = (decoded.header.replica, outcome.postponed)
    let knownToAuthor = decoded.header.vector[changelog.replicaID]?.last ?? 0
    merge.conflicts.unseenFrom = try changelog.time(ofTransactionsAfter: knownToAuthor, connection).rawValue
    let known = seen.numbers(of: replica)
    var chunk = Chunk()
    var isWhole = true
    let reading = Result {
      try decoded.forEachTransaction(where: { !known.contains($0) }) { transaction, size in
        try refuseBigValues(transaction)
        guard transaction.changes.allSatisfy({ $0.time <= latest }) else {
          outcome.postponed += 1
          return true
        }
        if let last = chunk.transactions.last?.transaction.number, last + 1 != transaction.number {
          try add(&chunk, of: decoded, to: merge, &seen, &outcome)
        }
        chunk.append(ForeignTransaction(replica: replica, transaction: transaction), size)
        guard chunk.changes >= Self.chunkSize || chunk.size >= Self.chunkBytes else { return true }
        try add(&chunk, of: decoded, to: merge, &seen, &outcome)
        isWhole = outcome.changes < maximumChanges && !isAwaited()
        return isWhole
      }
    }
    if case .failure(let error) = reading, !(error is SyncError) { throw error }
    try add(&chunk, of: decoded, to: merge, &seen, &outcome)
    try reading.get()
    // The rest will be looked at once more.
    if !isWhole { outcome.postponed = postponed }
    return isWhole
  }

  /// Transactions that follow on each other.
  private struct Chunk {
    var transactions: [ForeignTransaction] = []
    var changes = 0
    /// The lines, in bytes.
    var size = 0

    mutating func append(_ transaction: ForeignTransaction, _ size: Int) {
      transactions.append(transaction)
      changes += transaction.transaction.changes.count
      self.size += size
    }
  }

  private func add(
    _ chunk: inout Chunk, of decoded: DecodedPack, to merge: Merge, _ seen: inout Seen, _ outcome: inout Outcome
  ) throws {
    let transactions = chunk.transactions
    guard let first = transactions.first?.transaction.number, let last = transactions.last?.transaction.number else {
      return
    }
    if transactions.contains(where: { !$0.transaction.left.isEmpty || $0.transaction.leftHash != nil }) {
      try SyncSetting.hasGaps.set(.integer(1), connection)
    }
    try merge.add(transactions[...])
    seen.insert(first...last, of: decoded)
    outcome.transactions += transactions.count
    outcome.changes += chunk.changes
    let newest = transactions.compactMap { $0.transaction.changes.last?.time }.max()
    outcome.newest = [outcome.newest, newest].compactMap(\.self).max()
    chunk = Chunk()
  }

  /// A replica's packs are signed with the key that its first pack had.
  private func authenticate(_ decoded: DecodedPack, _ replicas: inout ReplicaTable) throws {
    let header = decoded.header
    if let pinned = try replicas.publicKey(of: header.replica, connection), pinned != header.publicKey {
      throw SyncError(
        .forgedAuthor, operation: "merge a pack",
        message: "The pack claims replica \(header.replica) but is signed with another key.",
        hint: "Somebody with access to the vault wrote in that replica's name.")
    }
    try replicas.pin(header.publicKey, of: header.replica, connection)
  }

  /// Values that lie under `blob/` are not fetched yet.
  private func refuseBigValues(_ transaction: PackTransaction) throws {
    if transaction.changes.contains(where: { !$0.bigColumns.isEmpty }) {
      throw PackHeaderCodec.unsupported("The pack refers to large values.")
    }
  }
}

/// A pack that was asked for, on its way into the merged state.
struct FetchedPack: Sendable {
  var candidate: PullPlan.Candidate
  var result: Result<DecodedPack, SyncError>
}
