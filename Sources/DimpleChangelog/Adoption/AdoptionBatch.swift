internal import DimpleMutex
package import DimpleStore

/// Makes changes of the rows that were in a table before it was tracked: a batch at a time, in the order of the key, which
/// no VACUUM renumbers. The last key is kept in `dimple_meta`, so that adoption goes on where it was.
struct AdoptionBatch {
  private static let size = 2000

  let changelog: Changelog
  let connection: Connection

  /// - Returns: How many rows, and whether there may be more.
  func adopt(_ table: TrackedTable) throws -> (rows: Int, hasMore: Bool) {
    let position = try self.position(of: table)
    if position.isEmpty { try checkKeys(table) }
    let columns = table.keyColumns + table.columns
    let keyCount = table.keyColumns.count
    let statement = try connection.prepare(query(table, isFirst: position.isEmpty))
    defer { statement.reset() }
    try statement.bindAll(position)
    var count = 0
    var last: [SQLValue] = []
    while try statement.step() {
      let values = columns.indices.map { statement.value(Int32($0)) }
      last = Array(values.prefix(keyCount))
      try changelog.logInsert(ofShown: values, in: table, connection)
      count += 1
    }
    let hasMore = count == Self.size
    try hasMore ? setPosition(last, of: table) : finish(table)
    return (count, hasMore)
  }

  private func query(_ table: TrackedTable, isFirst: Bool) -> String {
    let names = (table.keyColumns + table.columns).map { SQL.quoted(identifier: $0.name) }
    let key = names.prefix(table.keyColumns.count)
    let order = key.joined(separator: ", ")
    let after = isFirst ? "" : "WHERE (\(order)) > (\(key.map { _ in "?" }.joined(separator: ", ")))"
    return """
      SELECT \(names.joined(separator: ", ")) FROM \(SQL.quoted(identifier: table.name)) \(after) \
      ORDER BY \(order) LIMIT \(Self.size)
      """
  }

  /// Rows with NULL in their keys would be passed over by the order.
  private func checkKeys(_ table: TrackedTable) throws {
    let isNull = table.keyColumns.map { "\(SQL.quoted(identifier: $0.name)) IS NULL" }.joined(separator: " OR ")
    let statement = try connection.prepare(
      "SELECT 1 FROM \(SQL.quoted(identifier: table.name)) WHERE \(isNull) LIMIT 1")
    defer { statement.reset() }
    if try statement.step() { throw changelog.nullKey(table.id, "adopt the table “\(table.name)”") }
  }

  private func finish(_ table: TrackedTable) throws {
    try MetaTable(connection: connection).set(name(table), .null)
    let schema = try changelog.writerSchema(connection)
    var catalog = schema.catalog
    catalog.finishAdoption(table.id)
    try CatalogTables(connection: connection).save(catalog, over: schema.catalog)
    let finished = TrackedSchema(version: schema.version, snapshot: schema.snapshot, catalog: catalog)
    changelog.state.withLock { state in
      state.schema = finished
      // A rollback must forget this.
      state.changes.hasChanged = true
    }
  }

  // MARK: - The last key

  private func name(_ table: TrackedTable) -> String { "adopting.\(table.id)" }

  /// Empty before the first row.
  private func position(of table: TrackedTable) throws -> [SQLValue] {
    guard case .blob(let bytes) = try MetaTable(connection: connection)[name(table)] else { return [] }
    var reader = ByteReader(bytes)
    var key: [SQLValue] = []
    while !reader.isAtEnd { key.append(try reader.value()) }
    // The key may have been declared anew since.
    return key.count == table.keyColumns.count ? key : []
  }

  private func setPosition(_ key: [SQLValue], of table: TrackedTable) throws {
    var writer = ByteWriter()
    for value in key { writer.value(value) }
    try MetaTable(connection: connection).set(name(table), .blob(writer.bytes))
  }
}

extension Changelog {
  /// Logs a row that its table shows as if it had been inserted now, in the running write transaction.
  ///
  /// - Parameter row: The values of the key's columns, and then of the others.
  package func logInsert(ofShown row: [SQLValue], in table: TrackedTable, _ connection: Connection) throws {
    let recorder = recorder
    let record = LogRecord(
      operation: .insert, transaction: recorder.currentTransaction, table: table.id,
      key: Array(row.prefix(table.keyColumns.count)),
      cells: zip(table.columns, row.dropFirst(table.keyColumns.count)).map { LogRecord.Cell(column: $0.id, value: $1) })
    try recorder.append(record, connection)
  }
}
