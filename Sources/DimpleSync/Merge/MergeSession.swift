internal import DimpleChangelog
internal import DimpleStore

/// One merge: the rows it looks at, and the passes that decide what the tables show of them.
///
/// Tables are a function of the merged state (docs/SYNC_ENGINE.md). The passes look at the rows that changed, at all that
/// are held back or shown otherwise than they are, and at those that these drag in; the outcome equals building every
/// table from the whole state.
///
/// Confined to one merge transaction of one connection, in which triggers and foreign keys are off.
final class MergeSession {
  let connection: Connection
  let schema: MergeSchema
  let access: [TableAccess]
  var names: NameTable
  var store: RowStore

  private var lastColumns: [Int64: (names: [String], ids: [Int64])] = [:]
  private(set) var rows: [RowKey: WorkRow] = [:]
  /// The rows a foreign key could mean, by the columns it refers to.
  private var targets: [Target: [MatchKey: [WorkRow]]] = [:]
  /// Rows that the state says are dead, likewise.
  private var buried: [Target: [MatchKey: [RowKey]]] = [:]
  /// The rows that make a reference, by what they refer to.
  private var children: [Child: [MatchKey: [WorkRow]]] = [:]

  private struct Target: Hashable {
    var table: Int
    var columns: [Int]
  }

  private struct Child: Hashable {
    var table: Int
    var columns: [Int]
    var parent: Int
  }

  init(_ schema: MergeSchema, _ connection: Connection) throws {
    self.connection = connection
    self.schema = schema
    names = try NameTable(connection)
    access = schema.tables.map { TableAccess($0, connection) }
    store = try RowStore(connection)
  }

  // MARK: - Rows

  /// The row with this key, loaded and decided by itself on first sight; `nil` where its table is not part of the schema.
  func row(_ key: RowKey) throws -> WorkRow? {
    if let row = rows[key] { return row }
    return try load(key) { _ in }
  }

  /// Loads a row and lets `change` work on its state before anything is decided.
  @discardableResult
  func load(_ key: RowKey, _ change: (inout RowState) throws -> Void) throws -> WorkRow? {
    guard let table = schema.position(of: key.table) else { return nil }
    let keyValues = try KeyCodec.decode(key.key)
    guard keyValues.count == schema.tables[table].keyColumns.count else { return nil }
    let entry = try store.load(key)
    let before = try access[table].read(keyValues)
    // A row that was never logged counts as the oldest there is.
    var state = entry?.state ?? RowState(inserted: before == nil ? nil : .oldest)
    if let before {
      state.fill(zip(schema.tables[table].columns, before.dropFirst(keyValues.count)).map { ($0.id, $1) })
    }
    try change(&state)
    let row = WorkRow(
      key: key, keyValues: keyValues, table: table, before: before, state: state, storedStatus: entry?.status)
    row.isRevived = schema.tables[table].updateRevives && state.revivedAt != nil
    rows[key] = row
    try decideAlone(row)
    register(row)
    return row
  }

  /// The numbers of a change's columns. Changes of a table mostly have the same columns as the one before.
  func columns(of values: [ColumnValue], in table: Int64) throws -> [Int64] {
    if let last = lastColumns[table], last.names.count == values.count,
      zip(last.names, values).allSatisfy({ $0.hasSameBytes(as: $1.name) })
    {
      return last.ids
    }
    let ids = try values.map { try names.column($0.name, of: table, connection) }
    lastColumns[table] = (values.map(\.name), ids)
    return ids
  }

  /// The key of a row as its table shows it.
  func key(of row: [SQLValue], in table: Int) -> RowKey {
    RowKey(
      table: schema.tables[table].id,
      key: KeyCodec.encode(Array(row.prefix(schema.tables[table].keyColumns.count))))
  }

  /// Pass 1: may the row stand by itself?
  private func decideAlone(_ row: WorkRow) throws {
    let table = schema.tables[row.table]
    row.wish = row.state.wish(row.keyValues, table)
    guard let wish = row.wish else { return }
    if table.hasRowIDKey, !row.keyValues.allSatisfy(\.isInteger) {
      row.heldReason = .wrongType
    } else if zip(table.columns, wish.dropFirst(row.keyValues.count)).contains(where: { $0.isNotNull && $1 == .null }) {
      row.heldReason = .missingValue
    } else if table.needsProbe, row.before != wish {
      row.heldReason = try access[row.table].probe(wish)
    }
  }

  /// May be shown, as far as pass 1 goes.
  func mayStand(_ row: WorkRow) -> Bool {
    (row.isAlive || row.isWanted) && row.wish != nil && row.heldReason == nil
  }

  private func register(_ row: WorkRow) {
    for key in schema.references[row.table] {
      let target = Target(table: row.table, columns: key.parentColumns)
      if let match = row.match(key.parentColumns, key.collations),
        targets[target]?[match]?.contains(where: { $0 === row }) != true
      {
        targets[target, default: [:]][match, default: []].append(row)
      }
    }
    for key in schema.tables[row.table].foreignKeys {
      let child = Child(table: row.table, columns: key.childColumns, parent: key.parent)
      if let match = row.reference(by: key) {
        children[child, default: [:]][match, default: []].append(row)
      }
    }
  }

  // MARK: - References

  /// The rows at hand that `row` could mean by `key`.
  func parentsAtHand(of row: WorkRow, by key: ForeignKey) -> [WorkRow] {
    guard let match = row.reference(by: key) else { return [] }
    return targets[Target(table: key.parent, columns: key.parentColumns)]?[match] ?? []
  }

  /// The rows at hand that have what `row`, one of them, has in the columns that `key` refers to.
  func likesAtHand(of row: WorkRow, for key: ForeignKey) -> [WorkRow] {
    guard let match = row.match(key.parentColumns, key.collations) else { return [] }
    return targets[Target(table: key.parent, columns: key.parentColumns)]?[match] ?? []
  }

  /// The rows that the state says are dead, and that had what `row` has in these columns: what `key` refers to.
  func buriedParents(likeThatOf row: WorkRow, _ columns: [Int], by key: ForeignKey) throws -> [RowKey] {
    guard let wish = row.wish else { return [] }
    let values = key.compared(columns.map { wish[$0] })
    guard let match = MatchKey(values, key.collations) else { return [] }
    let table = schema.tables[key.parent]
    if key.targetsKey, key.collations.allSatisfy({ $0 == .binary }) {
      return try KeyCodec.equalKeys(values)
        .map { RowKey(table: table.id, key: $0) }
        .filter { try store.load($0)?.state.isAlive == false }
    }
    // A reference to columns outside the key, or by a collation: rare enough to read through the table's whole state.
    let target = Target(table: key.parent, columns: key.parentColumns)
    if let known = buried[target] { return known[match] ?? [] }
    var found: [MatchKey: [RowKey]] = [:]
    try store.forEach(in: table.id) { rowKey, entry in
      guard !entry.state.isAlive, let keyValues = try? KeyCodec.decode(rowKey.key),
        keyValues.count == table.keyColumns.count, let wish = entry.state.wish(keyValues, table),
        let match = MatchKey(key.parentColumns.map { wish[$0] }, key.collations)
      else { return }
      found[match, default: []].append(rowKey)
    }
    buried[target] = found
    return found[match] ?? []
  }

  /// Whether the parent's table shows a row that `row` means by `key` and that this merge does not look at.
  func hasSettledParent(_ row: WorkRow, by key: ForeignKey) throws -> Bool {
    guard let wish = row.wish else { return false }
    let found = try access[key.parent].rows(
      where: key.parentColumns, equal: key.childColumns.map { wish[$0] }, collations: key.collations)
    return found.contains { rows[self.key(of: $0, in: key.parent)] == nil }
  }

  /// The rows at hand that mean `row` by `key`.
  func childrenAtHand(of row: WorkRow, by key: ForeignKey) -> [WorkRow] {
    guard let match = row.match(key.parentColumns, key.collations) else { return [] }
    return children[Child(table: key.child, columns: key.childColumns, parent: key.parent)]?[match] ?? []
  }

  /// The keys of the rows that the child's table shows with a reference to `row` and that this merge does not look at.
  func settledChildren(of row: WorkRow, by key: ForeignKey) throws -> [RowKey] {
    guard let shown = row.before ?? row.wish else { return [] }
    return try shownChildren(of: shown, by: key).filter { rows[$0] == nil }
  }

  /// The keys of the rows that the child's table shows with a reference to what a parent has.
  func shownChildren(of parent: [SQLValue], by key: ForeignKey) throws -> [RowKey] {
    let values = key.parentColumns.map { parent[$0] }
    guard let match = MatchKey(values, key.collations) else { return [] }
    return try access[key.child]
      .rows(where: key.childColumns, equal: values, collations: key.collations, affinities: key.affinities)
      .filter { row in MatchKey(key.compared(key.childColumns.map { row[$0] }), key.collations) == match }
      .map { self.key(of: $0, in: key.child) }
  }
}

extension SQLValue {
  fileprivate var isInteger: Bool { if case .integer = self { true } else { false } }
}

extension Stamp {
  /// Earlier than every stamp a clock gives.
  static let oldest = Stamp(time: HybridTime(rawValue: 0), replica: ReplicaID(rawValue: 0))
}
