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

  func find() throws -> Set<RowKey> { try missing().union(rivalsOfKept()) }

  /// Those without which a row is held.
  private func missing() throws -> Set<RowKey> {
    var found: Set<RowKey> = []
    for table in schema.tables where table.foreignKeys.contains(where: { $0.onDelete == .keep }) {
      for wish in try wishes(of: .missingParent, in: table) {
        for reference in table.foreignKeys where reference.onDelete == .keep {
          found.formUnion(try parents(meantBy: reference.childColumns.map { wish[$0] }, reference))
        }
      }
    }
    return found
  }

  /// Those that may have the better claim to be shown than one that is kept, as keys that differ in case alone.
  private func rivalsOfKept() throws -> Set<RowKey> {
    var found: Set<RowKey> = []
    for (index, table) in schema.tables.enumerated() {
      let references = schema.references[index].filter { $0.onDelete == .keep }
      if references.isEmpty { continue }
      for wish in try wishes(of: .keptByReference, in: table) {
        for reference in references {
          found.formUnion(try parents(meantBy: reference.parentColumns.map { wish[$0] }, reference))
        }
      }
    }
    return found
  }

  /// The rows of a status, as they should be.
  private func wishes(of status: RowStatus, in table: MergeTable) throws -> [[SQLValue]] {
    try store.unsettled(in: table.id, includingUnknown: false).compactMap { key in
      guard let entry = try store.load(key), entry.status == status else { return nil }
      return entry.state.wish(try KeyCodec.decode(key.key), table)
    }
  }

  private func parents(meantBy values: [SQLValue], _ reference: ForeignKey) throws -> [RowKey] {
    guard let match = MatchKey(values, reference.collations) else { return [] }
    let table = schema.tables[reference.parent]
    if reference.targetsKey, reference.collations.allSatisfy({ $0 == .binary }) {
      return try KeyCodec.equalKeys(values).map { RowKey(table: table.id, key: $0) }.filter { key in
        try store.load(key).map { try isUnknown($0.state, KeyCodec.decode(key.key), table) } ?? false
      }
    }
    var found: [RowKey] = []
    try store.forEach(in: table.id) { key, entry in
      let keyValues = try KeyCodec.decode(key.key)
      // Beyond its key, one whose values are not known may have had these.
      let isMeant = !reference.targetsKey || MatchKey(keyValues, reference.collations) == match
      if try isMeant && isUnknown(entry.state, keyValues, table) { found.append(key) }
    }
    return found
  }

  private func isUnknown(_ state: RowState, _ keyValues: [SQLValue], _ table: MergeTable) throws -> Bool {
    !state.isAlive && state.inserted != nil && keyValues.count == table.keyColumns.count
      && state.wish(keyValues, table) == nil
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
