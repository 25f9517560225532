internal import DimpleStore

/// What rows have in UNIQUE indexes that only SQLite can compute. It computes in the table itself: there columns have their
/// types and collations, and generated columns their values.
extension TableAccess {
  /// A row's values in each of the table's ``MergeTable/computedUniques``; NULLs where it is not part of the index.
  ///
  /// - Parameter key: Of a row that the table shows.
  func computedValues(ofShown key: [SQLValue]) throws -> [[SQLValue]] {
    let indexes = table.computedUniques
    let terms = indexes.flatMap { index in
      index.terms.map { term in index.predicate.map { "CASE WHEN (\($0)) THEN (\(term)) END" } ?? "(\(term))" }
    }
    let names = table.keyColumns.map { SQL.quoted(identifier: $0.name) }
    let sql = "SELECT \((names + terms).joined(separator: ", ")) FROM \(quotedName) WHERE \(keyCondition)"
    let found = try select(sql, key, count: names.count + terms.count)
    // A collation may find a row whose key differs in its bytes: that is another row.
    guard let row = found.first(where: { Array($0.prefix(key.count)) == key }) else { return outside }
    var position = names.count
    return indexes.map { index in
      defer { position += index.terms.count }
      return Array(row[position..<position + index.terms.count])
    }
  }

  /// Likewise, of a row that may not be in the table: it is put there, whatever is in its way, and taken back.
  func computedValues(of row: [SQLValue]) throws -> [[SQLValue]] {
    var values = outside
    do {
      try connection.savepoint {
        try run(replaceSQL, row)
        values = try computedValues(ofShown: Array(row.prefix(table.keyColumns.count)))
        throw Undone()
      }
    } catch is Undone {} catch let error as StoreError where error.refusesRow {
      // It cannot stand at all, and so takes nothing from anybody.
    }
    return values
  }

  private var outside: [[SQLValue]] { table.computedUniques.map { $0.terms.map { _ in .null } } }

  private var replaceSQL: String {
    let marks = Array(repeating: "?", count: table.allColumns.count).joined(separator: ", ")
    return "INSERT OR REPLACE INTO \(quotedName)(\(selection)) VALUES (\(marks))"
  }

  /// The rows that have `values` in a computed index.
  func rows(in index: MergeTable.ComputedUnique, having values: [SQLValue]) throws -> [[SQLValue]] {
    var conditions = zip(index.terms, index.collationNames).map { term, collation in
      "(\(term)) COLLATE \(SQL.quoted(identifier: collation)) = ?"
    }
    if let predicate = index.predicate { conditions.insert("(\(predicate))", at: 0) }
    return try select(
      "SELECT \(selection) FROM \(quotedName) WHERE \(conditions.joined(separator: " AND "))", values)
  }

  private struct Undone: Error {}
}
