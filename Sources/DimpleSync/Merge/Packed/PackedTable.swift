internal import DimpleChangelog
internal import DimpleStore

/// One table as packed rows are written to it: which column stands where, and the statements.
final class PackedTable {
  struct Column {
    /// In the table's `allColumns`; -1 for a column that is not part of the schema.
    var position = -1
    var isNotNull = false
    /// Other rows may refer to its values.
    var isReferredTo = false
    /// What it is called in the change log's catalogue.
    var catalogID: Int64 = 0
    /// Of its name.
    var hash = RegisterHash(low: 0, high: 0)
  }

  /// In ``NameTable``.
  let id: Int64
  /// `nil` where the table is not part of the schema.
  let table: MergeTable?
  let isKnown: Bool
  /// Of the table's name.
  let hash: RegisterHash
  /// Some foreign key refers to the table.
  let isReferredTo: Bool
  let foreignKeys: [PackedForeignKey]
  /// ``MergeTable/updateRevives``.
  let updateRevives: Bool
  /// The table and its columns in the change log's catalogue.
  private let historyID: Int64?
  private let catalogIDs: [Int64]
  /// Of the columns outside the key; apart from ``table``, which costs much to copy.
  private let isNotNull: [Bool]
  private let keyCount: Int
  private let hasRowIDKey: Bool
  private let fallbacks: [ColumnDefault]
  /// What a column holds that nobody wrote, packed, where that is a constant.
  private let defaults: [PackedConstant]

  private let firstColumn: Int64
  private let columns: [Column]
  private let connection: Connection
  private let insertion: Statement?
  private let insertions: Statement?
  /// How many new rows one statement inserts; 1 where a row may refer to another of them, or has too many columns.
  let rowsPerStatement: Int
  /// So many rows are inserted one by one, as those before them would not go together.
  @exclusivity(unchecked) var rowsAlone = 0
  @exclusivity(unchecked) private var updates: [(positions: [Int32], statement: Statement)] = []
  private let quotedName: String
  private let keyCondition: String
  /// For each column, where its register stands in the row at hand; -1 where it has none.
  @exclusivity(unchecked) private var places: [Int]
  @exclusivity(unchecked) private var cells: [PackedCell] = []
  /// The key of the row at hand, value by value.
  @exclusivity(unchecked) private(set) var keyValues: [PackedValue] = []

  init(
    _ id: Int64, _ schema: MergeSchema, _ hash: (Int64) -> RegisterHash, _ recorder: MergeRecorder?,
    _ connection: Connection
  ) throws {
    self.id = id
    self.hash = hash(id)
    self.connection = connection
    let position = schema.position(of: id)
    let table = position.map { schema.tables[$0] }
    self.table = table
    let references = position.map { schema.references[$0] } ?? []
    isReferredTo = !references.isEmpty
    foreignKeys = try (table?.foreignKeys ?? []).map { try PackedForeignKey($0, schema, connection) }
    let history = table.flatMap { recorder?.packedTable($0.name) }
    historyID = history?.id
    catalogIDs = (table?.columns ?? []).map { history?.columns[$0.name] ?? 0 }
    isKnown = table != nil
    updateRevives = table?.updateRevives ?? false
    keyCount = table?.keyColumns.count ?? 0
    hasRowIDKey = table?.hasRowIDKey ?? false
    isNotNull = (table?.columns ?? []).map(\.isNotNull)
    fallbacks = (table?.columns ?? []).map(\.fallback)
    defaults = (table?.columns ?? []).map { PackedConstant($0.fallback) }
    places = Array(repeating: -1, count: table?.columns.count ?? 0)
    let ids = table?.columns.map(\.id) ?? []
    firstColumn = ids.min() ?? 0
    var columns = [Column](repeating: Column(), count: ids.isEmpty ? 0 : Int((ids.max() ?? 0) - firstColumn) + 1)
    let referred = Set(references.flatMap(\.parentColumns))
    for (index, column) in (table?.columns ?? []).enumerated() {
      let position = (table?.keyColumns.count ?? 0) + index
      columns[Int(column.id - firstColumn)] = Column(
        position: position, isNotNull: column.isNotNull, isReferredTo: referred.contains(position),
        catalogID: history?.columns[column.name] ?? 0, hash: hash(column.id))
    }
    self.columns = columns
    quotedName = SQL.quoted(identifier: table?.name ?? "")
    keyCondition = (table?.keyColumns ?? []).map { "\(SQL.quoted(identifier: $0.name)) = ?" }
      .joined(separator: " AND ")
    let access = table.map { TableAccess($0, connection) }
    insertion = try access.map { try connection.prepare($0.insertSQL + " ON CONFLICT DO NOTHING") }
    let width = table?.allColumns.count ?? 1
    let refersToItself = foreignKeys.contains { $0.key.child == $0.key.parent }
    let isWide = width * schema.rowsPerStatement > TableAccess.maximumParameters
    let rows = refersToItself || isWide ? 1 : schema.rowsPerStatement
    insertions = try access.map { try connection.prepare($0.insertSQL(rows: rows)) }
    rowsPerStatement = rows
  }

  func column(_ id: Int64) -> Column {
    let index = Int(id &- firstColumn)
    return columns.indices.contains(index) ? columns[index] : Column()
  }

  /// Takes the key apart; `false` where it is not one of this table.
  func setKey(_ key: UnsafeRawBufferPointer) throws -> Bool {
    keyValues.removeAll(keepingCapacity: true)
    guard let base = key.baseAddress else { return false }
    var reader = PackedReader(base.assumingMemoryBound(to: UInt8.self), count: key.count)
    while !reader.isAtEnd {
      let start = reader.position
      try reader.skipValue()
      keyValues.append(PackedValue(start: start, count: reader.position - start))
    }
    return keyValues.count == keyCount && (!hasRowIDKey || keyValues.allSatisfy(\.isInteger))
  }

  /// Some row may refer to another of the table.
  var refersToItself: Bool { foreignKeys.contains { $0.key.child == $0.key.parent } }

  /// Whether the table shows a row with the key at hand.
  func hasRow() throws -> Bool {
    let statement = try connection.prepare("SELECT 1 FROM \(quotedName) WHERE \(keyCondition)")
    defer { statement.reset() }
    for (index, value) in keyValues.enumerated() { try statement.bind(borrowed: value, at: Int32(index + 1)) }
    return try statement.step()
  }

  /// What the table shows in a column of the row with the key at hand.
  func shownValue(_ column: Int64) throws -> SQLValue? {
    let position = self.column(column).position
    guard let table, position >= 0 else { return nil }
    let name = SQL.quoted(identifier: table.allColumns[position].name)
    let statement = try connection.prepare("SELECT \(name) FROM \(quotedName) WHERE \(keyCondition)")
    defer { statement.reset() }
    for (index, value) in keyValues.enumerated() { try statement.bind(borrowed: value, at: Int32(index + 1)) }
    return try statement.step() ? statement.value(0) : nil
  }

  /// Whether every NOT NULL column would have a value. Comes before ``insert(_:insertedAt:)``.
  func canInsert(_ row: borrowing PackedRow) -> Bool {
    place(row)
    for index in places.indices where isNotNull[index] {
      if places[index] < 0 {
        if fallbacks[index] == .constant(.null) { return false }
      } else if row.registers[places[index]].value?.isNull ?? true {
        return false
      }
    }
    return true
  }

  /// Inserts a row; `false` where the table has one that is in its way.
  func insert(_ row: borrowing PackedRow, insertedAt stamp: Stamp) throws -> Bool {
    guard let insertion else { return false }
    try bind(row, to: insertion, after: 0, insertedAt: stamp)
    return try changesOne(insertion)
  }

  /// Gives a row to the statement that inserts many, as its `index`th.
  func gather(_ row: borrowing PackedRow, insertedAt stamp: Stamp, at index: Int) throws {
    guard let insertions else { return }
    try bind(row, to: insertions, after: Int32(index * (keyCount + places.count)), insertedAt: stamp)
  }

  /// Inserts the rows that were gathered; `false` where the schema does not allow one of them: then none is there.
  func insertGathered() throws -> Bool { try insertions?.isInserted() ?? false }

  private func bind(
    _ row: borrowing PackedRow, to insertion: Statement, after parameter: Int32, insertedAt stamp: Stamp
  ) throws {
    var parameter = parameter
    for index in keyValues.indices {
      parameter += 1
      try insertion.bind(borrowed: keyValues[index], at: parameter)
    }
    for index in places.indices {
      parameter += 1
      if places[index] >= 0, let value = row.registers[places[index]].value {
        try insertion.bind(borrowed: value, at: parameter)
      } else {
        try insertion.bind(fallbacks[index].value(insertedAt: stamp), at: parameter)
      }
    }
  }

  /// Finds each column's register. Both mostly come in the order of the columns' numbers.
  func place(_ row: borrowing PackedRow) {
    for index in places.indices { places[index] = -1 }
    for index in row.registers.indices {
      let position = column(row.registers[index].column).position
      if position >= 0 { places[position - keyValues.count] = index }
    }
  }

  /// Writes the new registers; `false` where the table does not have the row.
  ///
  /// - Parameter positions: Of the registers to write, in `row`.
  func update(_ row: borrowing PackedRow, _ written: [Int]) throws -> Bool {
    let statement = try updateStatement(row, written)
    var place: Int32 = 0
    for index in written {
      place += 1
      guard let value = row.registers[index].value else { return false }
      try statement.bind(borrowed: value, at: place)
    }
    for value in keyValues {
      place += 1
      try statement.bind(borrowed: value, at: place)
    }
    return try changesOne(statement)
  }

  private func changesOne(_ statement: Statement) throws -> Bool {
    let before = connection.totalChanges
    while try statement.step() {}
    return connection.totalChanges == before + 1
  }

  private func updateStatement(_ row: borrowing PackedRow, _ written: [Int]) throws -> Statement {
    for update in updates where update.positions.count == written.count {
      var isSame = true
      for (index, position) in zip(written, update.positions)
      where column(row.registers[index].column).position != position {
        isSame = false
        break
      }
      if isSame { return update.statement }
    }
    let positions = written.map { column(row.registers[$0].column).position }
    let assignments = positions.map { position in
      "\(SQL.quoted(identifier: table?.allColumns[position].name ?? "")) = ?"
    }.joined(separator: ", ")
    let statement = try connection.prepare("UPDATE OR ABORT \(quotedName) SET \(assignments) WHERE \(keyCondition)")
    // Rows can be written in as many ways as they have sets of columns.
    if updates.count == 64 { updates.removeAll() }
    updates.append((positions.map(Int32.init), statement))
    return statement
  }

  // MARK: - References

  /// Whether every row that this one refers to is shown.
  ///
  /// - Parameter written: Only by foreign keys that one of these registers is part of; `nil` for all.
  func hasParents(_ row: borrowing PackedRow, written: [Int]? = nil) throws -> Bool {
    for foreignKey in foreignKeys {
      if let written, !written.contains(where: { isPart(row.registers[$0].column, of: foreignKey.key) }) { continue }
      switch try references(row, foreignKey.key) {
      case .none: continue
      case .unknown: return false
      case .to(let values): guard try foreignKey.isAnswered(values) else { return false }
      }
    }
    return true
  }

  private enum Reference {
    case none
    case unknown
    case to([PackedValue])
  }

  private func isPart(_ column: Int64, of key: ForeignKey) -> Bool {
    let position = self.column(column).position
    return position >= 0 && key.childColumns.contains(position)
  }

  private func references(_ row: borrowing PackedRow, _ key: ForeignKey) throws -> Reference {
    var values: [PackedValue] = []
    for position in key.childColumns {
      guard let value = value(at: position, row) else { return .unknown }
      if value.isNull { return .none }
      values.append(value)
    }
    return .to(values)
  }

  /// What the row shows in a column, where the state or the changes know it.
  private func value(at position: Int, _ row: borrowing PackedRow) -> PackedValue? {
    if position < keyValues.count { return keyValues[position] }
    for index in row.registers.indices where column(row.registers[index].column).position == position {
      return row.registers[index].value
    }
    let bytes = defaults[position - keyValues.count].bytes
    return bytes.baseAddress.map { PackedValue(start: $0.assumingMemoryBound(to: UInt8.self), count: bytes.count) }
  }

  // MARK: - History

  /// The row is new in the table: all columns, what was written later than the insert as writes of its own.
  ///
  /// - Parameter isTentative: Whether the row is inserted is only known later; the recorder is to be told.
  func recordInsert(
    _ row: borrowing PackedRow, key: UnsafeRawBufferPointer, _ recorder: MergeRecorder, isTentative: Bool = false
  ) throws {
    guard let birth = row.inserted else { return }
    var current = birth
    while true {
      let isBirth = current == birth
      cells.removeAll(keepingCapacity: true)
      var next: PackedStamp?
      for (index, place) in places.enumerated() {
        let stamp = place < 0 || row.registers[place].stamp < birth ? birth : row.registers[place].stamp
        if stamp == current {
          cells.append(PackedCell(column: catalogIDs[index], value: try value(index, place, row)))
        } else if current < stamp, next.map({ stamp < $0 }) ?? true {
          next = stamp
        }
      }
      try record(isBirth ? .insert : .update, key: key, at: current, recorder, isTentative: isTentative)
      guard let following = next else { return }
      current = following
    }
  }

  private func value(_ index: Int, _ place: Int, _ row: borrowing PackedRow) throws -> UnsafeRawBufferPointer {
    if place >= 0, let value = row.registers[place].value {
      return UnsafeRawBufferPointer(start: value.start, count: value.count)
    }
    return defaults[index].bytes
  }

  /// Columns of a row have new values.
  func recordUpdate(
    _ row: borrowing PackedRow, _ written: [Int], key: UnsafeRawBufferPointer, _ recorder: MergeRecorder
  ) throws {
    guard var current = written.map({ row.registers[$0].stamp }).min(by: <) else { return }
    while true {
      cells.removeAll(keepingCapacity: true)
      var next: PackedStamp?
      for index in written {
        let register = row.registers[index]
        if register.stamp == current, let value = register.value {
          cells.append(
            PackedCell(
              column: column(register.column).catalogID,
              value: UnsafeRawBufferPointer(start: value.start, count: value.count)))
        } else if current < register.stamp, next.map({ register.stamp < $0 }) ?? true {
          next = register.stamp
        }
      }
      try record(.update, key: key, at: current, recorder)
      guard let following = next else { return }
      current = following
    }
  }

  private func record(
    _ operation: Change.Operation, key: UnsafeRawBufferPointer, at stamp: PackedStamp, _ recorder: MergeRecorder,
    isTentative: Bool = false
  ) throws {
    guard let historyID else { return }
    try recorder.record(
      operation, table: historyID, key: key, keyCount: keyValues.count, cells: cells, at: stamp.stamp,
      isTentative: isTentative)
  }
}
