internal import DimpleChangelog
internal import DimpleStore

/// All that is known of one row, from whomever: when it was last inserted, when last deleted, and a last-write-wins
/// register per column. Merging two states is commutative, associative and idempotent; nothing is ever dropped, also not
/// of a dead row.
struct RowState: Equatable {
  /// A column's register.
  struct Cell: Equatable {
    var stamp: Stamp
    /// `nil` where only the table has the value, or nobody here does (the row was deleted before it was first synced).
    var value: SQLValue?
  }

  /// The latest insert.
  var inserted: Stamp?
  /// The latest delete.
  var deleted: Stamp?
  /// By column id (``NameTable``).
  var cells = Cells()

  /// The row's last birth is later than its last death.
  var isAlive: Bool {
    guard let inserted else { return false }
    return deleted.map { $0 < inserted } ?? true
  }

  /// The first write that is later than the delete which the row died of: where updates revive, the row lives by it.
  var revivedAt: Stamp? {
    guard inserted != nil, let deleted, !isAlive else { return nil }
    return cells.items.map(\.cell.stamp).filter { deleted < $0 }.min()
  }

  /// The registers of the current life: what was written before the last delete does not count. A dead row that must still be
  /// shown is shown as it was.
  func counts(_ cell: Cell) -> Bool {
    guard isAlive, let deleted else { return true }
    return deleted < cell.stamp
  }

  /// Takes in one change; the later stamp wins, register by register.
  mutating func apply(_ operation: Change.Operation, _ columns: [(id: Int64, value: SQLValue?)], at stamp: Stamp) {
    switch operation {
    case .insert: inserted = max(inserted ?? stamp, stamp)
    case .delete:
      deleted = max(deleted ?? stamp, stamp)
      return
    case .update: break
    }
    for (id, value) in columns { cells.write(value, to: id, at: stamp) }
  }

  /// Gives each part the stamp that `stamp` makes of its own.
  mutating func mapStamps(_ stamp: (Stamp) -> Stamp) {
    inserted = inserted.map(stamp)
    deleted = deleted.map(stamp)
    cells.mapStamps(stamp)
  }

  /// Gives registers that have no value here the value that the table shows or showed.
  mutating func fill(_ values: [(id: Int64, value: SQLValue)]) {
    for (id, value) in values { cells.fill(value, of: id) }
  }
}
