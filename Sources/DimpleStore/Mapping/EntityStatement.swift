/// What is done with an entity.
enum EntityVerb: Hashable {
  case save, insert, update, find, findByRowID, delete
}

/// Which statement of a connection's cache is meant.
struct EntityStatementKey: Hashable {
  let type: ObjectIdentifier
  let verb: EntityVerb
  let comparesValues: Bool
}

/// The SQL for an entity type and a verb, and the columns that it was made for.
struct EntityStatement {
  let columns: [String]
  let sql: String

  /// Pure text: no values.
  ///
  /// No RETURNING: SQLite fills a table for its rows in each run, which costs four times the insert; the row is looked up.
  ///
  /// - Parameter comparesValues: leave rows alone that hold the values already, so that nothing is written or logged.
  init(_ verb: EntityVerb, table: String, idColumn: String, columns: [String], comparesValues: Bool) {
    self.columns = columns
    let names = columns.map(SQL.quoted(identifier:))
    let table = SQL.quoted(identifier: table)
    let id = SQL.quoted(identifier: idColumn)
    let others = names.filter { $0 != id }
    let insert = """
      INSERT INTO \(table) (\(names.joined(separator: ", "))) \
      VALUES (\(names.indices.map { "?\($0 + 1)" }.joined(separator: ", ")))
      """
    switch verb {
    case .insert:
      sql = names.isEmpty ? "INSERT INTO \(table) DEFAULT VALUES" : insert
    case .save:
      let assignments = others.map { "\($0) = excluded.\($0)" }.joined(separator: ", ")
      let differs = others.map { Self.differs("\(table).\($0)", "excluded.\($0)") }.joined(separator: " OR ")
      let condition = comparesValues ? " WHERE \(differs)" : ""
      let action = others.isEmpty ? "DO NOTHING" : "DO UPDATE SET \(assignments)\(condition)"
      sql = "\(insert) ON CONFLICT (\(id)) \(action)"
    case .update:
      let parameter = Dictionary(
        zip(names, names.indices.map { "?\($0 + 1)" }), uniquingKeysWith: { first, _ in first })
      let key = parameter[id] ?? "NULL"
      let assignments = others.map { "\($0) = \(parameter[$0] ?? "NULL")" }.joined(separator: ", ")
      let differs = others.map { Self.differs($0, parameter[$0] ?? "NULL") }.joined(separator: " OR ")
      let condition = comparesValues ? " AND (\(differs))" : ""
      sql =
        others.isEmpty
        ? "SELECT * FROM \(table) WHERE \(id) = \(key)"
        : "UPDATE \(table) SET \(assignments) WHERE \(id) = \(key)\(condition)"
    case .find: sql = "SELECT * FROM \(table) WHERE \(id) = ?1"
    case .findByRowID: sql = "SELECT * FROM \(table) WHERE rowid = ?1"
    case .delete: sql = "DELETE FROM \(table) WHERE \(id) = ?1"
    }
  }

  /// `IS NOT` alone takes 'abc' for 'ABC' under NOCASE, and 1 for 1.0.
  private static func differs(_ old: String, _ new: String) -> String {
    "\(old) IS NOT \(new) COLLATE BINARY OR typeof(\(old)) <> typeof(\(new))"
  }
}
