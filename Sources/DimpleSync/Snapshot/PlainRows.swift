internal import DimpleChangelog
internal import DimpleStore

/// Takes over rows as nearly all are: written by one insert, of columns that this schema knows, each as text without escapes, NULL or
/// a number. They are read in place, and many go into their table by one statement.
///
/// Confined to one merge transaction of one connection.
final class PlainRows {
  /// Who a stamp's number means.
  struct Author {
    /// In ``ReplicaTable``.
    var number: Int64
    var replica: ReplicaID
  }

  private struct Column {
    /// In a row's parameters, from 1.
    var parameter: Int32
    var isNotNull: Bool
  }

  private struct Row {
    /// Where its key begins and ends in ``keys``.
    var key: Range<Int>
    var time: Int64
    var author: Author
  }

  private let table: Int64
  private let keyCount: Int
  private let columns: [Column]
  /// What the rows lack.
  private let defaults: [(parameter: Int32, value: SQLValue)]
  private let one: Statement
  private let many: Statement
  /// How many rows ``many`` takes, and how many parameters a row has.
  private let batchSize: Int
  private let width: Int32
  /// What the state has after the insert's stamp: the same for each row.
  private let cells: [UInt8]
  /// Of the table and its registers, for the digest.
  private let tableHash: RegisterHash
  private let registers: [RegisterHash]
  private let digest: DigestKeeper
  private let states: StateWrites

  @exclusivity(unchecked) private var keys = PackedWriter(capacity: 1 << 10)
  @exclusivity(unchecked) private var state = PackedWriter()
  @exclusivity(unchecked) private var rows: [Row] = []
  /// So many rows are taken one by one: together, they did not do.
  private var alone = 0

  /// - Returns: `nil` where the table lacks one of the columns, or computes what the rows lack.
  init?(
    _ table: MergeTable, _ columns: [Int64], _ digest: DigestKeeper, _ names: NameTable, _ states: StateWrites,
    batchSize: Int, _ connection: Connection
  ) throws {
    guard Set(columns).count == columns.count else { return nil }
    keyCount = table.keyColumns.count
    var parameters: [Column] = []
    for column in columns {
      guard let index = table.columns.firstIndex(where: { $0.id == column }) else { return nil }
      parameters.append(Column(parameter: Int32(keyCount + index + 1), isNotNull: table.columns[index].isNotNull))
    }
    var defaults: [(parameter: Int32, value: SQLValue)] = []
    for (index, column) in table.columns.enumerated() where !columns.contains(column.id) {
      guard case .constant(let value) = column.fallback else { return nil }
      defaults.append((Int32(keyCount + index + 1), value))
    }
    let access = TableAccess(table, connection)
    self.defaults = defaults
    self.table = table.id
    self.columns = parameters
    width = Int32(table.allColumns.count)
    self.batchSize = max(1, min(batchSize, TableAccess.maximumParameters / Int(width)))
    one = try connection.prepare(access.insertSQL)
    many = try connection.prepare(access.insertSQL(rows: self.batchSize))
    var state = RowState(inserted: .oldest)
    for column in columns { state.cells[column] = RowState.Cell(stamp: .oldest, value: nil) }
    // Flags, then the stamp: two numbers of one byte each.
    cells = Array(try RowStateCodec.encode(state) { _ in 0 }.dropFirst(3))
    tableHash = digest.hash(table.id, names)
    registers = [.inserted] + columns.map { digest.hash($0, names) }
    self.digest = digest
    self.states = states
    for row in 0..<self.batchSize { try bindDefaults(to: many, after: Int32(row) * width) }
  }

  private func bindDefaults(to insert: Statement, after parameter: Int32) throws {
    for column in defaults { try insert.bind(column.value, at: parameter + column.parameter) }
  }

  /// Takes rows over, as many as go into a statement, or one.
  ///
  /// - Parameters:
  ///   - authors: As the part numbers them.
  ///   - latest: No stamp may lie beyond it.
  /// - Returns: How many; 0 where the next row is of another form, or SQLite refuses it. The cursor is then anywhere.
  func load(_ cursor: inout JSONCursor, _ authors: [Author], latest: HybridTime) throws -> Int {
    if alone == 0, batchSize > 1 {
      let start = cursor
      forget()
      var index: Int32 = 0
      while index < batchSize, try scan(&cursor, into: many, after: index * width, authors, latest) { index += 1 }
      if index == batchSize, try many.isInserted() {
        try save()
        return batchSize
      }
      alone = Int(index)
      cursor = start
    }
    forget()
    alone = max(0, alone - 1)
    guard try scan(&cursor, into: one, after: 0, authors, latest) else { return 0 }
    // Others use this statement, too.
    try bindDefaults(to: one, after: 0)
    guard try one.isInserted() else { return 0 }
    try save()
    return 1
  }

  private func forget() {
    rows.removeAll(keepingCapacity: true)
    keys.removeAll()
  }

  private func scan(
    _ cursor: inout JSONCursor, into insert: Statement, after parameter: Int32, _ authors: [Author],
    _ latest: HybridTime
  ) throws -> Bool {
    guard cursor.skip(#"{"key":["#) else { return false }
    let start = keys.count
    for index in 0..<keyCount {
      guard index == 0 || cursor.skip("," as Unicode.Scalar), let value = cursor.scalar() else { return false }
      if case .null = value { return false }
      keys.value(value)
      try insert.bind(value, at: parameter + Int32(index + 1))
    }
    guard cursor.skip(#"],"inserted":["#), let time = cursor.integer(), cursor.skip("," as Unicode.Scalar),
      let number = cursor.integer(), cursor.skip(#"],"values":["#), time >= 0, time <= latest.rawValue,
      authors.indices.contains(Int(clamping: number))
    else { return false }
    for index in columns.indices {
      guard index == 0 || cursor.skip("," as Unicode.Scalar), let value = cursor.scalar() else { return false }
      if case .null = value, columns[index].isNotNull { return false }
      try insert.bind(value, at: parameter + columns[index].parameter)
    }
    guard cursor.skip("]}\n") else { return false }
    rows.append(Row(key: start..<keys.count, time: time, author: authors[Int(number)]))
    return true
  }

  /// The tables have the rows: so has the state.
  private func save() throws {
    for row in rows {
      let key = UnsafeRawBufferPointer(rebasing: keys.bytes[row.key])
      state.removeAll()
      state.byte(1)
      state.varint(UInt64(row.time))
      state.varint(UInt64(bitPattern: row.author.number))
      cells.withUnsafeBytes { state.append($0) }
      states.append(table: table, key: key, state: state.bytes, status: .settled)
      if states.isFull { try states.flush() }
      let hash = tableHash.hashing(key)
      let stamp = RegisterHash.stamp(time: row.time, replica: row.author.replica.rawValue)
      for register in registers { digest.add(hash.digest(of: register, stamp: stamp)) }
    }
  }
}

extension Statement {
  /// Runs an insert; `false` where the schema does not allow the row, or one of them: then none is there.
  func isInserted() throws -> Bool {
    do {
      while try step() {}
      return true
    } catch let error as StoreError where error.refusesRow {
      return false
    }
  }

  /// Binds text without a copy.
  fileprivate func bind(_ value: JSONCursor.Scalar, at index: Int32) throws {
    switch value {
    case .null: try bindNull(at: index)
    case .integer(let value): try bind(int64: value, at: index)
    case .real(let value): try bind(double: value, at: index)
    case .text(let text): try bind(borrowedText: text, at: index)
    }
  }
}
