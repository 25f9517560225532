extension TrackedTable {
  /// The tracked tables, by name: what the schema says, under the catalogue's ids.
  static func all(_ catalog: Catalog, in snapshot: SchemaSnapshot) -> [TrackedTable] {
    let tracked = snapshot.sorted.compactMap { table in
      catalog[table.name].flatMap { $0.state.isTracked ? (entry: $0, table: table) : nil }
    }
    let parents = Set(
      tracked.flatMap(\.table.foreignKeys).filter { ["NO ACTION", "RESTRICT"].contains($0.onDelete) }
        .map { SQLName($0.parentTable) })
    let actors = snapshot.hasAppTriggers ? snapshot.sorted : []
    let acting = Set(
      actors.flatMap(\.foreignKeys).filter(\.actsOnUpdate).map { SQLName($0.parentTable) })
    return tracked.map { entry, table in
      let name = SQLName(table.name)
      return TrackedTable(
        entry, table, isParent: parents.contains(name), isWrittenAmidUpdates: acting.contains(name))
    }
  }

  private init(_ entry: Catalog.Table, _ table: SchemaTable, isParent: Bool, isWrittenAmidUpdates: Bool) {
    func tracked(_ column: SchemaColumn) -> TrackedColumn? {
      entry.columnID(column.name).map { id in
        TrackedColumn(
          id: id, name: column.name, declaredType: column.declaredType, isNotNull: column.isNotNull,
          defaultSQL: column.defaultSQL, collation: column.collation)
      }
    }
    self.init(
      id: entry.id, name: table.name, keyColumns: table.keyColumns.compactMap(tracked),
      columns: table.columns.filter { $0.keyPosition == 0 }.compactMap(tracked), isWithoutRowID: table.isWithoutRowID,
      isStrict: table.isStrict, foreignKeys: table.foreignKeys, isParent: isParent,
      isWrittenAmidUpdates: isWrittenAmidUpdates,
      updateRevives: table.updateRevives, localColumns: table.localColumns.map(\.name))
  }
}

extension SchemaTable {
  /// - Throws: ``ChangelogError`` `.missingPrimaryKey`, `.unsupportedTable`, `.untrackableColumn`.
  func checkTrackable() throws {
    if keyColumns.isEmpty {
      throw ChangelogError(
        .missingPrimaryKey, operation: "track the table “\(name)”",
        message: "It has no primary key to know its rows by.",
        hint: "Declare a PRIMARY KEY, or name the table in `untracked` to keep it on this device.")
    }
    if keyColumns.count > LogRecord.maximumKeyColumns {
      throw ChangelogError(
        .unsupportedTable, operation: "track the table “\(name)”",
        message:
          "Its primary key has \(keyColumns.count) columns; at most \(LogRecord.maximumKeyColumns) can be tracked.",
        hint: "Declare a shorter PRIMARY KEY, or name the table in `untracked` to keep it on this device.")
    }
    try checkLocalColumns()
  }

  /// - Throws: ``ChangelogError`` `.untrackableColumn`.
  func checkLocalColumns() throws {
    for column in localColumns {
      let isKey = column.keyPosition > 0
      guard isKey || (column.isNotNull && column.defaultSQL == nil) else { continue }
      throw ChangelogError(
        .untrackableColumn, operation: "leave out the column “\(column.name)” of “\(name)”",
        message: isKey
          ? "It is of the primary key, by which devices know the rows."
          : "It is NOT NULL without a default, so that rows of other devices could not be written.",
        hint: isKey
          ? "Remove it from `untrackedColumns`, or keep the whole table on this device: `untracked`."
          : "Give it a DEFAULT, allow NULL, or remove it from `untrackedColumns`.")
    }
  }
}
