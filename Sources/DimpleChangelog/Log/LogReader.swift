internal import DimpleStore

/// Gives a log record its names.
struct LogReader {
  private let identities: Identities
  private let names: LogNameHistory
  /// The transactions whose names are at hand.
  private var range: ClosedRange<Int64>
  private var tables: [Int64: String] = [:]
  private var columns: [ColumnKey: String] = [:]

  private struct ColumnKey: Hashable {
    var table: Int64
    var column: Int64
  }

  init(names: LogNameHistory, identities: Identities) {
    self.identities = identities
    self.names = names
    let present = names.present
    range = present.range
    take(present)
  }

  private mutating func take(_ names: LogNames) {
    range = names.range
    tables = names.tables
    columns = Dictionary(
      uniqueKeysWithValues: names.columns.flatMap { table, columns in
        columns.map { (ColumnKey(table: table, column: $0.key), $0.value) }
      })
  }

  /// One change; of a rekey the delete and the insert.
  ///
  /// - Throws: ``ChangelogError`` `.damagedLog` for ids that the catalogue lacks.
  mutating func changes(_ record: LogRecord, at time: HybridTime) throws -> [Change] {
    if !range.contains(record.transaction) { take(names.names(of: record.transaction)) }
    return try named(record, at: time)
  }

  private func named(_ record: LogRecord, at time: HybridTime) throws -> [Change] {
    let replica = identities.replica(of: record.transaction)
    func change(
      _ operation: Change.Operation, _ key: [SQLValue], _ cells: [LogRecord.Cell], at time: HybridTime
    ) throws -> Change {
      Change(
        stamp: Stamp(time: time, replica: replica), transaction: record.transaction,
        table: try name(tables[record.table], time), key: key, operation: operation,
        columns: try cells.map { cell in
          ColumnValue(
            name: try name(columns[ColumnKey(table: record.table, column: cell.column)], time), value: cell.value)
        })
    }
    return switch record.operation {
    case .insert: [try change(.insert, record.key, record.cells, at: time)]
    case .update: [try change(.update, record.key, record.cells, at: time)]
    case .delete: [try change(.delete, record.key, record.cells, at: time)]
    case .rekey:
      [
        try change(.delete, record.oldKey, record.oldCells, at: HybridTime(rawValue: time.rawValue &- 1)),
        try change(.insert, record.key, record.cells, at: time),
      ]
    }
  }

  private func name(_ name: String?, _ time: HybridTime) throws -> String {
    if let name { return name }
    throw ChangelogError(
      .damagedLog, operation: "read the change log",
      message: "The row \(time.rawValue) of dimple_log names a table or column that the catalogue lacks.",
      hint: "Restore the database from a backup, or sync into a new one.")
  }
}
