internal import DimpleChangelog
internal import DimpleStore

/// Merges fetched packs and advances the vector and the clock, all in one transaction.
struct PackMerge {
  struct Outcome: Sendable {
    var count = MergeCount()
    var transactions = 0
    var changes = 0
    var skipped: [SkippedObject] = []
    /// Of large values, in bytes.
    var bigBytes = 0
    /// Transactions were left for another run, so that not too many large values are in memory.
    var hasMore = false
  }

  private static let bigBytesAtOnce = 32 << 20

  let connection: Connection
  let changelog: Changelog
  let vault: String
  let schema: MergeSchema
  /// Transactions with a later stamp are postponed.
  let latest: HybridTime

  func run(_ packs: [(key: String, result: Result<DecodedPack, SyncError>)]) throws -> Outcome {
    var outcome = Outcome()
    let table = SeenTable(vault: vault, connection: connection)
    var seen = try table.load()
    var replicas = try ReplicaTable(connection)
    var accepted: [ForeignTransaction] = []
    for (key, result) in packs {
      do {
        let decoded = try result.get()
        try authenticate(decoded, &replicas)
        try seen.check(decoded)
        let taken = try accept(decoded, &seen, &outcome)
        try table.save(seen, of: decoded.pack.header.replica, &replicas)
        try HeardTable(vault: vault, connection: connection).note(decoded.pack.header, taken)
        accepted += taken
      } catch let error as SyncError where error.code != .damagedState {
        outcome.skipped.append(SkippedObject(key: key, error: error))
      }
    }
    outcome.transactions = accepted.count
    outcome.changes = accepted.reduce(0) { $0 + $1.transaction.changes.count }
    let newest = accepted.flatMap(\.transaction.changes).map(\.time).max()
    if let newest { try changelog.receive(newest, connection) }
    let merge = try Merge(connection, changelog, schema)
    try merge.add(accepted)
    outcome.count = try merge.finish()
    return outcome
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

  /// The pack's transactions that are new and not from the future.
  private func accept(
    _ decoded: DecodedPack, _ seen: inout Seen, _ outcome: inout Outcome
  ) throws -> [ForeignTransaction] {
    let header = decoded.pack.header
    let table = PostponedTable(vault: vault, connection: connection)
    let (known, trusted) = (seen.numbers(of: header.replica), try table.trusted(of: header.replica))
    var accepted: [ForeignTransaction] = []
    var postponed: [PostponedTable.Run] = []
    for transaction in decoded.pack.transactions where !known.contains(transaction.number) {
      let time = transaction.changes.map(\.time).max() ?? latest
      guard time <= latest || (time <= PostponedTable.latestTrusted && trusted.contains(transaction.number)) else {
        PostponedTable.append(transaction.number, of: header.replica, at: time, to: &postponed)
        continue
      }
      let size = transaction.changes.flatMap(\.bigColumns).reduce(0) { $0 + Int(clamping: $1.reference.size) }
      if size > 0, outcome.bigBytes > 0, outcome.bigBytes + size > Self.bigBytesAtOnce {
        outcome.hasMore = true
        continue
      }
      guard let filled = try fill(transaction) else { continue }
      outcome.bigBytes += size
      seen.insert(transaction.number...transaction.number, of: decoded)
      accepted.append(ForeignTransaction(replica: header.replica, transaction: filled))
    }
    try table.replace(header.range, of: header.replica, by: postponed)
    return accepted
  }
}
