internal import DimpleStore

/// Reads the schema of the main database through SQLite's own description of it: https://sqlite.org/pragma.html#pragfunc.
struct SchemaReader {
  let connection: Connection
  /// What stays on this device.
  var local = LocalNames()
  /// ``Changelog/Options/updateRevives``.
  var updateRevives: Set<SQLName> = []

  /// All ordinary tables but SQLite's and the library's own; virtual tables, their shadow tables and views are none.
  ///
  /// - Parameter old: An earlier snapshot; tables with the same `CREATE` statement are taken from it.
  func snapshot(reusing old: SchemaSnapshot) throws -> SchemaSnapshot {
    let texts = try statements()
    return SchemaSnapshot(
      try rows("SELECT name, wr, strict FROM pragma_table_list WHERE schema = 'main' AND type = 'table'") {
        (name: $0.text(0), isWithoutRowID: $0.int64(1) != 0, isStrict: $0.int64(2) != 0)
      }.compactMap { entry in
        let name = SQLName(entry.name)
        guard !name.hasPrefix("sqlite_"), !name.hasPrefix("dimple_"), let sql = texts[name] else { return nil }
        if let known = old.tables[name], known.sql == sql, known.name == entry.name { return known }
        let all = try columns(of: entry.name)
        return SchemaTable(
          name: entry.name, sql: sql, isWithoutRowID: entry.isWithoutRowID, isStrict: entry.isStrict,
          columns: all.filter { $0.keyPosition > 0 || !local.contains($0.name, of: entry.name) },
          localColumns: all.filter { local.contains($0.name, of: entry.name) },
          foreignKeys: try foreignKeys(of: entry.name), updateRevives: updateRevives.contains(name))
      }, hasAppTriggers: try hasAppTriggers())
  }

  /// Whether a table's constraint or a trigger may be resolved by `FAIL`, which ends a statement and leaves what it did.
  func mentionsFail() throws -> Bool {
    try rows("SELECT sql FROM sqlite_schema WHERE sql LIKE '%fail%'") { $0.text(0) }.contains { $0.hasWord("fail") }
  }

  private func statements() throws -> [SQLName: String] {
    var texts: [SQLName: String] = [:]
    let found = try rows("SELECT name, sql FROM sqlite_schema WHERE type = 'table'") { ($0.text(0), $0.text(1)) }
    for (name, sql) in found { texts[SQLName(name)] = sql }
    return texts
  }

  private func columns(of table: String) throws -> [SchemaColumn] {
    // hidden: 0 is a stored column, 2 and 3 are generated ones.
    try rows(
      #"SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_xinfo(?) WHERE hidden = 0 ORDER BY cid"#, table
    ) { row in
      SchemaColumn(
        name: row.text(0), declaredType: row.text(1), isNotNull: row.int64(2) != 0,
        defaultSQL: row.isNull(3) ? nil : DefaultText.literal(row.text(3)), keyPosition: Int(row.int64(4)),
        collation: connection.collation(ofColumn: row.text(0), in: table))
    }
  }

  private func foreignKeys(of table: String) throws -> [TableForeignKey] {
    var keys: [(id: Int64, key: TableForeignKey)] = []
    let parts = try rows(
      #"""
      SELECT id, "table", "from", "to", on_delete, on_update FROM pragma_foreign_key_list(?) ORDER BY id, seq
      """#, table
    ) { row in
      (
        id: row.int64(0), from: row.text(2), to: row.isNull(3) ? nil : row.text(3),
        key: TableForeignKey(columns: [], parentTable: row.text(1), onDelete: row.text(4), onUpdate: row.text(5))
      )
    }
    for part in parts {
      if keys.last?.id != part.id { keys.append((part.id, part.key)) }
      keys[keys.count - 1].key.columns.append(part.from)
      if let to = part.to { keys[keys.count - 1].key.parentColumns.append(to) }
    }
    return keys.map(\.key)
  }

  /// Our triggers and the app's, in the order of their creation.
  func triggers() throws -> [SchemaTrigger] {
    try rows("SELECT name, tbl_name, sql FROM sqlite_schema WHERE type = 'trigger' ORDER BY rowid") {
      SchemaTrigger(name: $0.text(0), table: $0.text(1), sql: $0.text(2))
    }
  }

  private func hasAppTriggers() throws -> Bool {
    try rows("SELECT name FROM sqlite_schema WHERE type = 'trigger'") { $0.text(0) }
      .contains { TriggerSQL.table(ofTrigger: $0) == nil }
  }

  private func rows<T>(_ sql: String, _ argument: String? = nil, _ read: (Statement) throws -> T) throws -> [T] {
    let statement = try connection.prepare(sql)
    defer { statement.reset() }
    if let argument { try statement.bind(.text(argument), at: 1) }
    var result: [T] = []
    while try statement.step() { result.append(try read(statement)) }
    return result
  }
}

/// A trigger as the schema has it.
struct SchemaTrigger: Sendable, Equatable {
  var name: String
  var table: String
  var sql: String
}
