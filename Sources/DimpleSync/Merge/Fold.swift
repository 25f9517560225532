internal import DimpleChangelog
internal import DimpleStore

/// Takes what the app itself wrote since the last time from the log into the merged state.
struct Fold {
  private static let batchSize = 20_000

  let session: MergeSession
  let changelog: Changelog

  /// The rows touched.
  func run() throws -> Set<RowKey> {
    let connection = session.connection
    var position = try SyncSetting.folded.integer(connection) ?? 0
    var touched: Set<RowKey> = []
    var batch: [RowKey: [Change]] = [:]
    var size = 0
    try changelog.transactions(connection, after: position) { transaction in
      for change in transaction.changes {
        let table = try session.names.table(change.table, connection)
        batch[RowKey(table: table, key: KeyCodec.encode(change.key)), default: []].append(change)
      }
      position = transaction.number
      size += transaction.changes.count
      if size >= Self.batchSize {
        try fold(batch)
        touched.formUnion(batch.keys)
        batch = [:]
        size = 0
      }
      return true
    }
    try fold(batch)
    touched.formUnion(batch.keys)
    try SyncSetting.folded.set(.integer(position), connection)
    try SyncTables.noteNeeded(changelog, connection)
    return touched
  }

  private func fold(_ batch: [RowKey: [Change]]) throws {
    for (key, changes) in batch.sorted(by: { $0.key < $1.key }) {
      let entry = try session.store.load(key)
      var state = entry?.state ?? RowState()
      for change in changes { try apply(change, to: &state, of: key) }
      let isKnown = session.schema.position(of: key.table) != nil
      if state.isAlive, isKnown { try leaveValuesToTable(&state, writtenBy: changes, to: key) }
      let status = entry?.status ?? .settled
      try session.store.save(key, state, isKnown ? (status == .unknownTable ? .settled : status) : .unknownTable)
    }
  }

  private func apply(_ change: Change, to state: inout RowState, of key: RowKey) throws {
    let columns = zip(try session.columns(of: change.columns, in: key.table), change.columns).map {
      (id: $0, value: $1.value)
    }
    // A delete may carry the row's last values: what the table showed, and the state had left to it.
    if change.operation == .delete { state.fill(columns) }
    state.apply(change.operation, columns.map { ($0.id, .some($0.value)) }, at: change.stamp)
  }

  /// What the app wrote is in the table: the state keeps the stamp alone.
  private func leaveValuesToTable(_ state: inout RowState, writtenBy changes: [Change], to key: RowKey) throws {
    guard let position = session.schema.position(of: key.table) else { return }
    let known = session.schema.tables[position].columnIDs
    var written: Set<Int64> = []
    for change in changes { written.formUnion(try session.columns(of: change.columns, in: key.table)) }
    state.cells.dropValues { written.contains($0.column) && known.contains($0.column) }
  }
}
