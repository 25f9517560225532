internal import DimpleChangelog
internal import DimpleStore

/// Foreign changes.
extension RowMerger {
  /// - Returns: `false` for a row that is left for the passes, as it was.
  func merge(_ change: PackedRowChange, into table: PackedTable) throws -> Bool {
    let isKey = try table.setKey(change.key)
    // A key with other columns than the table's: kept, as of an unknown table.
    if table.isKnown, !isKey { return false }
    // Most rows with an insert are new: that is tried first, and costs nothing where it fails.
    if change.hasInsert {
      if let isDone = try mergeNew(change, into: table) {
        if !isDone, try load(change.key, of: table) != nil { try noteConflicts(change, table) }
        return isDone
      }
      guard let status = try load(change.key, of: table) else { return false }
      return try mergeKnown(change, into: table, status)
    }
    guard let status = try load(change.key, of: table) else { return try mergeNew(change, into: table) ?? false }
    return try mergeKnown(change, into: table, status)
  }

  private func noteConflicts(_ change: PackedRowChange, _ table: PackedTable) throws {
    guard let conflicts, row.hasWrites(of: conflicts.own) else { return }
    for entry in change.entries {
      try noteConflicts(entry, at: replicas.stamp(time: entry.time, number: entry.author), change, table)
    }
  }

  private func apply(_ change: PackedRowChange) throws {
    for entry in change.entries {
      row.apply(entry, at: try replicas.stamp(time: entry.time, number: entry.author), from: change.batch)
    }
  }

  // MARK: - Rows never seen

  /// - Returns: `nil` if the row was seen before.
  private func mergeNew(_ change: PackedRowChange, into table: PackedTable) throws -> Bool? {
    row.clear()
    try apply(change)
    guard table.isKnown else {
      _ = encode(leavingValuesTo: nil)
      return try insertNewState(change, table, .unknownTable)
    }
    guard row.isAlive else {
      // Nobody refers to it, and no row that was never logged has its key.
      guard row.inserted != nil, !table.isReferredTo, !table.updateRevives, try !table.hasRow() else { return false }
      _ = encode(leavingValuesTo: nil)
      return try insertNewState(change, table, .settled)
    }
    guard row.deleted == nil, let inserted = row.inserted, table.canInsert(row), try table.hasParents(row) else {
      return false
    }
    let status: RowStatus = encode(leavingValuesTo: table) ? .unknownColumns : .settled
    guard try insertNewState(change, table, status) != nil else { return nil }
    do {
      if try table.insert(row, insertedAt: inserted.stamp) {
        if let recorder { try table.recordInsert(row, key: change.key, recorder) }
        changedRows += 1
        return true
      }
    } catch let error as StoreError where error.refusesRow {}
    digest.remove(digestOfRow(change.key, of: table))
    try deleteState(change.key, of: table)
    return false
  }

  private func insertNewState(_ change: PackedRowChange, _ table: PackedTable, _ status: RowStatus) throws -> Bool? {
    guard try insertState(change.key, of: table, status) else { return nil }
    digest.add(digestOfRow(change.key, of: table))
    return true
  }

  // MARK: - Rows seen before

  private func mergeKnown(_ change: PackedRowChange, into table: PackedTable, _ status: RowStatus) throws -> Bool {
    let (inserted, deleted, wasAlive) = (row.inserted, row.deleted, row.isAlive)
    try noteConflicts(change, table)
    try apply(change)
    let isUnchanged = row.inserted == inserted && row.deleted == deleted
    if isUnchanged, !row.registers.contains(where: \.isNew) { return true }
    guard table.isKnown else {
      guard status == .unknownTable else { return false }
      _ = encode(leavingValuesTo: nil)
      return try finish(change, table, .unknownTable, inserted, deleted)
    }
    guard status == .settled || status == .unknownColumns && !schemaChanged else { return false }
    if wasAlive, row.isAlive, isUnchanged { return try mergeLiving(change, into: table) }
    guard !wasAlive, !row.isAlive, row.inserted == inserted, !table.isReferredTo, !table.updateRevives else {
      return false
    }
    _ = encode(leavingValuesTo: nil)
    return try finish(change, table, .settled, inserted, deleted)
  }

  /// Writes the columns that have a new value.
  private func mergeLiving(_ change: PackedRowChange, into table: PackedTable) throws -> Bool {
    written.removeAll(keepingCapacity: true)
    for index in row.registers.indices {
      let register = row.registers[index]
      let column = table.column(register.column)
      guard column.position >= 0 else { continue }
      guard register.isNew else {
        // A value that the table should show and the state still has.
        if register.value != nil { return false }
        continue
      }
      guard let value = register.value, !column.isReferredTo, !(column.isNotNull && value.isNull),
        row.deleted.map({ $0 < register.stamp }) ?? true
      else { return false }
      written.append(index)
    }
    guard try table.hasParents(row, written: written) else { return false }
    if !written.isEmpty {
      do {
        guard try table.update(row, written) else { return false }
      } catch let error as StoreError where error.refusesRow { return false }
      if let recorder { try table.recordUpdate(row, written, key: change.key, recorder) }
      changedRows += 1
    }
    let status: RowStatus = encode(leavingValuesTo: table) ? .unknownColumns : .settled
    return try finish(change, table, status, row.inserted, row.deleted)
  }

  private func finish(
    _ change: PackedRowChange, _ table: PackedTable, _ status: RowStatus, _ inserted: PackedStamp?,
    _ deleted: PackedStamp?
  ) throws -> Bool {
    digest.add(digestOfChanges(change.key, of: table, inserted: inserted, deleted: deleted))
    try updateState(change.key, of: table, status)
    return true
  }
}
