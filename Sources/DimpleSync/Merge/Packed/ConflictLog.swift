internal import DimpleChangelog
internal import DimpleStore

/// Collects the conflicts that a merge meets: foreign writes to what this device wrote, whose authors had not seen it.
final class ConflictLog {
  /// More than these are only counted.
  static let limit = 1000

  /// This device's number in ``ReplicaTable``.
  let own: Int64
  private(set) var conflicts: Set<SyncConflict> = []
  private(set) var count = 0
  /// Own writes from this time on are not known to the author of the batch at hand; none until somebody says so.
  var unseenFrom = Int64.max

  init(own: Int64) { self.own = own }

  /// Whether this is an own write that the author did not know of.
  func isUnseen(_ stamp: PackedStamp) -> Bool { stamp.number == own && stamp.time >= unseenFrom }

  func add(_ conflict: SyncConflict) {
    if conflicts.contains(conflict) { return }
    count += 1
    if conflicts.count < Self.limit { conflicts.insert(conflict) }
  }
}

extension RowMerger {
  /// Compares a foreign change with what the row has, before it is applied.
  func noteConflicts(_ entry: ChangeBatch.Entry, at stamp: PackedStamp, _ change: PackedRowChange, _ table: PackedTable)
    throws
  {
    guard let conflicts else { return }
    if entry.operation == .delete {
      let isRevived = table.updateRevives && row.registers.contains { stamp < $0.stamp }
      for index in row.registers.indices where conflicts.isUnseen(row.registers[index].stamp) {
        let register = row.registers[index]
        let (delete, mine) = (
          write(stamp, isDelete: true), write(register.stamp, value: try ownValue(index, table))
        )
        conflicts.add(
          try conflict(
            register.column, change, table, kept: isRevived ? mine : delete, lost: isRevived ? delete : mine))
      }
      return
    }
    if let deleted = row.deleted, conflicts.isUnseen(deleted), !row.isAlive {
      if entry.operation == .insert, deleted < stamp { return }
      let isRevived = table.updateRevives && deleted < stamp
      for cell in change.batch.cells(of: entry) {
        let (delete, theirs) = (
          write(deleted, isDelete: true), write(stamp, value: try change.batch.value(of: cell).value)
        )
        conflicts.add(
          try conflict(
            cell.column, change, table, kept: isRevived ? theirs : delete, lost: isRevived ? delete : theirs))
      }
      return
    }
    for cell in change.batch.cells(of: entry) {
      guard let index = row.registers.firstIndex(where: { $0.column == cell.column }),
        conflicts.isUnseen(row.registers[index].stamp)
      else { continue }
      let mine = write(row.registers[index].stamp, value: try ownValue(index, table))
      let theirs = write(stamp, value: try change.batch.value(of: cell).value)
      if mine.value == theirs.value { continue }
      let isMineKept = stamp < row.registers[index].stamp
      conflicts.add(
        try conflict(
          cell.column, change, table, kept: isMineKept ? mine : theirs, lost: isMineKept ? theirs : mine))
    }
  }

  private func write(_ stamp: PackedStamp, isDelete: Bool = false, value: SQLValue? = nil) -> SyncConflict.Write {
    SyncConflict.Write(author: stamp.stamp.replica, time: stamp.stamp.time, isDelete: isDelete, value: value)
  }

  private func conflict(
    _ column: Int64, _ change: PackedRowChange, _ table: PackedTable, kept: SyncConflict.Write, lost: SyncConflict.Write
  ) throws -> SyncConflict {
    SyncConflict(
      table: session.names.name(table.id) ?? "?", key: try KeyCodec.decode([UInt8](change.key)),
      column: session.names.name(column) ?? "?", kept: kept, lost: lost)
  }

  /// The value of a register, from the state or from the table.
  private func ownValue(_ index: Int, _ table: PackedTable) throws -> SQLValue? {
    let register = row.registers[index]
    if let value = register.value { return try value.value }
    return try table.shownValue(register.column)
  }
}
