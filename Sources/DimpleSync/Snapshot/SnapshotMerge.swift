internal import DimpleChangelog
internal import DimpleStore

/// Takes a snapshot into the merged state, inside merge transactions: one for each part, and one at the end, in which the
/// vector advances.
///
/// A snapshot is a state; merging it is the join of states, whatever came before. Where a table has nothing yet, its rows
/// are taken over as they are (``BulkLoader``).
struct SnapshotMerge {
  /// Tables that have rows here already.
  struct Occupied: Sendable {
    /// In ``NameTable``.
    var tables: Set<Int64> = []
    /// Nothing is known of any.
    var isAll = false
    /// The app has written nothing since then.
    var transaction: Int64 = 0

    func contains(_ table: Int64) -> Bool { isAll || tables.contains(table) }
  }

  struct Outcome: Sendable {
    var count = MergeCount()
    var occupied = Occupied()
  }

  let connection: Connection
  let changelog: Changelog
  let vault: String
  let schema: MergeSchema
  /// A snapshot with a later stamp must wait.
  let latest: HybridTime
  /// All that it covers is in packs, too.
  let hasPacks: Bool

  private var table: SnapshotTable { SnapshotTable(vault: vault, connection: connection) }

  /// Whether it can be believed: its writer and all whom it covers have the keys that they had before, and logs that go on
  /// from, or are, those merged before.
  ///
  /// - Throws: ``SyncError/Code/forgedAuthor``, ``SyncError/Code/brokenChain``, ``SyncError/Code/fromTheFuture``.
  func check(_ manifest: SnapshotManifest) throws {
    guard manifest.latest <= latest else {
      throw SyncError(
        .fromTheFuture, operation: "merge a snapshot",
        message: "It has writes of later than this device's clock allows.",
        hint: "Check the clocks of this device and of the one that wrote them.", isRetryable: true)
    }
    let replicas = try ReplicaTable(connection)
    let seen = try SeenTable(vault: vault, connection: connection).load()
    var keys = manifest.replicas.mapValues(\.publicKey)
    keys[manifest.writer] = manifest.publicKey
    for (replica, key) in keys where replica != changelog.replicaID {
      if let pinned = try replicas.publicKey(of: replica, connection), pinned != key {
        throw SyncError(
          .forgedAuthor, operation: "merge a snapshot",
          message: "It has another key for replica \(replica) than the one seen first.",
          hint: "Somebody with access to the vault wrote in that replica's name.")
      }
    }
    for (replica, coverage) in manifest.replicas { try seen.check(coverage.runs, of: replica) }
  }

  /// Before the first part: the own log is folded, and it is seen what is here.
  func begin(record: [UInt8], isResumed: Bool) throws -> Outcome {
    var outcome = Outcome()
    outcome.count = try Merge(connection, changelog, schema).finish()
    outcome.occupied.isAll = isResumed
    outcome.occupied.transaction = try changelog.lastTransaction(connection)
    if isResumed { return outcome }
    try table.setLoading(.init(record: record, next: 0))
    for id in try NameTable(connection).tables where try hasRows(id) { outcome.occupied.tables.insert(id) }
    return outcome
  }

  private func hasRows(_ id: Int64) throws -> Bool {
    let state = try connection.prepare("SELECT 1 FROM dimple_row WHERE tbl = ? LIMIT 1")
    defer { state.reset() }
    try state.bind(.integer(id), at: 1)
    if try state.step() { return true }
    guard let position = schema.position(of: id) else { return false }
    let rows = try connection.prepare("SELECT 1 FROM \(SQL.quoted(identifier: schema.tables[position].name)) LIMIT 1")
    defer { rows.reset() }
    return try rows.step()
  }

  /// One part.
  ///
  /// - Parameters:
  ///   - latest: The clock moves past this.
  ///   - loading: Remembered, to go on from after a crash.
  func run(
    _ part: SnapshotPartReader, occupied: Occupied, latest: HybridTime, then loading: SnapshotTable.Loading
  ) throws -> Outcome {
    var outcome = Outcome(occupied: occupied)
    if try changelog.lastTransaction(connection) != occupied.transaction { outcome.occupied.isAll = true }
    try changelog.receive(latest, connection)
    do {
      outcome.count = try connection.savepoint { try join(part, outcome.occupied) }
    } catch let error as StoreError where error.refusesRow && !outcome.occupied.isAll {
      // Something is here after all.
      outcome.occupied.isAll = true
      outcome.count = try join(part, outcome.occupied)
    }
    try table.setLoading(loading)
    // The values are in their rows.
    let parts = PartTable(connection: connection)
    if try parts.hasMerged() { try parts.removeMerged() }
    return outcome
  }

  /// A newer app may have dropped a column that this one shows, and the values with it: packs still have them. Where they do not,
  /// the rows are held until the app is updated.
  private func checkValues(of row: SnapshotRow, _ table: Int64, _ columns: [Int64]) throws {
    guard hasPacks, row.cells.contains(where: { $0 != nil && $0?.value == nil }),
      let position = schema.position(of: table), row.state(columns).lacksValue(schema.tables[position])
    else { return }
    throw SyncError(
      .unknownValues, operation: "merge a snapshot",
      message: "It lacks values of table \(schema.tables[position].name) that this version of the app shows.",
      hint: "Packs are read instead. A newer version of the app dropped the column.")
  }

  private func join(_ part: SnapshotPartReader, _ occupied: Occupied) throws -> MergeCount {
    var part = part
    var count = MergeCount()
    var shape: (table: Int64, columns: [Int64], isNew: Bool)?
    var joiner: SnapshotJoiner?
    var names = try NameTable(connection)
    var replicas = try ReplicaTable(connection)
    let authors = try part.authors.map {
      PlainRows.Author(number: try replicas.number(of: $0, connection), replica: $0)
    }
    var loader = try BulkLoader(schema, connection)
    let (latest, parts) = (part.latest, PartTable(connection: connection))
    while let line = try part.next(
      large: parts.value,
      { cursor in try shape?.isNew == true && loader.loadPlain(&cursor, authors, latest: latest) }
    ) {
      switch line {
      case .shape(let named):
        let table = try names.table(named.table, connection)
        let columns = try named.columns.map { try names.column($0, of: table, connection) }
        shape = (table, columns, !occupied.contains(table))
        try loader.begin(table, columns, names)
        if joiner == nil, occupied.contains(table) { joiner = SnapshotJoiner(try Merge(connection, changelog, schema)) }
        try joiner?.begin(named)
      case .row(let row):
        guard let shape else { continue }
        try checkValues(of: row, shape.table, shape.columns)
        if shape.isNew {
          try loader.load(row)
        } else {
          try joiner?.join(row)
        }
      }
    }
    try loader.finish()
    if let joiner { count += try joiner.finish() }
    // History does not know these one by one.
    if loader.rows > 0 { try changelog.recordUnknownMerge(connection) }
    count.changedRows += loader.shownRows
    return count
  }

  /// After the last part, or when no more will come: what does not stand by itself is decided, and where all is here, it
  /// counts as seen.
  func finish(_ manifest: SnapshotManifest?) throws -> MergeCount {
    try BulkLoader(schema, connection).markOrphans()
    let count = try Merge(connection, changelog, schema).finish()
    try table.setLoading(nil)
    guard let manifest else { return count }
    try check(manifest)
    let seenTable = SeenTable(vault: vault, connection: connection)
    var seen = try seenTable.load()
    // Whoever had nothing has what the writer had, unless they call things by other names.
    if let digest = manifest.digest, try SyncSetting.renames.integer(connection) == nil,
      try SeenTable.vectorOverAllVaults(connection).isEmpty, try changelog.lastTransaction(connection) == 0,
      try DigestKeeper.stored(connection) != digest
    {
      throw SyncError(
        .damagedObject, operation: "merge a snapshot", message: "Its rows are not the state that it says it is.",
        hint: "Packs are read instead; the next snapshot replaces it.")
    }
    var replicas = try ReplicaTable(connection)
    // Not the writer's key by the snapshot alone: who wrote nothing else may be a copy, and will take another name as soon as it
    // meets a change of the other's.
    for (replica, coverage) in manifest.replicas where replica != changelog.replicaID {
      try replicas.pin(coverage.publicKey, of: replica, connection)
      for run in coverage.runs { seen.insert(run, of: replica) }
      try seenTable.save(seen, of: replica, &replicas)
    }
    return count
  }
}

extension Seen {
  /// Whether runs of a snapshot go on from, or repeat, what was merged before, as far as they have borders in common.
  ///
  /// - Throws: ``SyncError/Code/brokenChain``.
  func check(_ theirs: [Run], of replica: ReplicaID) throws {
    func borders(_ runs: [Run]) -> [Int64: [UInt8]] {
      var chains: [Int64: [UInt8]] = [:]
      for run in runs {
        chains[run.range.lowerBound - 1] = run.chain.before
        chains[run.range.upperBound] = run.chain.after
      }
      return chains
    }
    let mine = borders(runs[replica, default: []])
    for (number, chain) in borders(theirs) where mine[number].map({ $0 != chain }) ?? false {
      throw SyncError(
        .brokenChain, operation: "merge a snapshot",
        message: "Transactions of replica \(replica) differ from those merged before under the same numbers.",
        hint: "Two copies of one database wrote under the same identity, or somebody altered the vault.")
    }
  }
}

extension SnapshotRow {
  /// By this database's numbers for columns.
  func state(_ columns: [Int64]) -> RowState {
    var state = RowState(inserted: inserted, deleted: deleted)
    // A writer that does not know of a rename has a column under both names.
    for (column, cell) in zip(columns, cells) { if let cell { state.cells.add(cell, to: column) } }
    return state
  }
}

extension RowState {
  /// Takes in all that another state of the row knows.
  mutating func join(_ other: RowState) {
    if let theirs = other.inserted { inserted = max(inserted ?? theirs, theirs) }
    if let theirs = other.deleted { deleted = max(deleted ?? theirs, theirs) }
    for item in other.cells.items { cells.add(item.cell, to: item.column) }
  }
}
