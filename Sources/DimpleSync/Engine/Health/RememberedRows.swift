internal import DimpleChangelog
internal import DimpleStore

/// What snapshots say of rows that are awaited: where the packs that wrote them are gone.
struct RememberedRows: Sendable {
  struct Row: Sendable {
    var key: RowKey
    var keyValues: [SQLValue]
    /// The columns, by their numbers, whose values the snapshot's writer knows.
    var cells: [(column: Int64, stamp: Stamp, value: SQLValue)]
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
    let cells = zip(shape.columns, row.cells).compactMap { name, cell -> (Int64, Stamp, SQLValue)? in
      guard let cell, let value = cell.value, let column = names.number(of: name, in: table) else { return nil }
      return (column, cell.stamp, value)
    }
    rows.append(Row(key: key, keyValues: row.key, cells: cells))
  }
}
