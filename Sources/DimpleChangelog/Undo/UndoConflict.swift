public import DimpleStore

/// Why one row, or one column of it, cannot be undone without losing what came later.
public struct UndoConflict: Sendable, Hashable, CustomStringConvertible {
  /// What stands in the way.
  public enum Reason: String, Sendable, Hashable {
    /// The column has another value than the undone transaction left.
    case columnChanged
    /// The row is gone, so that its column cannot be set back.
    case rowDeleted
    /// The row to be restored is there again.
    case rowInserted
    /// A foreign key's action, or a trigger, would change or delete a row that the undone transaction did not write.
    case sideEffect
  }

  /// The table's name.
  public var table: String
  /// The row's primary key.
  public var key: [SQLValue]
  /// The column; `nil` where the whole row is concerned.
  public var column: String?
  /// What stands in the way.
  public var reason: Reason
  /// When and by whom it was written, as far as the history tells.
  public var stamp: Stamp?

  /// Without the key's values.
  public var description: String { "\(reason) in “\(table)”" + (column.map { ".“\($0)”" } ?? "") }
}

/// Carries the conflicts inside an error.
struct UndoConflicts: Error {
  var conflicts: [UndoConflict]
}

extension ChangelogError {
  /// With code `.undoConflict`, what stands in the way: each row and column. Otherwise empty.
  public var conflicts: [UndoConflict] { (underlying as? UndoConflicts)?.conflicts ?? [] }

  static func undoConflict(_ conflicts: [UndoConflict]) -> ChangelogError {
    let list = Set(conflicts.map(\.description)).sorted().prefix(3).joined(separator: ", ")
    return ChangelogError(
      .undoConflict, operation: "undo", message: "Later changes would be lost: \(list).",
      hint: "The error's `conflicts` list them; `force: true` undoes all the same.",
      underlying: UndoConflicts(conflicts: conflicts))
  }
}
