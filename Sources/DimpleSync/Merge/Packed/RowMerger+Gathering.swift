internal import DimpleChangelog
internal import DimpleStore

/// Rows that are most likely new, since an insert is all that is known of them: many go into the state, and into their table, by
/// one statement each. Where SQLite objects, all of them are taken one by one, as any row is.
extension RowMerger {
  struct Gathered {
    /// Its changes, in the batch.
    var range: Range<Int>
    /// What it adds to the digest.
    var digest: StateDigest
  }

  /// After a failure, so many times the rows of a statement are taken one by one.
  private static let pause = 8

  /// - Returns: `false` for a row that has to be taken by itself.
  func gather(_ change: PackedRowChange, _ range: Range<Int>, into table: PackedTable) throws -> Bool {
    guard range.count == 1, table.rowsPerStatement > 1, change.entries[range.lowerBound].operation == .insert else {
      return false
    }
    if table.rowsAlone > 0 {
      table.rowsAlone -= 1
      return false
    }
    if recorder != nil {
      guard table.isKnown, try table.setKey(change.key) else { return false }
    }
    guard let inserted = try read(change) else { return false }
    var status = table.isKnown ? RowStatus.settled : .unknownTable
    if let recorder {
      guard table.canInsert(row), try table.hasParents(row) else { return false }
      if encode(leavingValuesTo: table) { status = .unknownColumns }
      try table.gather(row, insertedAt: inserted.stamp, at: gathered.count)
      try table.recordInsert(row, key: change.key, recorder, isTentative: true)
    } else {
      encodeFolded(table)
    }
    states.append(table: table.id, key: change.key, state: state.bytes, status: status)
    gathered.append(Gathered(range: range, digest: digestOfRow(change.key, of: table)))
    return true
  }

  private func read(_ change: PackedRowChange) throws -> PackedStamp? {
    row.clear()
    for entry in change.entries {
      row.apply(entry, at: try replicas.stamp(time: entry.time, number: entry.author), from: change.batch)
    }
    return row.inserted
  }

  /// - Returns: Those that are left for the passes.
  func insertGathered(
    _ entries: [ChangeBatch.Entry], _ table: PackedTable, _ batch: ChangeBatch
  ) throws -> [Range<Int>] {
    if gathered.isEmpty { return [] }
    let rows = gathered
    gathered.removeAll(keepingCapacity: true)
    if states.isFull {
      if try areInserted(rows, entries, table, batch) {
        for row in rows { digest.add(row.digest) }
        if let recorder {
          recorder.settle(true)
          changedRows += rows.count
        }
        return []
      }
      table.rowsAlone = Self.pause * rows.count
    }
    recorder?.settle(false)
    states.removeAll()
    // Back to smaller keys.
    reader.restart()
    return try rows.map(\.range).filter { range in
      try !merge(PackedRowChange(entries: entries[range], batch: batch), of: table)
    }
  }

  private func areInserted(
    _ rows: [Gathered], _ entries: [ChangeBatch.Entry], _ table: PackedTable, _ batch: ChangeBatch
  ) throws -> Bool {
    do { try states.flush() } catch let error as StoreError where error.refusesRow { return false }
    if try recorder == nil || table.insertGathered() { return true }
    for row in rows { try deleteState(batch.key(of: entries[row.range.lowerBound]), of: table) }
    return false
  }
}
