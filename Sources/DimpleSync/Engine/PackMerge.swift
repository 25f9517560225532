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
    var skipped: [SkippedObject] = []
    /// Of large values, in bytes.
    var bigBytes = 0
    /// Hashes of parts of large values that transactions wait for.
    var missingParts: Set<[UInt8]> = []
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
  /// Hashes of parts that could not be had: transactions that need one are passed over.
  var unavailableParts: Set<[UInt8]> = []

  /// About how many changes are merged before another writer may have its turn; never half a transaction.
  private static let chunkSize = 1000
  /// Likewise, in bytes of their lines.
  private static let chunkBytes = 4 << 20
  /// Large values in memory at a time, in bytes, unless a single one is larger.
  private static let bigBytesAtOnce = 32 << 20
  /// Parts to be fetched before the pack is gone on with.
  private static let missingPartsAtOnce = 64

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
        // A database that failed must not be written to: its own error is the one to tell.
        if case .failure(let error) = isWhole, !(error is SyncError) { throw error }
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
  /// - Returns: Whether the pack is done with.
  private func take(
    _ decoded: DecodedPack, into merge: Merge, _ seen: inout Seen, _ outcome: inout Outcome, _ isAwaited: () -> Bool
  ) throws -> Bool {
    let (header, known) = (decoded.header, seen.numbers(of: decoded.header.replica))
    try setUnseen(by: header, merge)
    let table = PostponedTable(vault: vault, connection: connection)
    let trusted = try table.trusted(of: header.replica)
    var postponed: [PostponedTable.Run] = []
    var chunk = Chunk()
    var isRead = true
    var isWhole = true
    let reading = Result {
      try decoded.forEachTransaction(where: { !known.contains($0) }) { transaction, size in
        let time = transaction.changes.map(\.time).max() ?? latest
        guard time <= latest || (time <= PostponedTable.latestTrusted && trusted.contains(transaction.number)) else {
          PostponedTable.append(transaction.number, of: header.replica, at: time, to: &postponed)
          return true
        }
        switch try prepare(transaction, of: header.replica, &outcome) {
        case .ready:
          if chunk.isInterrupted(by: transaction.number) { try add(&chunk, of: decoded, to: merge, &seen, &outcome) }
          chunk.append(ForeignTransaction(replica: header.replica, transaction: transaction), size)
        case .missesParts: return true
        case .waits: isWhole = false
        }
        guard chunk.changes >= Self.chunkSize || chunk.size >= Self.chunkBytes else { return true }
        try add(&chunk, of: decoded, to: merge, &seen, &outcome)
        isRead = outcome.changes < maximumChanges && !isAwaited()
        return isRead
      }
    }
    if case .failure(let error) = reading, !(error is SyncError) { throw error }
    try add(&chunk, of: decoded, to: merge, &seen, &outcome)
    try HeardTable(vault: vault, connection: connection).note(header, [])
    try reading.get()
    if isRead { try table.replace(header.range, of: header.replica, by: postponed) }
    return isRead && isWhole
  }

  /// What the author of a pack cannot have seen of the own changes: those may conflict with its.
  private func setUnseen(by header: PackHeader, _ merge: Merge) throws {
    let knownToAuthor = header.vector[changelog.replicaID]?.last ?? 0
    let offset = try changelog.identities(connection).last?.offset ?? 0
    merge.conflicts.unseenFrom =
      try changelog.time(ofTransactionsAfter: offset + knownToAuthor, connection).rawValue
  }

  // MARK: - Large values

  private enum Readiness {
    /// The large values, if any, are here.
    case ready
    /// A part cannot be had.
    case missesParts
    /// Parts are to be fetched first, or too much is in memory already.
    case waits
  }

  private func prepare(
    _ transaction: PackTransaction, of replica: ReplicaID, _ outcome: inout Outcome
  ) throws -> Readiness {
    let references = transaction.changes.flatMap(\.bigColumns).map(\.reference)
    if references.isEmpty { return .ready }
    let (parts, hashes) = (PartTable(connection: connection), Set(references.flatMap(\.parts)))
    try PartUseTable(vault: vault, connection: connection).insertUses(hashes, by: transaction.number, of: replica)
    let missing = try hashes.filter { try !parts.contains($0) }
    if !missing.isDisjoint(with: unavailableParts) { return .missesParts }
    if !missing.isEmpty {
      if outcome.missingParts.count < Self.missingPartsAtOnce { outcome.missingParts.formUnion(missing) }
      return .waits
    }
    let size = references.reduce(0) { $0 + Int(clamping: $1.size) }
    if outcome.bigBytes > 0, outcome.bigBytes + size > Self.bigBytesAtOnce { return .waits }
    guard try references.allSatisfy(parts.isWhole) else { return .missesParts }
    outcome.bigBytes += size
    return .ready
  }

  // MARK: - Chunks

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

    func isInterrupted(by number: Int64) -> Bool {
      transactions.last.map { $0.transaction.number + 1 != number } ?? false
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
    try merge.add(transactions)
    seen.insert(first...last, of: decoded)
    try HeardTable(vault: vault, connection: connection).note(decoded.header, transactions[...])
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
}

/// A pack that was asked for, on its way into the merged state.
struct FetchedPack: Sendable {
  var candidate: PullPlan.Candidate
  var result: Result<DecodedPack, SyncError>
}
