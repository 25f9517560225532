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
    let now = folded(status, table)
    if now == .undecided { undecided.append(RowKey(table: table.id, key: [UInt8](change.key))) }
    try updateState(change.key, of: table, now)
    return true
  }

  /// What ``row`` is after the app has written to it.
  ///
  /// Where the app inserts a row anew, values that somebody wrote to other columns after its delete are its values again: of
  /// columns that this app does not have, or did not have when it inserted the row.
  private func folded(_ status: RowStatus, _ table: PackedTable) -> RowStatus {
    guard table.isKnown else { return .unknownTable }
    guard status == .settled || status == .unknownTable else { return status }
    guard row.isAlive else { return .settled }
    var result = RowStatus.settled
    for index in row.registers.indices {
      let register = row.registers[index]
      if table.column(register.column).position < 0 {
        result = .unknownColumns
      } else if !register.isNew, register.value != nil, row.deleted.map({ $0 < register.stamp }) ?? true {
        return .undecided
      }
    }
    return result
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
