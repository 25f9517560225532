internal import DimpleChangelog
internal import DimpleStore

/// Merges foreign changes into the database, inside one merge transaction of its writer: ``add(_:)`` as often as there are
/// more, then ``finish()``.
///
/// The own log is folded into the state first; then the foreign changes are, in any order; then the tables are made to
/// show what the state says. Most rows need no more than ``RowMerger``; the rest goes through the session's passes at the end.
final class Merge {
  private let connection: Connection
  private let session: MergeSession
  private let recorder: MergeRecorder
  private let merger: RowMerger
  private var scanner: TransactionScanner
  let conflicts: ConflictLog
  /// Rows that are held back, or shown otherwise than they are; with any, also those that the app wrote to.
  private let waiting: Set<RowKey>
  private var left: [RowKey: [(batch: ChangeBatch, entries: ArraySlice<ChangeBatch.Entry>)]] = [:]
  private var joining: [RowKey: RowState] = [:]
  private var lastAuthor: (replica: ReplicaID, number: Int64)?

  /// Folds what the app wrote.
  init(_ connection: Connection, _ changelog: Changelog, _ schema: MergeSchema) throws {
    self.connection = connection
    let isFirst = try SyncSetting.folded.get(connection) == nil
    let session = try MergeSession(schema, connection)
    self.session = session
    scanner = TransactionScanner(session)
    try session.keepDigest()
    let schemaChanged = try session.rememberSchema()
    let waiting = try schema.tables.flatMap {
      try session.store.unsettled(in: $0.id, includingUnknown: schemaChanged)
        + (schemaChanged && $0.updateRevives ? session.store.revivable(in: $0.id) : [])
    }
    // With nothing held back, what the app wrote is what the state says, and needs no second look.
    let folded = try Fold(session: session, changelog: changelog).run(reportsRows: !waiting.isEmpty)
    self.waiting = folded.union(waiting)
    recorder = try changelog.mergeRecorder(connection, isFirst: isFirst)
    conflicts = ConflictLog(own: try session.store.replicas.number(of: changelog.replicaID, connection))
    merger = try RowMerger(session, schemaChanged: schemaChanged, recorder, conflicts)
  }

  /// Takes changes in, as far as no row needs another.
  func add(_ batch: ChangeBatch) throws {
    for row in try merger.merge(batch) { left[row.key, default: []].append((batch, row.entries)) }
  }

  /// Reads a line of a pack into a batch; `nil` for one that ``TransactionReader`` has to read.
  func scan(
    _ line: UnsafeBufferPointer<UInt8>, number: Int64, by author: ReplicaID, into batch: ChangeBatch
  ) throws -> TransactionScanner.Scanned? {
    try scanner.scan(line, number: number, by: try self.number(of: author), into: batch)
  }

  /// Adds changes to a batch.
  func append(_ changes: [PackChange], by author: ReplicaID, to batch: ChangeBatch) throws {
    let author = try number(of: author)
    for change in changes {
      let table = try session.names.table(change.table, connection)
      batch.append(
        change, table: table, columns: try session.columns(of: change.columns, in: table),
        large: change.bigColumns.isEmpty ? [] : try large(change, in: table), by: author)
    }
  }

  /// The numbers of a table and of columns of it, as this merge knows them.
  func numbers(ofTable name: String, columns: [String]) throws -> (table: Int64, columns: [Int64]) {
    let table = try session.names.table(name, connection)
    return (table, try columns.map { try session.names.column($0, of: table, connection) })
  }

  /// Takes in what another state of a row knows: for states that no changes stand for, as they lack values.
  func join(_ state: RowState, into key: RowKey) { joining[key, default: RowState()].join(state) }

  /// Decides the rows that need others, and makes the tables show them.
  func finish() throws -> MergeCount {
    for key in waiting.union(left.keys).union(joining.keys).sorted() { try take(left[key] ?? [], into: key) }
    try session.markWanted()
    try session.decideUniqueness()
    try session.decideReferences()
    var count = try session.write()
    count.changedRows += merger.changedRows
    try session.recordHistory(recorder)
    try session.store.digest.save(connection)
    return count
  }

  // MARK: - Foreign changes

  private func number(of author: ReplicaID) throws -> Int64 {
    if let lastAuthor, lastAuthor.replica == author { return lastAuthor.number }
    let number = try session.store.replicas.number(of: author, connection)
    lastAuthor = (author, number)
    return number
  }

  private func large(_ change: PackChange, in table: Int64) throws -> [(column: Int64, value: PackedBytes)] {
    try change.bigColumns.map { column in
      guard let value = try PartTable(connection: connection).packed(column.reference) else {
        throw SyncError(
          .damagedState, operation: "merge a large value", message: "Its parts are not here any more.",
          hint: "Sync again.")
      }
      return (try session.names.column(column.name, of: table, connection), value)
    }
  }

  private func take(
    _ changes: [(batch: ChangeBatch, entries: ArraySlice<ChangeBatch.Entry>)], into key: RowKey
  ) throws {
    let changes = try changes.flatMap { batch, entries in try entries.map { try change($0, of: batch) } }
    func merge(_ state: inout RowState) {
      if let known = joining[key] { state.join(known) }
      for change in changes { state.apply(change.operation, change.columns, at: change.stamp) }
    }
    if try session.load(key, merge) != nil { return }
    // A table that this app does not have, or with another key: kept until it does.
    var state = try session.store.load(key)?.state ?? RowState()
    merge(&state)
    try session.store.save(key, state, .unknownTable, session.names)
  }

  private func change(
    _ entry: ChangeBatch.Entry, of batch: ChangeBatch
  ) throws -> (stamp: Stamp, operation: Change.Operation, columns: [(id: Int64, value: SQLValue?)]) {
    let replica = try session.store.replicas.replica(entry.author)
    return (
      Stamp(time: HybridTime(rawValue: entry.time), replica: replica), entry.operation.changeOperation,
      try batch.cells(of: entry).map { ($0.column, try batch.value(of: $0).value) }
    )
  }
}

extension MergeSession {
  /// Whether tables or columns have come or gone since the last merge, or updates begun or ceased to revive rows.
  func rememberSchema() throws -> Bool {
    let description = schema.tables.map { table in
      "\(table.id)\(table.updateRevives ? "!" : ""):" + table.allColumns.map { String($0.id) }.joined(separator: ",")
    }.sorted().joined(separator: ";")
    if try SyncSetting.schema.get(connection) == .text(description) { return false }
    try SyncSetting.schema.set(.text(description), connection)
    return true
  }
}
