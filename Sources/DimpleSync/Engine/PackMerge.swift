internal import DimpleChangelog
internal import DimpleStore

/// Merges fetched packs and advances the vector and the clock, all in one transaction.
struct PackMerge {
  struct Outcome: Sendable {
    var count = MergeCount()
    var transactions = 0
    var changes = 0
    /// The lines of the transactions, in bytes.
    var size = 0
    var postponed = 0
    var skipped: [SkippedObject] = []
    /// What is still to be taken along.
    var relay: RelayPlan?
    /// What to go on with.
    var rest: [FetchedPack] = []
  }

  let connection: Connection
  let changelog: Changelog
  let vault: String
  let schema: MergeSchema
  /// Transactions with a later stamp are postponed.
  let latest: HybridTime
  /// No more transactions are begun after so many changes, or 16 MiB of lines; what is left is for another merge.
  let maximumChanges: Int
  /// What to take along for other vaults.
  var relay: RelayPlan?

  private static let maximumSize = 16 << 20

  mutating func run(_ packs: [FetchedPack]) throws -> Outcome {
    var outcome = Outcome()
    let table = SeenTable(vault: vault, connection: connection)
    var seen = try table.load()
    var replicas = try ReplicaTable(connection)
    var accepted: [ForeignTransaction] = []
    for pack in packs {
      do {
        let decoded = try pack.result.get()
        try authenticate(decoded, &replicas)
        try seen.check(decoded)
        try relay?.take(decoded, connection)
        // What cannot be read ends the pack; what came before it counts.
        let read = Result { try accept(decoded, from: pack.next, &seen, &accepted, &outcome) }
        try table.save(seen, of: decoded.header.replica, &replicas)
        if let next = try read.get() {
          outcome.rest.append(FetchedPack(candidate: pack.candidate, result: pack.result, next: next))
        }
      } catch let error as SyncError where error.code != .damagedState {
        outcome.skipped.append(SkippedObject(key: pack.candidate.key, error: error))
      }
    }
    outcome.relay = relay
    outcome.transactions = accepted.count
    let newest = accepted.flatMap(\.transaction.changes).map(\.time).max()
    if let newest { try changelog.receive(newest, connection) }
    outcome.count = try Merge(connection: connection, changelog: changelog, schema: schema).run(accepted)
    return outcome
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

  /// Adds the pack's transactions that are new and not from the future.
  ///
  /// - Returns: Where to go on, if there was enough.
  private func accept(
    _ decoded: DecodedPack, from start: Int64, _ seen: inout Seen, _ accepted: inout [ForeignTransaction],
    _ outcome: inout Outcome
  ) throws -> Int64? {
    let replica = decoded.header.replica
    let known = seen.numbers(of: replica)
    var run: ClosedRange<Int64>?
    // Also where reading ends early: what was accepted counts.
    defer { if let run { seen.insert(run, of: decoded) } }
    var next: Int64?
    try decoded.forEachTransaction(from: start) { transaction, size in
      let number = transaction.number
      guard outcome.changes < maximumChanges, outcome.size < Self.maximumSize else {
        next = number
        return false
      }
      if known.contains(number) { return true }
      try refuseBigValues(transaction)
      guard transaction.changes.allSatisfy({ $0.time <= latest }) else {
        outcome.postponed += 1
        return true
      }
      if let last = run, last.upperBound + 1 == number {
        run = last.lowerBound...number
      } else {
        if let run { seen.insert(run, of: decoded) }
        run = number...number
      }
      accepted.append(ForeignTransaction(replica: replica, transaction: transaction))
      outcome.changes += transaction.changes.count
      outcome.size += size
      return true
    }
    return next
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
  /// The first transaction to look at.
  var next: Int64 = 1
}
