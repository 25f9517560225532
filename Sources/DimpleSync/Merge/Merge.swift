internal import DimpleChangelog
internal import DimpleStore

/// One foreign transaction on its way into the state.
struct ForeignTransaction {
  var replica: ReplicaID
  var transaction: PackTransaction
}

/// Merges foreign transactions into the database, inside one merge transaction of its writer: ``add(_:)`` as often as there
/// are more, then ``finish()``.
///
/// The own log is folded into the state first; then the foreign changes are, in any order; then the tables are made to
/// show what the state says. Most rows need no more than ``RowMerger``; the rest goes through the session's passes at the end.
final class Merge {
  private let connection: Connection
  private let session: MergeSession
  private let recorder: MergeRecorder
  private let merger: RowMerger
  let conflicts: ConflictLog
  /// Rows that are held back, or shown otherwise than they are; with any, also those that the app wrote to.
  private let waiting: Set<RowKey>
  private var left: [RowKey: [(batch: ChangeBatch, entries: ArraySlice<ChangeBatch.Entry>)]] = [:]
  private var joining: [RowKey: RowState] = [:]

  /// Folds what the app wrote.
  init(_ connection: Connection, _ changelog: Changelog, _ schema: MergeSchema) throws {
    self.connection = connection
    let isFirst = try SyncSetting.folded.get(connection) == nil
    let session = try MergeSession(schema, connection)
    self.session = session
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
  func add(_ transactions: some Collection<ForeignTransaction>) throws {
    let batch = try batch(transactions)
    for row in try merger.merge(batch) { left[row.key, default: []].append((batch, row.entries)) }
  }

  /// Somebody else has given names their numbers.
  func readNames() throws { session.names = try NameTable(connection) }

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

  private func batch(_ transactions: some Collection<ForeignTransaction>) throws -> ChangeBatch {
    let batch = ChangeBatch()
    for foreign in transactions {
      let author = try session.store.replicas.number(of: foreign.replica, connection)
      for change in foreign.transaction.changes {
        let table = try session.names.table(change.table, connection)
        batch.append(change, table: table, columns: try session.columns(of: change.columns, in: table), by: author)
      }
    }
    return batch
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
