internal import DimpleChangelog
internal import DimpleStore

/// Takes rows over into tables that have none: one insert into the table and one into the state each, without looking
/// anything up. What SQLite refuses, and what its writer held, is left for the merge to decide.
struct BulkLoader {
  private let schema: MergeSchema
  private let connection: Connection
  private var replicas: ReplicaTable
  private let saveState: Statement
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
    var plain: Plain?
  }

  /// How rows of a shape are taken over whose writes were all one insert, and whose columns this schema knows.
  private struct Plain {
    /// One for each column of the shape.
    var parameters: [(index: Int32, isNotNull: Bool)]
    /// What the shape lacks.
    var defaults: [(index: Int32, value: SQLValue)]
    /// What the state has after the insert's stamp: the same for each row.
    var cells: [UInt8]
    /// Of the registers, for the digest.
    var table: RegisterHash
    var registers: [RegisterHash]
  }

  init(_ schema: MergeSchema, _ connection: Connection) throws {
    self.schema = schema
    self.connection = connection
    replicas = try ReplicaTable(connection)
    names = try NameTable(connection)
    saveState = try connection.prepare("INSERT INTO dimple_row(tbl, key, state, status) VALUES (?, ?, ?, ?)")
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
      plain: try plain(table, columns))
  }

  private func plain(_ table: MergeTable, _ columns: [Int64]) throws -> Plain? {
    guard Set(columns).count == columns.count else { return nil }
    let first = table.keyColumns.count
    var plain = Plain(
      parameters: [], defaults: [], cells: [], table: digest.hash(table.id, names),
      registers: [.inserted] + columns.map { digest.hash($0, names) })
    for column in columns {
      guard let index = table.columns.firstIndex(where: { $0.id == column }) else { return nil }
      plain.parameters.append((Int32(first + index + 1), table.columns[index].isNotNull))
    }
    for (index, column) in table.columns.enumerated() where !columns.contains(column.id) {
      guard case .constant(let value) = column.fallback else { return nil }
      plain.defaults.append((Int32(first + index + 1), value))
    }
    var state = RowState(inserted: .oldest)
    for column in columns { state.cells[column] = RowState.Cell(stamp: .oldest, value: nil) }
    // Flags, then the stamp: two numbers of one byte each.
    plain.cells = Array(try RowStateCodec.encode(state) { _ in 0 }.dropFirst(3))
    return plain
  }

  // MARK: - Rows as nearly all are

  /// - Returns: Whether the row was of that form, and was taken over; if not, ``load(_:)`` takes it.
  mutating func loadPlain(
    _ scanner: inout PlainRowScanner, _ replicas: [Int64], latest: HybridTime
  ) throws -> Bool {
    guard let target, let plain = target.plain, let table = target.table, let insert = target.insert,
      scanner.skip(#"{"key":["#)
    else { return false }
    var key: ByteWriter? = ByteWriter()
    for index in table.keyColumns.indices {
      guard index == 0 || scanner.skip(","), try scanner.bind(insert, at: Int32(index + 1), key: &key) else {
        return false
      }
    }
    guard scanner.skip(#"],"inserted":["#), let time = scanner.integer(), scanner.skip(","),
      let number = scanner.integer(), scanner.skip(#"],"values":["#), time >= 0, time <= latest.rawValue,
      replicas.indices.contains(Int(clamping: number))
    else { return false }
    var none: ByteWriter?
    for (index, parameter) in plain.parameters.enumerated() {
      guard index == 0 || scanner.skip(","), !(parameter.isNotNull && scanner.isNull),
        try scanner.bind(insert, at: parameter.index, key: &none)
      else { return false }
    }
    guard scanner.skip("]}\n"), let key else { return false }
    for column in plain.defaults { try insert.bind(column.value, at: column.index) }
    guard try isInserted(insert) else { return false }
    var state = ByteWriter()
    state.byte(1)
    state.varint(UInt64(time))
    state.varint(UInt64(bitPattern: replicas[Int(number)]))
    try save(key.bytes, state.bytes + plain.cells, .settled, target.id)
    let row = key.bytes.withUnsafeBytes { plain.table.hashing($0) }
    let stamp = RegisterHash.stamp(time: time, replica: try self.replicas.replica(replicas[Int(number)]).rawValue)
    for register in plain.registers { digest.add(row.digest(of: register, stamp: stamp)) }
    shownRows += 1
    return true
  }

  private func isInserted(_ insert: Statement) throws -> Bool {
    do {
      while try insert.step() {}
      return true
    } catch let error as StoreError where error.refusesRow {
      return false
    }
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
    return try isInserted(insert)
  }

  // MARK: - Any row

  /// - Throws: `StoreError` of a constraint where the state has the row already.
  mutating func load(_ row: SnapshotRow) throws {
    guard let target else { return }
    var state = row.state(target.columns)
    let status = try show(row, &state, target)
    let encoded = try RowStateCodec.encode(state) { try replicas.number(of: $0, connection) }
    let key = RowKey(table: target.id, key: KeyCodec.encode(row.key))
    try save(key.key, encoded, status, target.id)
    digest.add(digest.digest(key, state, names))
  }

  /// After the last row.
  func finish() throws { try digest.save(connection) }

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

  private mutating func save(_ key: [UInt8], _ state: [UInt8], _ status: RowStatus, _ table: Int64) throws {
    try saveState.bind(int64: table, at: 1)
    try saveState.bind(bytes: key, at: 2)
    try saveState.bind(bytes: state, at: 3)
    try saveState.bind(int64: status.rawValue, at: 4)
    while try saveState.step() {}
    rows += 1
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
