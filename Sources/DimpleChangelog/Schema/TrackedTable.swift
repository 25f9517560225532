/// A table whose changes are in the log, as its schema is now.
package struct TrackedTable: Sendable, Hashable {
  /// Stable while the table lives: renaming or rebuilding it keeps the id.
  package var id: Int64
  /// As in the schema.
  package var name: String
  /// The primary key's columns, in the key's order.
  package var keyColumns: [TrackedColumn]
  /// The stored columns outside the key, in the table's order. Generated columns are not among them.
  package var columns: [TrackedColumn]
  /// Declared `WITHOUT ROWID`.
  package var isWithoutRowID: Bool
  /// Declared `STRICT`.
  package var isStrict: Bool
  /// The table's own foreign keys.
  package var foreignKeys: [TableForeignKey]
  /// Another tracked table refers to this one by `NO ACTION` or `RESTRICT`: a replica that may not let a row go yet
  /// has to show it.
  package var isParent: Bool
  /// While SQLite updates a row, another write to it may come first: an `ON UPDATE` action of another table's foreign key,
  /// which it performs before it fires AFTER triggers, may set off a trigger of the app.
  package var isWrittenAmidUpdates: Bool
  /// A write to a row's columns outlives a delete that is older.
  package var updateRevives: Bool
  /// The stored columns that stay on this device, by name.
  package var localColumns: [String]

  /// A table from its parts.
  package init(
    id: Int64, name: String, keyColumns: [TrackedColumn], columns: [TrackedColumn], isWithoutRowID: Bool = false,
    isStrict: Bool = false, foreignKeys: [TableForeignKey] = [], isParent: Bool = false,
    isWrittenAmidUpdates: Bool = false, updateRevives: Bool = false, localColumns: [String] = []
  ) {
    self.id = id
    self.name = name
    self.keyColumns = keyColumns
    self.columns = columns
    self.isWithoutRowID = isWithoutRowID
    self.isStrict = isStrict
    self.foreignKeys = foreignKeys
    self.isParent = isParent
    self.isWrittenAmidUpdates = isWrittenAmidUpdates
    self.updateRevives = updateRevives
    self.localColumns = localColumns
  }

  /// A delete logs what the row held: somebody may have to show it yet.
  var keepsDeletedValues: Bool { isParent || updateRevives }
}

/// A column of a tracked table.
package struct TrackedColumn: Sendable, Hashable {
  /// Stable within its table: renaming the column keeps the id, and no later column takes it.
  package var id: Int64
  /// As in the schema.
  package var name: String
  /// As declared; empty where there is none.
  package var declaredType: String
  /// Declared `NOT NULL`.
  package var isNotNull: Bool
  /// The expression after `DEFAULT`, as SQL.
  package var defaultSQL: String?
  /// The collating sequence; `BINARY` unless declared.
  package var collation: String

  /// A column from its parts.
  package init(
    id: Int64, name: String, declaredType: String = "", isNotNull: Bool = false, defaultSQL: String? = nil,
    collation: String = "BINARY"
  ) {
    self.id = id
    self.name = name
    self.declaredType = declaredType
    self.isNotNull = isNotNull
    self.defaultSQL = defaultSQL
    self.collation = collation
  }
}

/// A foreign key of a table, as `PRAGMA foreign_key_list` tells it.
package struct TableForeignKey: Sendable, Hashable {
  /// The columns that refer.
  package var columns: [String]
  /// The table referred to, which need not exist.
  package var parentTable: String
  /// The columns referred to; empty for the parent's primary key.
  package var parentColumns: [String]
  /// `NO ACTION`, `RESTRICT`, `SET NULL`, `SET DEFAULT` or `CASCADE`.
  package var onDelete: String
  /// The same choice.
  package var onUpdate: String

  /// An update of the parent changes the rows that refer to it.
  var actsOnUpdate: Bool { !["NO ACTION", "RESTRICT"].contains(onUpdate) }

  /// A foreign key from its parts.
  package init(
    columns: [String], parentTable: String, parentColumns: [String] = [], onDelete: String = "NO ACTION",
    onUpdate: String = "NO ACTION"
  ) {
    self.columns = columns
    self.parentTable = parentTable
    self.parentColumns = parentColumns
    self.onDelete = onDelete
    self.onUpdate = onUpdate
  }
}
