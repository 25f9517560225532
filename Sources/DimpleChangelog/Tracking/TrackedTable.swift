/// A table whose writes are tracked.
package struct TrackedTable: Sendable, Equatable {
  /// Stays the same when the table is renamed or rebuilt.
  package var id: Int64
  package var name: String
  /// The primary key's, in the key's order.
  package var keyColumns: [TrackedColumn]
  /// All others that are stored: generated ones are not.
  package var columns: [TrackedColumn]
  package var isStrict: Bool
  /// Another tracked table refers to it by a NO ACTION or RESTRICT foreign key: a delete logs the old values, too.
  package var isParent: Bool
}

/// A column of a tracked table.
package struct TrackedColumn: Sendable, Equatable {
  /// Stays the same when the column is renamed.
  package var id: Int64
  package var name: String
  package var isNotNull: Bool
  /// The DEFAULT clause's text.
  package var defaultSQL: String?
  /// The collating sequence's name.
  package var collation: String
}
