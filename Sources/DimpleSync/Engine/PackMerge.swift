internal import DimpleChangelog
internal import DimpleStore

/// Merges fetched packs and advances the vector and the clock, all in one transaction.
struct PackMerge {
  struct Outcome: Sendable {
    /// The pack to go on with; behind the last one when all are done.
    var next: Int
    /// It ended as somebody else waited to write.
    var wasAwaited = false
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

  /// About how many changes are merged at a time, in which no other writer has its turn; never half a transaction.
  var chunkSize = 1000
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
        let known = try known(decoded, pack.candidate.key, seen)
        // What cannot be read ends the pack; what came before it counts.
        let isWhole = Result {
          try take(decoded, pack.reading, besides: known, into: merge, &seen, &outcome, isAwaited)
        }
        // A database that failed must not be written to: its own error is the one to tell.
        if case .failure(let error) = isWhole, !(error is SyncError) { throw error }
        try table.save(seen, of: decoded.header.replica, &replicas)
        if try !isWhole.get() { break }
        outcome.headers.append(decoded.header)
      } catch let error as SyncError where error.code != .damagedState {
        outcome.skipped.append(SkippedObject(key: pack.candidate.key, error: error))
      }
      outcome.next += 1
      outcome.wasAwaited = outcome.wasAwaited || isAwaited()
      if outcome.next < packs.count, outcome.wasAwaited { break }
    }
    outcome.relay = relay
    if let newest = outcome.newest { try changelog.receive(newest, connection) }
    outcome.count = try merge.finish()
    outcome.conflicts = Array(merge.conflicts.conflicts)
    outcome.conflictCount = merge.conflicts.count
    return outcome
  }

  /// What need not be merged again; what a pack leaves out is noted.
  private func known(_ decoded: DecodedPack, _ key: String, _ seen: Seen) throws -> RangeSet64 {
    let (header, known) = (decoded.header, seen.numbers(of: decoded.header.replica))
    let gaps = GapTable(vault: vault, connection: connection)
    let inFull = known.subtracting(try gaps.numbers(of: header.replica))
    if !decoded.hasGaps { return inFull }
    try gaps.insert(RangeSet64([header.range]).subtracting(inFull), of: header.replica, in: key)
    return known
  }

  /// Merges the pack's transactions that are new and not from the future, a chunk at a time.
  ///
  /// - Returns: Whether the pack is done with.
  private func take(
    _ decoded: DecodedPack, _ position: PackReading, besides known: RangeSet64, into merge: Merge, _ seen: inout Seen,
    _ outcome: inout Outcome, _ isAwaited: () -> Bool
  ) throws -> Bool {
    let header = decoded.header
    try setUnseen(by: header, merge)
    let table = PostponedTable(vault: vault, connection: connection)
    let trusted = try table.trusted(of: header.replica)
    var reader = TransactionReader(salts: header.salts)
    var chunk = Chunk()
    var isRead = true
    var isWhole = true
    func isTimely(_ time: HybridTime, _ number: Int64) -> Bool {
      time <= latest || (time <= PostponedTable.latestTrusted && trusted.contains(number))
    }
    let reading = Result {
      try position.forEachLine(of: decoded) { line, number in
        if known.contains(number) { return true }
        if chunk.isInterrupted(by: number) { try add(&chunk, of: decoded, to: merge, &seen, &outcome) }
        switch try take(line, number, of: header.replica, &reader, merge, &chunk, &outcome, isTimely) {
        case .taken: break
        case .postponed(let time):
          PostponedTable.append(number, of: header.replica, at: time, to: &position.postponed)
          return true
        case .missesParts: return true
        case .waits: isWhole = false
        }
        let isEnough = chunk.changes >= chunkSize || chunk.size >= Self.chunkBytes || isAwaited()
        guard isEnough else { return true }
        try add(&chunk, of: decoded, to: merge, &seen, &outcome)
        outcome.wasAwaited = outcome.wasAwaited || isAwaited()
        isRead = outcome.changes < maximumChanges && !outcome.wasAwaited
        return isRead
      }
    }
    if case .failure(let error) = reading, !(error is SyncError) { throw error }
    try add(&chunk, of: decoded, to: merge, &seen, &outcome)
    try HeardTable(vault: vault, connection: connection).note(header)
    try reading.get()
    if isRead { try table.replace(header.range, of: header.replica, by: position.postponed) }
    // What was passed over is for the next reading.
    if !isWhole { position.restart() }
    return isRead && isWhole
  }

  private enum Taking {
    case taken
    /// Its time, or that of one of its changes, lies too far ahead.
    case postponed(HybridTime)
    /// A part cannot be had.
    case missesParts
    /// Parts are to be fetched first, or too much is in memory already.
    case waits
  }

  /// Adds the transaction that a line holds to the chunk.
  private func take(
    _ line: ArraySlice<UInt8>, _ number: Int64, of replica: ReplicaID, _ reader: inout TransactionReader,
    _ merge: Merge, _ chunk: inout Chunk, _ outcome: inout Outcome, _ isTimely: (HybridTime, Int64) -> Bool
  ) throws -> Taking {
    let mark = chunk.batch.mark
    let scanned = try line.withUnsafeBufferPointer {
      try merge.scan($0, number: number, by: replica, into: chunk.batch)
    }
    if let scanned {
      guard isTimely(scanned.newest, number) else {
        chunk.batch.removeAll(after: mark)
        return .postponed(scanned.newest)
      }
      chunk.append(number, changes: scanned.changes, newest: scanned.newest, size: line.count)
      return .taken
    }
    let transaction = try reader.read(line, number: number)
    let newest = transaction.changes.last?.time
    guard isTimely(newest ?? latest, number) else { return .postponed(newest ?? latest) }
    switch try prepare(transaction, of: replica, &outcome) {
    case .ready:
      try merge.append(transaction.changes, by: replica, to: chunk.batch)
      chunk.append(number, changes: transaction.changes.count, newest: newest, size: line.count)
      if !transaction.left.isEmpty || transaction.leftHash != nil { chunk.hasGaps = true }
      return .taken
    case .missesParts: return .missesParts
    case .waits: return .waits
    }
  }

  /// What the author of a pack cannot have seen of the own changes: those may conflict with its.
  private func setUnseen(by header: PackHeader, _ merge: Merge) throws {
    let knownToAuthor = header.vector[changelog.replicaID]?.last ?? 0
    let offset = try changelog.identities(connection).last?.offset ?? 0
    merge.conflicts.unseenFrom =
      try changelog.time(ofTransactionsAfter: saturatingSum([offset, knownToAuthor]), connection).rawValue
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
    var batch = ChangeBatch()
    private(set) var range: ClosedRange<Int64>?
    private(set) var changes = 0
    /// The lines, in bytes.
    private(set) var size = 0
    /// The latest time of a change.
    private(set) var newest: HybridTime?
    /// Something was left out of the pack.
    var hasGaps = false

    mutating func append(_ number: Int64, changes: Int, newest: HybridTime?, size: Int) {
      range = (range?.lowerBound ?? number)...number
      self.changes += changes
      self.size += size
      self.newest = [self.newest, newest].compactMap(\.self).max()
    }

    func isInterrupted(by number: Int64) -> Bool { range.map { $0.upperBound + 1 != number } ?? false }
  }

  private func add(
    _ chunk: inout Chunk, of decoded: DecodedPack, to merge: Merge, _ seen: inout Seen, _ outcome: inout Outcome
  ) throws {
    guard let range = chunk.range else { return }
    if chunk.hasGaps { try SyncSetting.hasGaps.set(.integer(1), connection) }
    try merge.add(chunk.batch)
    seen.insert(range, of: decoded)
    if !decoded.hasGaps {
      try GapTable(vault: vault, connection: connection).remove(range, of: decoded.header.replica)
    }
    try HeardTable(vault: vault, connection: connection)
      .note(decoded.header, newest: chunk.newest ?? HybridTime(rawValue: 0))
    outcome.transactions += range.count
    outcome.changes += chunk.changes
    outcome.newest = [outcome.newest, chunk.newest].compactMap(\.self).max()
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
