internal import DimpleStore

/// The dead rows that live ones refer to by a NO ACTION or RESTRICT foreign key and that cannot be shown, because nobody here
/// knows what they held: an older version of the app, in which nothing referred to them, deleted them here.
struct AwaitedParents {
  private let schema: MergeSchema
  private let store: RowStore

  init(_ connection: Connection, _ schema: MergeSchema) throws {
    self.schema = schema
    store = try RowStore(connection)
  }

  func find() throws -> Set<RowKey> {
    var found: Set<RowKey> = []
    for table in schema.tables where table.foreignKeys.contains(where: { $0.onDelete == .keep }) {
      for key in try store.unsettled(in: table.id, includingUnknown: false) {
        guard let entry = try store.load(key), entry.status == .missingParent else { continue }
        let keyValues = try KeyCodec.decode(key.key)
        guard let wish = entry.state.wish(keyValues, table) else { continue }
        for reference in table.foreignKeys where reference.onDelete == .keep {
          found.formUnion(try parents(meantBy: reference.childColumns.map { wish[$0] }, reference))
        }
      }
    }
    return found
  }

  private func parents(meantBy values: [SQLValue], _ reference: ForeignKey) throws -> [RowKey] {
    if values.contains(.null) { return [] }
    let table = schema.tables[reference.parent]
    if reference.targetsKey, reference.collations.allSatisfy({ $0 == .binary }) {
      return try KeyCodec.equalKeys(values).map { RowKey(table: table.id, key: $0) }.filter { key in
        try store.load(key).map { try isUnknown($0.state, key, table) } ?? false
      }
    }
    // Whose values are not known may have had these.
    var found: [RowKey] = []
    try store.forEach(in: table.id) { key, entry in if try isUnknown(entry.state, key, table) { found.append(key) } }
    return found
  }

  private func isUnknown(_ state: RowState, _ key: RowKey, _ table: MergeTable) throws -> Bool {
    guard !state.isAlive, state.inserted != nil else { return false }
    let keyValues = try KeyCodec.decode(key.key)
    return keyValues.count == table.keyColumns.count && state.wish(keyValues, table) == nil
  }
}

/// What snapshots say of rows that are awaited: where the packs that wrote them are gone.
struct RememberedRows: Sendable {
  struct Row: Sendable {
    var key: RowKey
    var keyValues: [SQLValue]
    /// By column id; those with a value.
    var cells: [(column: Int64, cell: RowState.Cell)]
  }

  let awaited: Set<RowKey>
  let names: NameTable
  private(set) var rows: [Row] = []

  init(_ awaited: Set<RowKey>, _ names: NameTable) {
    (self.awaited, self.names) = (awaited, names)
  }

  mutating func note(_ row: SnapshotRow, _ shape: SnapshotShape) {
    guard !awaited.isEmpty, let table = names.number(ofTable: shape.table) else { return }
    let key = RowKey(table: table, key: KeyCodec.encode(row.key))
    guard awaited.contains(key) else { return }
    let cells = zip(shape.columns, row.cells).compactMap { name, cell in
      cell.flatMap { cell in
        cell.value == nil ? nil : names.number(of: name, in: table).map { (column: $0, cell: cell) }
      }
    }
    rows.append(Row(key: key, keyValues: row.key, cells: cells))
  }
}
