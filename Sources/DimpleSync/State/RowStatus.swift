/// How a row's merged state relates to what its table shows. Stored; do not renumber.
enum RowStatus: Int64 {
  /// The table shows the row as the state has it; or the row is dead, or was never inserted, and is not there.
  case settled = 0
  /// The table is not (yet) part of the schema, or its key has other columns.
  case unknownTable = 1
  /// A NOT NULL column has neither a value nor a default.
  case missingValue = 2
  /// A CHECK constraint refuses the row.
  case checkFailed = 3
  /// A value does not fit a STRICT column.
  case wrongType = 4
  /// An earlier row has the same value in a UNIQUE index.
  case notUnique = 5
  /// A foreign key refers to a row that is not shown.
  case missingParent = 6
  /// Shown although deleted: a live row refers to it by a NO ACTION or RESTRICT foreign key.
  case keptByReference = 7
  /// Shown with NULL in a SET NULL foreign key whose parent is not shown.
  case shownWithNull = 8
  /// Shown as it is, but with values for columns that this schema does not have (yet).
  case unknownColumns = 9
  /// Shown although its delete is later than its insert: updates revive in its table, and one is later still.
  case revived = 10
  /// The next merge decides what the table shows of it.
  case undecided = 11

  /// Alive, but cannot stand in the table.
  var isHeld: Bool { (Self.unknownTable.rawValue...Self.missingParent.rawValue).contains(rawValue) }
}
