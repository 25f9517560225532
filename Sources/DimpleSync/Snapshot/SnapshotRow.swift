internal import DimpleChangelog
internal import DimpleStore

/// One row's merged state as a snapshot carries it: by names and replica ids, not by this database's numbers for them.
struct SnapshotRow: Equatable {
  var key: [SQLValue]
  var inserted: Stamp?
  var deleted: Stamp?
  /// One for each column of the ``SnapshotShape``; `nil` where the column was never written. A register without a value is
  /// one whose value its writer does not know.
  var cells: [RowState.Cell?]
  /// The writer's table does not show it as the state has it.
  var isHeld = false
}

/// What the values of the rows that follow are.
struct SnapshotShape: Equatable {
  var table: String
  /// Outside the primary key.
  var columns: [String]
}
