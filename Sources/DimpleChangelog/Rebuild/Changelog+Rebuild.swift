internal import DimpleMutex
internal import DimpleStore

extension Changelog {
  /// Whether an edit puts a copy in the place of what it was made from: by dropping the original when the copy has its name
  /// already, or by giving the copy the name of the dropped original.
  func replacement(_ edit: SchemaEdit, _ catalog: Catalog) -> Replacement? {
    state.withLock { state in
      switch edit {
      case .dropped(let name):
        guard let rebuild = state.changes.dropping else { return nil }
        if let original = state.changes.originalNames[rebuild.original.id], original != SQLName(name),
          let copy = rebuild.copies.values.first(where: { SQLName($0.table.name) == original })
        {
          return Replacement(rebuild: rebuild, copy: copy, name: copy.table.name)
        }
        state.changes.dropped[SQLName(name)] = rebuild
        return nil
      case .renamed(let old, let new):
        guard let rebuild = state.changes.dropped[SQLName(new)], let id = catalog[old]?.id,
          let copy = rebuild.copies[id]
        else { return nil }
        return Replacement(rebuild: rebuild, copy: copy, name: new)
      case .created, .columnAdded, .columnDropped, .columnRenamed: return nil
      }
    }
  }

  /// Takes the copied rows out of the log again, and logs what is different in the copy.
  func log(_ replacement: Replacement, _ schema: TrackedSchema, _ connection: Connection) throws {
    let rebuild = replacement.rebuild
    guard let table = schema.tables.first(where: { $0.id == rebuild.original.id }) else { return }
    let ids = table.columnIDs
    let differences = replacement.copy.differences
    let recorder = recorder
    try recorder.flush(connection)
    try moveLog(of: replacement.copy.table, to: table, after: rebuild.time, connection)
    for difference in differences {
      let cells = difference.columns.compactMap { column in
        ids[SQLName(column.name)].map { LogRecord.Cell(column: $0, value: column.value) }
      }
      // Only columns that stay on this device are different.
      if difference.operation == .update, cells.isEmpty { continue }
      let record = LogRecord(
        operation: difference.operation, transaction: recorder.currentTransaction, table: table.id,
        key: difference.key, cells: cells)
      try recorder.append(record, connection)
    }
  }

  /// Of what this transaction logged under the copy's ids, removes what was there when the copy was compared, and gives the
  /// rest the original's ids.
  private func moveLog(
    of copy: TrackedTable, to table: TrackedTable, after time: HybridTime, _ connection: Connection
  ) throws {
    let start = recorder.committedClock.last
    let names = Dictionary(uniqueKeysWithValues: copy.columns.map { ($0.id, SQLName($0.name)) })
    let ids = table.columnIDs
    let rows = try connection.prepare("SELECT hlc, payload FROM dimple_log WHERE hlc > ? ORDER BY hlc")
    try rows.bind(.integer(start.rawValue), at: 1)
    var changed: [(hlc: Int64, entries: [LogRun.Entry])] = []
    while try rows.step() {
      let entries = try LogTables.entries(rows)
      guard entries.contains(where: { $0.record.table == copy.id }) else { continue }
      let rest = entries.compactMap { entry -> LogRun.Entry? in
        guard entry.record.table == copy.id else { return entry }
        if entry.time <= time { return nil }
        var moved = entry
        moved.record.move(to: table.id) { names[$0].flatMap { ids[$0] } }
        return moved
      }
      changed.append((rows.int64(0), rest))
    }
    rows.reset()
    for (hlc, entries) in changed {
      try connection.prepare("DELETE FROM dimple_log WHERE hlc = ?").run(.integer(hlc))
      for row in LogRun.rows(of: entries) {
        try connection.prepare("INSERT INTO dimple_log(hlc, payload) VALUES (?, ?)")
          .run(.integer(row.hlc), .blob(row.payload))
      }
    }
  }
}

extension LogRecord {
  /// Puts the change under another table's id, and its cells under the ids that `column` gives.
  fileprivate mutating func move(to table: Int64, column: (Int64) -> Int64?) {
    func moved(_ cells: [Cell]) -> [Cell] {
      cells.compactMap { cell in column(cell.column).map { Cell(column: $0, value: cell.value) } }
    }
    self.table = table
    cells = moved(cells)
    oldCells = moved(oldCells)
  }
}

extension TrackedTable {
  /// Of the columns outside the key.
  fileprivate var columnIDs: [SQLName: Int64] {
    Dictionary(uniqueKeysWithValues: columns.map { (SQLName($0.name), $0.id) })
  }
}
