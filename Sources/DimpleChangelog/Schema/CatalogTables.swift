internal import DimpleStore

/// The catalogue in its tables, `dimple_table` and `dimple_column`.
struct CatalogTables {
  let connection: Connection

  /// - Throws: ``ChangelogError`` `.damagedLog`.
  func load() throws -> Catalog {
    var columns: [Int64: [Catalog.Column]] = [:]
    let columnRows = try connection.prepare(
      "SELECT table_id, id, name, is_gone FROM dimple_column ORDER BY table_id, id")
    defer { columnRows.reset() }
    while try columnRows.step() {
      columns[columnRows.int64(0), default: []].append(
        Catalog.Column(id: columnRows.int64(1), name: columnRows.text(2), isGone: columnRows.int64(3) != 0))
    }
    var tables: [Catalog.Table] = []
    let tableRows = try connection.prepare("SELECT id, name, state FROM dimple_table ORDER BY id")
    defer { tableRows.reset() }
    while try tableRows.step() {
      let id = tableRows.int64(0)
      guard let state = Catalog.State(rawValue: tableRows.int64(2)), (1..<Int64(1) << 48).contains(id),
        columns[id]?.allSatisfy({ (1..<Int64(1) << 48).contains($0.id) }) != false
      else {
        throw ChangelogError(
          .damagedLog, operation: "read the catalogue of tables",
          message: "dimple_table or dimple_column has an impossible row.", hint: "Restore the database from a backup.")
      }
      tables.append(Catalog.Table(id: id, name: tableRows.text(1), state: state, columns: columns[id] ?? []))
    }
    return Catalog(tables)
  }

  /// Writes what differs between two catalogues.
  func save(_ new: Catalog, over old: Catalog) throws {
    for (id, table) in new.tables.sorted(by: { $0.key < $1.key }) where old.tables[id] != table {
      try connection.prepare("INSERT OR REPLACE INTO dimple_table(id, name, state) VALUES (?, ?, ?)")
        .run(.integer(id), .text(table.name), .integer(table.state.rawValue))
      let known = old.tables[id]?.columns ?? []
      for column in table.columns where !known.contains(column) {
        try connection.prepare(
          "INSERT OR REPLACE INTO dimple_column(table_id, id, name, is_gone) VALUES (?, ?, ?, ?)"
        ).run(.integer(id), .integer(column.id), .text(column.name), .integer(column.isGone ? 1 : 0))
      }
    }
  }
}
