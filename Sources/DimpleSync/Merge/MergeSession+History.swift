internal import DimpleChangelog
internal import DimpleStore

/// What the merge did to the tables goes into the changelog's history: the state keeps no more than the last write.
extension MergeSession {
  func recordHistory(_ recorder: MergeRecorder) throws {
    for row in rows.values {
      let shown = row.shown
      if row.before != shown { try record(row, shown, recorder) }
    }
    try recorder.finish()
  }

  private func record(_ row: WorkRow, _ shown: [SQLValue]?, _ recorder: MergeRecorder) throws {
    let table = schema.tables[row.table]
    let keyCount = row.keyValues.count
    guard let shown else {
      try recorder.record(.delete, table: table.name, key: row.keyValues, columns: [], at: row.leavingStamp)
      return
    }
    let birth = (row.isRevived ? row.state.revivedAt : row.state.inserted) ?? .oldest
    var columns: [Stamp: [ColumnValue]] = [:]
    if row.before == nil { columns[birth] = [] }
    for (index, column) in table.columns.enumerated() where row.before?[keyCount + index] != shown[keyCount + index] {
      let written = row.state.cells[column.id].flatMap { row.state.counts($0) ? $0.stamp : nil } ?? birth
      columns[row.before == nil ? max(birth, written) : written, default: []]
        .append(ColumnValue(name: column.name, value: shown[keyCount + index]))
    }
    for (stamp, columns) in columns.sorted(by: { $0.key < $1.key }) {
      let isInsert = row.before == nil && stamp == birth
      try recorder.record(
        isInsert ? .insert : .update, table: table.name, key: row.keyValues, columns: columns, at: stamp)
    }
  }
}

extension WorkRow {
  /// Of a row that its table does not show any more: its delete's, or where it only had to give way, its last write's.
  fileprivate var leavingStamp: Stamp {
    if !isAlive, let deleted = state.deleted { return deleted }
    return state.cells.items.map(\.cell.stamp).max() ?? state.inserted ?? .oldest
  }
}
