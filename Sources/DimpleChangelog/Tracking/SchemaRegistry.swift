internal import DimpleStore

/// Gives tables and columns their stable ids (`dimple_table`, `dimple_column`) and keeps the triggers in step with the
/// schema.
struct SchemaRegistry {
  let connection: Connection
  let untracked: Set<String>

  // MARK: - Reading

  /// The tracked tables as they are now; only those that have ids.
  func trackedTables() throws -> [TrackedTable] {
    let snapshot = try SchemaSnapshot(connection)
    let ids = try tableIDs()
    return try snapshot.tables.compactMap { table in
      guard let id = ids[table.name], !isUntracked(table.name) else { return nil }
      return try tracked(table, id: id, isParent: snapshot.parents.contains(table.name.lowercased()))
    }
  }

  private func tracked(_ table: SchemaSnapshot.Table, id: Int64, isParent: Bool) throws -> TrackedTable {
    let ids = try columnIDs(of: id)
    let columns = table.columns.map { column in
      (
        column.keyPosition,
        TrackedColumn(
          id: ids[column.name] ?? 0, name: column.name, isNotNull: column.isNotNull, defaultSQL: column.defaultSQL,
          collation: connection.collation(ofColumn: column.name, in: table.name))
      )
    }
    return TrackedTable(
      id: id, name: table.name,
      keyColumns: columns.filter { $0.0 > 0 }.sorted { $0.0 < $1.0 }.map(\.1),
      columns: columns.filter { $0.0 == 0 }.map(\.1), isStrict: table.isStrict, isParent: isParent)
  }

  private func isUntracked(_ name: String) -> Bool { untracked.contains { $0.lowercased() == name.lowercased() } }

  func tableIDs() throws -> [String: Int64] {
    Dictionary(
      uniqueKeysWithValues: try connection.rows("SELECT id, name FROM dimple_table WHERE name IS NOT NULL")
        .map { (try $0.get("name") as String, try $0.get("id") as Int64) })
  }

  private func columnIDs(of table: Int64) throws -> [String: Int64] {
    Dictionary(
      uniqueKeysWithValues: try connection.rows("SELECT id, name FROM dimple_column WHERE tbl = \(table)")
        .map { (try $0.get("name") as String, try $0.get("id") as Int64) })
  }

  // MARK: - Keeping in step

  func dropTriggers() throws {
    let names = try connection.rows(
      "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND name GLOB 'dimple_[0-9]*'")
    for row in names { try connection.execute("DROP TRIGGER \(identifier: try row.get("name"))") }
  }

  /// Gives ids to what is new and makes the triggers what they must be.
  ///
  /// - Returns: Tables that had no id before.
  /// - Throws: ``ChangelogError/Code/missingPrimaryKey``.
  @discardableResult
  func update() throws -> [TrackedTable] {
    let known = try tableIDs()
    let snapshot = try SchemaSnapshot(connection)
    for table in snapshot.tables where !isUntracked(table.name) {
      guard table.columns.contains(where: { $0.keyPosition > 0 }) else {
        throw ChangelogError(
          .missingPrimaryKey, operation: "track the table \(table.name)", message: "It has no primary key.",
          hint: "Declare a PRIMARY KEY, or open the database with the table named in `untracked`.")
      }
      try assignIDs(table, known: known[table.name])
    }
    let tables = try trackedTables()
    try writeTriggers(tables)
    return tables.filter { known[$0.name] == nil }
  }

  private func assignIDs(_ table: SchemaSnapshot.Table, known: Int64?) throws {
    var id = known
    if id == nil {
      try connection.execute("INSERT INTO dimple_table(name) VALUES (\(table.name))")
      id = connection.lastInsertRowID
    }
    guard let id else { return }
    let columns = try columnIDs(of: id)
    for column in table.columns where columns[column.name] == nil {
      try connection.execute("INSERT INTO dimple_column(tbl, name) VALUES (\(id), \(column.name))")
    }
  }

  private func writeTriggers(_ tables: [TrackedTable]) throws {
    let wanted = tables.flatMap { TriggerBuilder(table: $0).triggers }
    let present = Dictionary(
      uniqueKeysWithValues: try connection.rows(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND name GLOB 'dimple_[0-9]*'"
      ).map { (try $0.get("name") as String, try $0.get("sql") as String) })
    for name in present.keys where !wanted.contains(where: { $0.name == name }) {
      try connection.execute("DROP TRIGGER \(identifier: name)")
    }
    for (name, sql) in wanted where present[name] != sql {
      if present[name] != nil { try connection.execute("DROP TRIGGER \(identifier: name)") }
      try connection.script(sql)
    }
  }

  // MARK: - What a statement did to the schema

  /// Follows tables and columns to their new names.
  ///
  /// - Parameters:
  ///   - newTables: Made in the running transaction.
  ///   - start: When that began.
  func follow(from old: SchemaSnapshot, newTables: Set<Int64>, since start: HybridTime) throws {
    let new = try SchemaSnapshot(connection)
    let ids = try tableIDs()
    for table in old.tables {
      guard let id = ids[table.name], let now = new.tables.first(where: { $0.rootPage == table.rootPage }) else {
        // Dropped: the id stays with the name, for a table that takes the name over.
        continue
      }
      if now.name != table.name {
        if let replaced = ids[now.name], replaced != id, newTables.contains(id) {
          try rebuild(replaced, by: id, since: start)
          continue
        }
        // Another dropped table of that name is history: its changes keep its id, and lose the name.
        try connection.execute("UPDATE dimple_table SET name = NULL WHERE name = \(now.name) AND id <> \(id)")
        try connection.execute("UPDATE dimple_table SET name = \(now.name) WHERE id = \(id)")
      }
      try followColumns(of: id, from: table.columns.map(\.name), to: now.columns.map(\.name))
    }
  }

  /// The rebuild that SQLite documents (https://sqlite.org/lang_altertable.html#otheralter): a table was made, filled from
  /// another, and took its name. The rows copied into it are no changes; the old table's id goes on.
  private func rebuild(_ replaced: Int64, by id: Int64, since start: HybridTime) throws {
    var copied: [Int64] = []
    try connection.forEach("SELECT hlc, payload FROM dimple_log WHERE hlc > \(start.rawValue)") { row in
      guard case .blob(let bytes) = row["payload"], try LogPayload(bytes).table == id else { return }
      copied.append(try row.get("hlc"))
    }
    for time in copied { try connection.execute("DELETE FROM dimple_log WHERE hlc = \(time)") }
    try connection.execute("DELETE FROM dimple_table WHERE id = \(id)")
    try connection.execute("DELETE FROM dimple_column WHERE tbl = \(id)")
  }

  /// RENAME COLUMN changes exactly one name in its place.
  private func followColumns(of table: Int64, from old: [String], to new: [String]) throws {
    guard old.count == new.count else { return }
    let renamed = zip(old, new).filter { $0 != $1 }
    guard renamed.count == 1 else { return }
    try connection.execute("DELETE FROM dimple_column WHERE tbl = \(table) AND name = \(renamed[0].1)")
    try connection.execute(
      "UPDATE dimple_column SET name = \(renamed[0].1) WHERE tbl = \(table) AND name = \(renamed[0].0)")
  }
}
