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
    var skipped: [SkippedObject] = []
    /// Of large values, in bytes.
    var bigBytes = 0
    var conflicts: [SyncConflict] = []
    var conflictCount = 0
    var headers: [PackHeader] = []
  }

  private static let bigBytesAtOnce = 32 << 20

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
    var seenAfter = seen
    let (accepted, isAll) = try accept(decoded, &seenAfter, &outcome)
    let header = decoded.pack.header
    let knownToAuthor = header.vector[changelog.replicaID]?.last ?? 0
    let offset = try changelog.identities(connection).last?.offset ?? 0
    merge.conflicts.unseenFrom =
      try changelog.time(ofTransactionsAfter: offset + knownToAuthor, connection).rawValue
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
        try HeardTable(vault: vault, connection: connection).note(header, accepted[..<taken])
        return false
      }
    }
    seen = seenAfter
    try HeardTable(vault: vault, connection: connection).note(header, accepted[...])
    guard isAll else { return false }
    outcome.headers.append(header)
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

  /// The transaction with its large values in place; `nil` while a part is not here.
  private func fill(_ transaction: PackTransaction) throws -> PackTransaction? {
    var filled = transaction
    let parts = PartTable(connection: connection)
    for index in transaction.changes.indices where !transaction.changes[index].bigColumns.isEmpty {
      for column in transaction.changes[index].bigColumns {
        guard let value = try parts.value(of: column.reference) else { return nil }
        filled.changes[index].columns.append(ColumnValue(name: column.name, value: value))
      }
      filled.changes[index].columns.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
      filled.changes[index].bigColumns = []
    }
    return filled
  }

  /// The pack's transactions that are new and not from the future, and whether these are all: else, too many large values
  /// would be in memory, and the others are for another transaction.
  private func accept(
    _ decoded: DecodedPack, _ seen: inout Seen, _ outcome: inout Outcome
  ) throws -> ([ForeignTransaction], isAll: Bool) {
    let header = decoded.pack.header
    let table = PostponedTable(vault: vault, connection: connection)
    let (known, trusted) = (seen.numbers(of: header.replica), try table.trusted(of: header.replica))
    var accepted: [ForeignTransaction] = []
    var postponed: [PostponedTable.Run] = []
    var isAll = true
    for transaction in decoded.pack.transactions where !known.contains(transaction.number) {
      let time = transaction.changes.map(\.time).max() ?? latest
      guard time <= latest || (time <= PostponedTable.latestTrusted && trusted.contains(transaction.number)) else {
        PostponedTable.append(transaction.number, of: header.replica, at: time, to: &postponed)
        continue
      }
      let size = transaction.changes.flatMap(\.bigColumns).reduce(0) { $0 + Int(clamping: $1.reference.size) }
      if size > 0, outcome.bigBytes > 0, outcome.bigBytes + size > Self.bigBytesAtOnce {
        isAll = false
        continue
      }
      guard let filled = try fill(transaction) else { continue }
      outcome.bigBytes += size
      seen.insert(transaction.number...transaction.number, of: decoded)
      accepted.append(ForeignTransaction(replica: header.replica, transaction: filled))
    }
    try table.replace(header.range, of: header.replica, by: postponed)
    return (accepted, isAll)
  }
}
