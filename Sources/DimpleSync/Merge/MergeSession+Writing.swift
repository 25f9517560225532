internal import DimpleStore

/// The last step: tables and state are made to say what was decided.
extension MergeSession {
  func write() throws -> MergeCount {
    let ordered = rows.values.sorted { $0.key < $1.key }
    // Rows that give up a unique value go first, so that those that take it over find it free.
    let leaving = Set(try ordered.filter(givesUpUniqueValue).map(\.key))
    var localValues: [RowKey: [SQLValue]] = [:]
    for row in ordered where row.before != nil && (row.shown == nil || leaving.contains(row.key)) {
      if row.shown != nil { localValues[row.key] = try access[row.table].localValues(row.keyValues) }
      try access[row.table].delete(row.keyValues)
    }
    for row in ordered {
      guard let shown = row.shown else { continue }
      do {
        if let before = row.before, !leaving.contains(row.key) {
          try access[row.table].update(from: before, to: shown)
        } else {
          try access[row.table].insert(shown)
          try access[row.table].setLocalValues(localValues[row.key] ?? [], row.keyValues)
        }
      } catch let error as StoreError where error.refusesRow {
        // A constraint that the passes do not know, such as a UNIQUE index over columns that are not synced: the row is
        // held, the sync goes on.
        try hold(row, for: error)
      }
    }
    var count = MergeCount()
    for row in ordered {
      count.add(row)
      try save(row)
    }
    return count
  }

  private func givesUpUniqueValue(_ row: WorkRow) throws -> Bool {
    guard let before = row.before, let shown = row.shown, before != shown else { return false }
    let table = schema.tables[row.table]
    if table.uniques.contains(where: { $0.columns.contains { before[$0] != shown[$0] } }) { return true }
    if table.computedUniques.isEmpty { return false }
    let access = access[row.table]
    let values = try row.nulled.isEmpty ? computedValues(of: row) : access.computedValues(of: shown)
    return try access.computedValues(ofShown: row.keyValues) != values
  }

  private func hold(_ row: WorkRow, for error: StoreError) throws {
    row.isVisible = false
    row.heldReason =
      switch error.code {
      case .checkConstraint, .sqlError, .functionFailed: .checkFailed
      case .notNullConstraint: .missingValue
      case .uniqueConstraint: .notUnique
      default: .wrongType
      }
    if row.before != nil { try access[row.table].delete(row.keyValues) }
  }

  private func save(_ row: WorkRow) throws {
    let status = status(of: row)
    var state = row.state
    if status == .settled || status == .unknownColumns, row.isVisible {
      // The table has these values; keeping them twice would double the database.
      let known = schema.tables[row.table].columnIDs
      state.cells.dropValues { known.contains($0.column) && row.state.counts($0.cell) }
    }
    try store.save(row.key, state, status, names)
  }

  private func status(of row: WorkRow) -> RowStatus {
    switch (row.isVisible, row.isAlive) {
    case (true, true):
      if row.isRevived { return .revived }
      if !row.nulled.isEmpty { return .shownWithNull }
      return hasUnknownColumns(row) ? .unknownColumns : .settled
    case (true, false): return .keptByReference
    case (false, true): return row.heldReason ?? .missingValue
    case (false, false): return .settled
    }
  }

  private func hasUnknownColumns(_ row: WorkRow) -> Bool {
    let known = schema.tables[row.table].columnIDs
    return row.state.cells.items.contains { !known.contains($0.column) }
  }
}

/// What a merge did to the tables.
struct MergeCount {
  /// Rows that tables now show otherwise than before.
  var changedRows = 0
  /// Rows newly held back.
  var newlyHeld = 0
  /// Dead rows that are newly shown on.
  var newlyKept = 0

  static func += (count: inout MergeCount, more: MergeCount) {
    count.changedRows += more.changedRows
    count.newlyHeld += more.newlyHeld
    count.newlyKept += more.newlyKept
  }

  mutating func add(_ row: WorkRow) {
    if row.before != row.shown { changedRows += 1 }
    if row.isAlive, !row.isVisible, row.storedStatus?.isHeld != true { newlyHeld += 1 }
    if !row.isAlive, row.isVisible, row.storedStatus != .keptByReference { newlyKept += 1 }
  }
}
