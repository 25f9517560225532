internal import DimpleMutex
internal import DimpleStore

/// Makes updates of the values of columns that stayed on this device and do not any more.
struct LocalColumns {
  let changelog: Changelog
  let connection: Connection

  /// The columns that stayed here when the triggers were last in step.
  static func before(_ connection: Connection) throws -> LocalNames {
    guard case .blob(let bytes) = try MetaTable(connection: connection)["untrackedColumns"] else { return LocalNames() }
    do { return try LocalNames(bytes: bytes) } catch {
      throw ChangelogError(
        .damagedLog, operation: "read the columns left out", message: "dimple_meta has an impossible value.",
        hint: "Restore the database from a backup.", underlying: error)
    }
  }

  /// - Parameters:
  ///   - old: The catalogue before: a column that it knew once had values on other devices, all of which must hear what
  ///     has become of them; of one that it did not, a default is no news.
  ///   - wasLocal: Whether a table's column stayed here, by their names.
  func adopt(_ schema: TrackedSchema, over old: Catalog, _ wasLocal: (String, String) -> Bool) throws {
    for table in schema.tables where schema.catalog.tables[table.id]?.state == .tracked {
      for column in table.columns where wasLocal(table.name, column.name) {
        let name = SQLName(column.name)
        let wasTracked = old.tables[table.id]?.columns.contains { SQLName($0.name) == name } == true
        try adopt(column, of: table, onlyOthersThanDefault: !wasTracked)
      }
    }
  }

  private func adopt(_ column: TrackedColumn, of table: TrackedTable, onlyOthersThanDefault: Bool) throws {
    let names = (table.keyColumns + [column]).map { SQL.quoted(identifier: $0.name) }
    let name = SQL.quoted(identifier: column.name)
    let condition =
      onlyOthersThanDefault ? "WHERE \(name) COLLATE BINARY IS NOT (\(column.defaultSQL ?? "NULL"))" : ""
    let key = names.dropLast().joined(separator: ", ")
    let statement = try connection.prepare(
      """
      SELECT \(names.joined(separator: ", ")) FROM \(SQL.quoted(identifier: table.name)) \(condition) ORDER BY \(key)
      """)
    defer { statement.reset() }
    let recorder = changelog.recorder
    while try statement.step() {
      let values = names.indices.map { statement.value(Int32($0)) }
      let record = LogRecord(
        operation: .update, transaction: recorder.currentTransaction, table: table.id, key: Array(values.dropLast()),
        cells: values.last.map { [LogRecord.Cell(column: column.id, value: $0)] } ?? [])
      try recorder.append(record, connection)
    }
  }
}

/// A column of a table, in any case.
struct SchemaColumnName: Hashable {
  var table: SQLName
  var column: SQLName
}
