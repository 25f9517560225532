package import DimpleStore

/// One row of the log, by ids: what a payload says before the catalogue gives names to it.
package struct LogRecord: Sendable, Hashable {
  /// What was done to the row.
  package enum Operation: UInt8, Sendable, Hashable {
    case insert = 1
    case update = 2
    case delete = 3
    /// The key changed: a delete under the old key and an insert under the new one, in one row of the log.
    case rekey = 4
  }

  /// A column's id within its table, and a value.
  package struct Cell: Sendable, Hashable {
    package var column: Int64
    package var value: SQLValue

    package init(column: Int64, value: SQLValue) {
      self.column = column
      self.value = value
    }
  }

  /// What was done.
  package var operation: Operation
  /// The transaction's number.
  package var transaction: Int64
  /// The table's id.
  package var table: Int64
  /// The key; of a ``Operation/rekey``, the new one.
  package var key: [SQLValue]
  /// The key before a ``Operation/rekey``; empty otherwise.
  package var oldKey: [SQLValue]
  /// New values; of a ``Operation/delete``, the old ones where the table keeps them.
  package var cells: [Cell]
  /// Old values of a ``Operation/rekey`` where the table keeps them; empty otherwise.
  package var oldCells: [Cell]

  /// A record from its parts.
  package init(
    operation: Operation, transaction: Int64, table: Int64, key: [SQLValue], oldKey: [SQLValue] = [],
    cells: [Cell] = [], oldCells: [Cell] = []
  ) {
    self.operation = operation
    self.transaction = transaction
    self.table = table
    self.key = key
    self.oldKey = oldKey
    self.cells = cells
    self.oldCells = oldCells
  }
}

extension LogRecord {
  /// The most columns that a key may have; the payload's first byte has five bits for their number.
  package static let maximumKeyColumns = 31

  /// The payload's bytes.
  package var payload: [UInt8] {
    var writer = ByteWriter()
    writer.head(operation, transaction: transaction, table: table, keyCount: key.count)
    for value in key + oldKey { writer.value(value) }
    for cell in cells { writer.cell(cell) }
    if !oldCells.isEmpty { writer.byte(0) }
    for cell in oldCells { writer.cell(cell) }
    return writer.bytes
  }

  /// Reads a payload.
  package init(payload: [UInt8]) throws {
    var reader = ByteReader(payload)
    let head = try reader.byte()
    guard let operation = Operation(rawValue: head & 7) else { throw reader.damage("an unknown operation") }
    let keyCount = Int(head >> 3)
    guard keyCount > 0 else { throw reader.damage("a change without a key") }
    self.init(operation: operation, transaction: try reader.identifier(), table: try reader.identifier(), key: [])
    for _ in 0..<keyCount { key.append(try reader.value()) }
    if operation == .rekey { for _ in 0..<keyCount { oldKey.append(try reader.value()) } }
    var isOld = false
    while !reader.isAtEnd {
      let column = try reader.varint()
      if column == 0 {
        guard operation == .rekey, !isOld, !reader.isAtEnd else { throw reader.damage("old values out of place") }
        isOld = true
        continue
      }
      guard let column = Int64(exactly: column) else { throw reader.damage("an identifier is out of range") }
      let cell = Cell(column: column, value: try reader.value())
      if isOld { oldCells.append(cell) } else { cells.append(cell) }
    }
  }
}

extension ByteWriter {
  /// What every payload begins with.
  mutating func head(_ operation: LogRecord.Operation, transaction: Int64, table: Int64, keyCount: Int) {
    byte(operation.rawValue | UInt8(truncatingIfNeeded: keyCount) << 3)
    varint(UInt64(bitPattern: transaction))
    varint(UInt64(bitPattern: table))
  }

  mutating func cell(_ cell: LogRecord.Cell) {
    varint(UInt64(bitPattern: cell.column))
    value(cell.value)
  }
}
