internal import DimpleChangelog
internal import DimpleStore

/// Takes rows over into tables that have none: one insert into the table and one into the state each, without looking
/// anything up. What SQLite refuses, and what its writer held, is left for the merge to decide.
struct BulkLoader {
  private let schema: MergeSchema
  private let connection: Connection
  private var replicas: ReplicaTable
  private let states: StateWrites
  private let digest = DigestKeeper()
  private var names: NameTable
  private var target: Target?
  private(set) var rows = 0
  /// How many rows tables show more than before.
  private(set) var shownRows = 0

  /// Where the rows of a shape go.
  private struct Target {
    var id: Int64
    /// By this database's numbers.
    var columns: [Int64]
    /// `nil` where the table is not part of the schema.
    var table: MergeTable?
    var insert: Statement?
    var plain: PlainRows?
  }

  init(_ schema: MergeSchema, _ connection: Connection) throws {
    self.schema = schema
    self.connection = connection
    replicas = try ReplicaTable(connection)
    names = try NameTable(connection)
    states = try StateWrites(.insert, connection, batchSize: schema.rowsPerStatement)
  }

  /// The rows that follow are of this table, with these columns.
  mutating func begin(_ id: Int64, _ columns: [Int64], _ names: NameTable) throws {
    self.names = names
    guard let position = schema.position(of: id) else {
      target = Target(id: id, columns: columns)
      return
    }
    let table = schema.tables[position]
    target = Target(
      id: id, columns: columns, table: table, insert: try connection.prepare(TableAccess(table, connection).insertSQL),
      plain: try PlainRows(table, columns, digest, names, states, batchSize: schema.rowsPerStatement, connection))
  }

  /// Takes over the next rows, if they are as nearly all are.
  ///
  /// - Returns: Whether it took any; if not, ``load(_:)`` takes the next one.
  mutating func loadPlain(
    _ cursor: inout JSONCursor, _ authors: [PlainRows.Author], latest: HybridTime
  ) throws -> Bool {
    guard let loaded = try target?.plain?.load(&cursor, authors, latest: latest), loaded > 0 else { return false }
    rows += loaded
    shownRows += loaded
    return true
  }

  /// Binds the values and inserts the row; large ones are not copied.
  private func isInserted(_ insert: Statement, binding values: ArraySlice<SQLValue>, from index: Int32) throws -> Bool {
    var index = index
    for (position, value) in zip(values.indices, values) {
      if case .blob(let bytes) = value, bytes.count > BigReference.threshold {
        return try bytes.withUnsafeBytes { bytes in
          // They are gone after this call.
          defer {
            insert.reset()
            insert.clearBindings()
          }
          try insert.bind(borrowedBlob: bytes, at: index)
          return try isInserted(insert, binding: values[(position + 1)...], from: index + 1)
        }
      }
      try insert.bind(value, at: index)
      index += 1
    }
    return try insert.isInserted()
  }

  /// - Throws: `StoreError` of a constraint where the state has the row already.
  mutating func load(_ row: SnapshotRow) throws {
    guard let target else { return }
    var state = row.state(target.columns)
    let status = try show(row, &state, target)
    let encoded = try RowStateCodec.encode(state) { try replicas.number(of: $0, connection) }
    let key = RowKey(table: target.id, key: KeyCodec.encode(row.key))
    key.key.withUnsafeBytes { key in
      encoded.withUnsafeBytes { states.append(table: target.id, key: key, state: $0, status: status) }
    }
    if states.isFull { try states.flush() }
    rows += 1
    digest.add(digest.digest(key, state, names))
  }

  /// After the last row.
  func finish() throws {
    try states.flush()
    try digest.save(connection)
  }

  private mutating func show(_ row: SnapshotRow, _ state: inout RowState, _ target: Target) throws -> RowStatus {
    guard let table = target.table, let insert = target.insert, table.keyColumns.count == row.key.count else {
      return .unknownTable
    }
    guard state.isAlive, !row.isHeld else {
      return row.isHeld || (table.updateRevives && state.revivedAt != nil) ? .undecided : .settled
    }
    guard let wish = state.wish(row.key, table) else { return .undecided }
    guard try isInserted(insert, binding: wish[...], from: 1) else { return .undecided }
    shownRows += 1
    let life = state
    state.cells.dropValues { table.columnIDs.contains($0.column) && life.counts($0.cell) }
    return state.cells.items.contains { !table.columnIDs.contains($0.column) } ? .unknownColumns : .settled
  }

  // MARK: - References

  /// Leaves rows to the next merge that refer to rows which are not shown.
  func markOrphans() throws {
    for table in schema.tables {
      for key in table.foreignKeys { try markOrphans(of: table, key) }
    }
  }

  private func markOrphans(of table: MergeTable, _ key: ForeignKey) throws {
    let parent = schema.tables[key.parent]
    let references = key.childColumns.map { "child." + SQL.quoted(identifier: table.allColumns[$0].name) }
    let targets = key.parentColumns.map { "parent." + SQL.quoted(identifier: parent.allColumns[$0].name) }
    let isSet = references.map { "\($0) IS NOT NULL" }.joined(separator: " AND ")
    let isAnswered = zip(targets, references).map { "\($0) = \($1)" }.joined(separator: " AND ")
    let keyColumns = table.keyColumns.map { "child." + SQL.quoted(identifier: $0.name) }.joined(separator: ", ")
    let orphans = try connection.prepare(
      """
      SELECT \(keyColumns) FROM \(SQL.quoted(identifier: table.name)) AS child WHERE \(isSet) AND NOT EXISTS (
        SELECT 1 FROM \(SQL.quoted(identifier: parent.name)) AS parent WHERE \(isAnswered))
      """)
    defer { orphans.reset() }
    let mark = try connection.prepare("UPDATE dimple_row SET status = ? WHERE tbl = ? AND key = ? AND status IN (0, 9)")
    while try orphans.step() {
      let values = (0..<table.keyColumns.count).map { orphans.value(Int32($0)) }
      try mark.run(.integer(RowStatus.undecided.rawValue), .integer(table.id), .blob(KeyCodec.encode(values)))
    }
  }
}
