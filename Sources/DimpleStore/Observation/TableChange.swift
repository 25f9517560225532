/// What a commit did to a table.
package struct TableChange: Sendable, Hashable {
  /// Rows came or went, so that any query of the table may have changed.
  package var insertedOrDeleted: Bool
  /// The columns that were assigned, by their names in the schema; generated columns that may follow are included.
  package var updatedColumns: Set<String>
  /// The primary keys of the rows concerned; `nil` where they are not known, as for this database's own commits.
  package var rows: Set<[SQLValue]>?

  /// From its parts.
  package init(
    insertedOrDeleted: Bool = false, updatedColumns: Set<String> = [], rows: Set<[SQLValue]>? = nil
  ) {
    self.insertedOrDeleted = insertedOrDeleted
    self.updatedColumns = updatedColumns
    self.rows = rows
  }

  /// Adds what another change did.
  mutating func formUnion(_ other: TableChange) {
    insertedOrDeleted = insertedOrDeleted || other.insertedOrDeleted
    if !other.updatedColumns.isEmpty { updatedColumns.formUnion(other.updatedColumns) }
  }
}
