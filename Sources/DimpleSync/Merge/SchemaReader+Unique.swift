internal import DimpleStore

/// UNIQUE indexes and constraints.
extension SchemaReader {
  private struct Index {
    var name: String
    var isOfKey: Bool
    var isPartial: Bool
  }

  /// One of an index's terms.
  private struct Part {
    /// `nil` for an expression.
    var column: String?
    var collation: String
  }

  static func readUniques(of table: inout MergeTable, _ connection: Connection) throws {
    let indexes = try rows(
      #"SELECT name, origin, partial FROM pragma_index_list(?) WHERE "unique" = 1 ORDER BY name"#, table.name,
      connection
    ) { Index(name: $0.text(0), isOfKey: $0.text(1) == "pk", isPartial: $0.int64(2) != 0) }
    for index in indexes {
      let parts = try rows(
        "SELECT name, coll FROM pragma_index_xinfo(?) WHERE key = 1 ORDER BY seqno", index.name, connection
      ) { statement in
        var column: String?
        if case .text(let name) = statement.value(0) { column = name }
        return Part(column: column, collation: statement.text(1))
      }
      let collations = parts.map { Collation(name: $0.collation) }
      // Rows with different keys cannot share a key, unless a collation takes different text for equal, or 1 and 1.0 are two.
      let isOfNumbers = index.isOfKey && collations.allSatisfy { $0 == .binary }
      if isOfNumbers, table.keyColumns.allSatisfy({ $0.affinity.makesNumbersOne }) { continue }
      let columns = parts.compactMap { $0.column.flatMap { position(of: $0, in: table) } }
      if columns.count == parts.count, !index.isPartial {
        table.uniques.append(
          MergeTable.Unique(columns: columns, collations: collations, isOfNumbers: isOfNumbers))
      } else if let unique = try computed(index, parts, table, connection) {
        table.computedUniques.append(unique)
      }
    }
  }

  /// - Returns: `nil` where its values are not the same on every device, as it is over columns that are not synced.
  private static func computed(
    _ index: Index, _ parts: [Part], _ table: MergeTable, _ connection: Connection
  ) throws -> MergeTable.ComputedUnique? {
    // That of a constraint has no text; it is over columns alone.
    let sql = try rows("SELECT sql FROM sqlite_schema WHERE type = 'index' AND name = ?", index.name, connection) {
      $0.value(0)
    }.first
    var text: IndexText?
    if case .text(let sql) = sql { text = IndexText(sql) }
    var names = text?.names ?? []
    var terms: [String] = []
    for (number, part) in parts.enumerated() {
      if let column = part.column {
        names.insert(column.lowercased())
        terms.append(SQL.quoted(identifier: column))
      } else {
        guard let text, text.terms.count == parts.count else { return nil }
        terms.append(text.terms[number])
      }
    }
    guard index.isPartial == (text?.predicate != nil), names.isDisjoint(with: try localNames(of: table, connection))
    else { return nil }
    return MergeTable.ComputedUnique(
      terms: terms, collationNames: parts.map(\.collation), predicate: text?.predicate)
  }

  /// What differs between devices: columns that are not synced, those that may be computed of them, and the rowid where
  /// it is not the key. In lower case.
  private static func localNames(of table: MergeTable, _ connection: Connection) throws -> Set<String> {
    var names = Set(table.localColumns.map { $0.lowercased() })
    if !names.isEmpty {
      names.formUnion(
        try rows("SELECT name FROM pragma_table_xinfo(?) WHERE hidden IN (2, 3)", table.name, connection) {
          $0.text(0).lowercased()
        })
    }
    if !table.hasRowIDKey {
      names.formUnion(Set(["rowid", "_rowid_", "oid"]).subtracting(table.allColumns.map { $0.name.lowercased() }))
    }
    return names
  }
}
