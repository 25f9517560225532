internal import DimpleStore

/// One row, whether it is there now or not.
struct RowID: Hashable, Sendable {
  /// The table's stable id.
  var table: Int64
  var key: [SQLValue]
}

/// One thing that happened to one row's table, by stable ids: a local change, or what a merge made of others'.
struct HistoryEvent: Sendable {
  /// A column's new value; of a delete, its last one.
  struct Cell: Sendable, Equatable {
    var column: Int64
    /// `nil` where the value came from another replica and is not kept.
    var value: SQLValue?
  }

  /// When and by whom it was written, which may be long before it came here.
  var stamp: Stamp
  /// The local transaction's number; `nil` for what was merged.
  var transaction: Int64?
  var row: RowID
  var operation: Change.Operation
  var cells: [Cell]
}

/// Where in a database's history something stands: after a local transaction, and after a merge that followed it.
///
/// What merges bring has no place among the numbers; it is kept after which transaction each merge came.
struct HistoryPosition: Comparable, Sendable {
  /// The last local transaction.
  var transaction: Int64
  /// The last merge after that, by its id; 0 for none.
  var merge: Int64 = 0

  static func < (left: HistoryPosition, right: HistoryPosition) -> Bool {
    (left.transaction, left.merge) < (right.transaction, right.merge)
  }
}

/// An element of a database's history.
enum HistoryStep {
  case event(HistoryEvent)
  /// Up to here, others' changes were merged of which nothing is known.
  case unknownMerges
}

/// Why something of the past cannot be told.
enum HistoryGap: Sendable {
  /// The log does not reach back to it.
  case removed
  /// It came from another replica and was not kept.
  case foreign

  /// - Parameter what: `the table “Todo”`, `column “text” of a row of “Todo”`.
  func error(_ operation: String, _ what: String) -> ChangelogError {
    switch self {
    case .removed:
      ChangelogError(
        .historyRemoved, operation: operation, message: "The log does not reach back far enough for \(what).",
        hint: "Ask for a later moment: history begins at the first transaction that the log still has.")
    case .foreign:
      ChangelogError(
        .foreignHistoryUnknown, operation: operation,
        message: "Other replicas' changes were merged into \(what), and their values were not kept.",
        hint: "Set `keepsMergedValues` in Changelog.Options to keep them from then on, or ask for a later moment.")
    }
  }
}
