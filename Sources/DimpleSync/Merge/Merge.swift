internal import DimpleChangelog
internal import DimpleStore

/// One foreign transaction on its way into the state.
struct ForeignTransaction {
  var replica: ReplicaID
  var transaction: PackTransaction
}

/// Merges foreign transactions into the database, inside one merge transaction of its writer.
///
/// The own log is folded into the state first; then the foreign changes are, in any order; then the tables are made to
/// show what the state says.
struct Merge {
  let connection: Connection
  let changelog: Changelog
  let schema: MergeSchema

  /// - Parameter states: What a snapshot knows of rows; joined with what is known here.
  func run(_ transactions: [ForeignTransaction], joining states: [RowKey: RowState] = [:]) throws -> MergeCount {
    let isFirst = try SyncSetting.folded.get(connection) == nil
    let session = try MergeSession(schema, connection)
    let schemaChanged = try rememberSchema()
    let waiting = try schema.tables.flatMap {
      try session.store.unsettled(in: $0.id, includingUnknown: schemaChanged)
    }
    let folded = try Fold(session: session, changelog: changelog).run()
    let incoming = try group(transactions, session)
    // With nothing held back, what the app wrote is what the state says, and needs no second look.
    let keys = Set(waiting).union(waiting.isEmpty ? [] : folded).union(incoming.keys).union(states.keys)
    for key in keys.sorted() { try take(incoming[key] ?? [], states[key], into: key, session) }
    try session.markWanted()
    try session.decideUniqueness()
    try session.decideReferences()
    let count = try session.write()
    try session.recordHistory(changelog.mergeRecorder(connection, isFirst: isFirst))
    return count
  }

  // MARK: - Foreign changes

  private struct Incoming {
    var stamp: Stamp
    var operation: Change.Operation
    var columns: [(id: Int64, value: SQLValue?)]
  }

  private func group(
    _ transactions: [ForeignTransaction], _ session: MergeSession
  ) throws -> [RowKey: [Incoming]] {
    var incoming: [RowKey: [Incoming]] = [:]
    for foreign in transactions {
      for change in foreign.transaction.changes {
        let table = try session.names.table(change.table, connection)
        let columns = zip(try session.columns(of: change.columns, in: table), change.columns).map {
          (id: $0, value: SQLValue?.some($1.value))
        }
        let stamp = Stamp(time: change.time, replica: foreign.replica)
        incoming[RowKey(table: table, key: KeyCodec.encode(change.key)), default: []].append(
          Incoming(stamp: stamp, operation: change.operation, columns: columns))
      }
    }
    return incoming
  }

  private func take(
    _ changes: [Incoming], _ known: RowState?, into key: RowKey, _ session: MergeSession
  ) throws {
    func merge(_ state: inout RowState) {
      if let known { state.join(known) }
      for change in changes { state.apply(change.operation, change.columns, at: change.stamp) }
    }
    if try session.load(key, merge) != nil { return }
    // A table that this app does not have, or with another key: kept until it does.
    var state = try session.store.load(key)?.state ?? RowState()
    merge(&state)
    try session.store.save(key, state, .unknownTable)
  }

  // MARK: - Schema

  /// Whether tables or columns have come or gone since the last merge.
  private func rememberSchema() throws -> Bool {
    let description = schema.tables.map { table in
      "\(table.id):" + table.allColumns.map { String($0.id) }.joined(separator: ",")
    }.sorted().joined(separator: ";")
    if try SyncSetting.schema.get(connection) == .text(description) { return false }
    try SyncSetting.schema.set(.text(description), connection)
    return true
  }
}
