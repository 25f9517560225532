internal import DimpleStore

/// Gives a log record its names: those of now, or the last ones of what was dropped since.
struct LogReader {
  private let identities: Identities
  private let tables: [Int64: String]
  private let columns: [ColumnKey: String]

  private struct ColumnKey: Hashable {
    var table: Int64
    var column: Int64
  }

  init(catalog: Catalog, identities: Identities) {
    self.identities = identities
    tables = catalog.tables.mapValues(\.name)
    columns = Dictionary(
      uniqueKeysWithValues: catalog.tables.values.flatMap { table in
        table.columns.map { (ColumnKey(table: table.id, column: $0.id), $0.name) }
      })
  }

  /// One change; of a rekey the delete and the insert.
  ///
  /// - Throws: ``ChangelogError`` `.damagedLog` for ids that the catalogue lacks.
  func changes(_ record: LogRecord, at time: HybridTime) throws -> [Change] {
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
