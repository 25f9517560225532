internal import DimpleChangelog
internal import DimpleStore

/// The app's own changes: its tables show them already, only the state has to follow.
extension RowMerger {
  func fold(_ change: PackedRowChange, into table: PackedTable) throws -> Bool {
    let isKnown = table.isKnown
    if change.hasInsert {
      row.clear()
      try apply(change)
      encodeFolded(table)
      if try insertState(change.key, of: table, isKnown ? .settled : .unknownTable) {
        digest.add(digestOfRow(change.key, of: table))
        return true
      }
    }
    guard let status = try load(change.key, of: table) else {
      if change.hasInsert { return true }
      row.clear()
      try apply(change)
      encodeFolded(table)
      _ = try insertState(change.key, of: table, isKnown ? .settled : .unknownTable)
      digest.add(digestOfRow(change.key, of: table))
      return true
    }
    let (inserted, deleted) = (row.inserted, row.deleted)
    try apply(change)
    encodeFolded(table)
    digest.add(digestOfChanges(change.key, of: table, inserted: inserted, deleted: deleted))
    try updateState(change.key, of: table, folded(status, table))
    return true
  }

  /// What ``row`` is after the app has written to it.
  private func folded(_ status: RowStatus, _ table: PackedTable) -> RowStatus {
    guard table.isKnown else { return .unknownTable }
    guard status == .settled || status == .unknownTable else { return status }
    // Where the app inserts a row anew, values that somebody wrote after its delete are its values again.
    let hasUnknownColumns = row.registers.contains { table.column($0.column).position < 0 }
    return row.isAlive && hasUnknownColumns ? .unknownColumns : .settled
  }

  private func apply(_ change: PackedRowChange) throws {
    for entry in change.entries {
      // A delete may carry the row's last values: what the table showed, and the state had left to it.
      if entry.operation == .delete { row.fill(entry, from: change.batch) }
      row.apply(entry, at: try replicas.stamp(time: entry.time, number: entry.author), from: change.batch)
    }
  }

  /// What the app wrote is in the table: the state of a living row keeps the stamp alone.
  func encodeFolded(_ table: PackedTable) {
    state.removeAll()
    let leavesValues = row.isAlive && table.isKnown
    row.encode(to: &state) { register in
      !(leavesValues && register.isNew && table.column(register.column).position >= 0)
    }
  }
}
