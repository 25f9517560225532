internal import DimpleStore

/// A table about to be dropped, and how the tables copied from it differ.
///
/// SQLite's way to change a table beyond ALTER TABLE is to make a new one, copy the rows, drop the old and rename the new
/// (https://sqlite.org/lang_altertable.html#otheralter). Such a copy takes the old table's ids, and its rows are no changes:
/// only what is different in it is logged.
struct Rebuild: Sendable {
  var original: TrackedTable
  /// For each table that looks like a copy, what it has different. By the copy's id.
  var copies: [Int64: Copy]
  /// The clock when the copies were read; what is logged of them later comes on top.
  var time = HybridTime(rawValue: 0)

  struct Copy: Sendable {
    var table: TrackedTable
    var differences: [Difference]
  }

  /// A change by names: the copy's columns have no ids in the original yet.
  struct Difference: Sendable, Equatable {
    var operation: LogRecord.Operation
    var key: [SQLValue]
    var columns: [ColumnValue]
  }
}

/// A copy that takes the place of what it was made from.
struct Replacement {
  var rebuild: Rebuild
  var copy: Rebuild.Copy
  /// The name that the copy has from now on.
  var name: String
}
