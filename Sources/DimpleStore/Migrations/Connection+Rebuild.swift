extension Connection {
  /// Changes of a table what `ALTER TABLE` cannot: makes a table of the new form, copies the rows, and puts it in the old
  /// one's place, with its indexes and triggers. https://sqlite.org/lang_altertable.html#otheralter
  ///
  /// Only in a migration with `checksForeignKeysAtEnd`, since otherwise dropping the old table would delete the rows that
  /// refer to it. Columns of the same name are copied; one that is only new gets its default. An index or a trigger that
  /// names a column which is no more must be dropped before.
  ///
  /// ```swift
  /// Migration("text is required", checksForeignKeysAtEnd: true) {
  ///   try $0.rebuildTable("Todo", columns: "id TEXT PRIMARY KEY, text TEXT NOT NULL", values: ["text": "coalesce(text, '')"])
  /// }
  /// ```
  ///
  /// - Parameters:
  ///   - name: an ordinary table of the main database.
  ///   - columns: what stands between the parentheses of its `CREATE TABLE`.
  ///   - options: what stands after them: `STRICT`, `WITHOUT ROWID`.
  ///   - values: by column, what to copy instead of the old column: an expression of the old table's columns.
  /// - Throws: ``StoreError``: `notAllowed` outside such a migration; `sqlError` if there is no such table, or what
  ///   belongs to it does not fit the new form; a constraint that a row does not fulfil.
  public func rebuildTable(
    _ name: String, columns: SQL, options: SQL = "", values: KeyValuePairs<String, SQL> = [:]
  ) throws {
    guard try queryOne(Int.self, "PRAGMA foreign_keys") == 0 else {
      throw StoreError(
        .notAllowed, operation: "rebuild \(name)", message: "Foreign keys are enforced at the moment.",
        hint: "Give the migration checksForeignKeysAtEnd: true.")
    }
    let table = SQL(raw: "main.\(SQL.quoted(identifier: name))")
    let temporaryName = "rebuilt \(name)"
    let temporary = SQL(raw: "main.\(SQL.quoted(identifier: temporaryName))")
    let belongings = try query(
      String.self,
      """
      SELECT sql FROM main.sqlite_schema WHERE tbl_name = \(name) COLLATE NOCASE AND type IN ('index', 'trigger')
      AND sql IS NOT NULL AND name NOT LIKE 'dimple~_%' ESCAPE '~' ORDER BY rowid
      """)
    let sequence = try sequenceValue(of: name)
    try execute("CREATE TABLE " + temporary + " (" + columns + ") " + options)
    try copyRows(from: name, to: temporaryName, values: values)
    try execute("DROP TABLE " + table)
    // Otherwise views and triggers that name the table would be compiled now, when it is not there.
    try executeControl("PRAGMA legacy_alter_table = ON")
    defer { restoreAlterTable() }
    try execute("ALTER TABLE " + temporary + " RENAME TO " + SQL(raw: SQL.quoted(identifier: name)))
    for text in belongings { try execute(SQL(raw: text)) }
    if let sequence {
      try execute("UPDATE main.sqlite_sequence SET seq = max(seq, \(sequence)) WHERE name = \(name)")
    }
  }

  private func restoreAlterTable() {
    do { try executeControl("PRAGMA legacy_alter_table = OFF") } catch { isBroken = true }
  }

  private func copyRows(from old: String, to new: String, values: KeyValuePairs<String, SQL>) throws {
    let replaced = Dictionary(values.map { ($0.key.lowercased(), $0.value) }, uniquingKeysWith: { $1 })
    let oldColumns = Set(try ordinaryColumns(of: old, generated: true).map { $0.lowercased() })
    let targets = try ordinaryColumns(of: new, generated: false).compactMap { column -> (SQL, SQL)? in
      let quoted = SQL(raw: SQL.quoted(identifier: column))
      if let value = replaced[column.lowercased()] { return (quoted, value) }
      return oldColumns.contains(column.lowercased()) ? (quoted, quoted) : nil
    }
    guard !targets.isEmpty else { return }
    let into = SQL(raw: "INSERT INTO main.\(SQL.quoted(identifier: new)) (")
    let from = SQL(raw: " FROM main.\(SQL.quoted(identifier: old))")
    try execute(
      into + targets.map(\.0).joined(separator: ", ") + ") SELECT " + targets.map(\.1).joined(separator: ", ") + from)
  }

  /// The columns that a table stores, and those that it computes if wanted.
  private func ordinaryColumns(of table: String, generated: Bool) throws -> [String] {
    // `hidden` is 2 and 3 for generated columns: https://sqlite.org/pragma.html#pragma_table_xinfo
    try query(
      String.self,
      "SELECT name FROM pragma_table_xinfo(\(table), 'main') WHERE hidden = 0 OR \(generated) AND hidden IN (2, 3)")
  }

  /// The highest number that an `AUTOINCREMENT` has given.
  private func sequenceValue(of table: String) throws -> Int64? {
    guard try queryOne(Int.self, "SELECT 1 FROM main.sqlite_schema WHERE name = 'sqlite_sequence'") != nil
    else { return nil }
    return try queryOne(Int64.self, "SELECT seq FROM main.sqlite_sequence WHERE name = \(table)")
  }

  /// A write transaction in which foreign keys are not enforced, but checked at its end.
  ///
  /// The setting is a no-op inside a transaction, so it is made around it, and restored after any error.
  func inUnenforcedWriteTransaction<T>(_ body: (Connection) throws -> T) throws -> T {
    try executeControl("PRAGMA foreign_keys = OFF")
    defer {
      do {
        try executeControl("PRAGMA foreign_keys = \(configuration.foreignKeys ? "ON" : "OFF")")
      } catch { isBroken = true }
    }
    return try inWriteTransaction { connection in
      let result = try body(connection)
      try connection.checkForeignKeys()
      return result
    }
  }

  private func checkForeignKeys() throws {
    guard configuration.foreignKeys, let row = try rows("PRAGMA main.foreign_key_check").first else { return }
    throw StoreError(
      .foreignKeyConstraint, operation: "check foreign keys",
      message: "A row of '\(try String(sqlValue: row[0]))' refers to none of '\(try String(sqlValue: row[2]))'.",
      hint: "Delete or mend such rows in the migration.")
  }
}
