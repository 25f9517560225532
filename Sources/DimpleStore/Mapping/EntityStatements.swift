/// The SQL by which an entity type's rows are written and found, for the columns that it encodes. Pure text: no values.
///
/// No RETURNING but where nothing else tells the row: SQLite fills a table for its rows in each run, which costs four times
/// the insert.
struct EntityStatements {
  /// Those that the type encodes.
  let columns: [String]
  private let table: String
  private let ids: [String]
  private let names: [String]
  /// By the columns that they write, bit by bit.
  private var updates: [UInt64: String] = [:]
  private(set) var insert = ""
  private(set) var select = ""
  /// Inserts, or updates where values differ.
  private(set) var save = ""
  /// As ``save``, without looking whether values differ.
  private(set) var saveAlways = ""

  init(table: String, idColumns: [String], columns: [String]) {
    self.columns = columns
    self.table = SQL.quoted(identifier: table)
    ids = idColumns.map(SQL.quoted(identifier:))
    names = columns.map(SQL.quoted(identifier:))
    insert = names.isEmpty ? "INSERT INTO \(self.table) DEFAULT VALUES" : makeInsert()
    select = "SELECT \(names.isEmpty ? "NULL" : names.joined(separator: ", ")) FROM \(self.table) WHERE \(condition)"
    save = makeSave(comparing: true)
    saveAlways = makeSave(comparing: false)
  }

  /// The row of an id: one value for each of the id's columns.
  static func find(table: String, idColumns: [String]) -> String {
    "SELECT * FROM \(SQL.quoted(identifier: table)) WHERE \(condition(idColumns.map(SQL.quoted(identifier:))))"
  }

  /// Deletes the row of an id.
  static func delete(table: String, idColumns: [String]) -> String {
    "DELETE FROM \(SQL.quoted(identifier: table)) WHERE \(condition(idColumns.map(SQL.quoted(identifier:))))"
  }

  /// `id = ?1`
  private var condition: String { Self.condition(ids) }

  private static func condition(_ ids: [String], from first: Int = 1) -> String {
    zip(ids, first...).map { "\($0) = ?\($1)" }.joined(separator: " AND ")
  }

  /// Updates some of the columns, by position: their values in order, then the id's.
  mutating func update(_ changed: [Int]) -> String {
    guard let highest = changed.last, highest < UInt64.bitWidth else { return makeUpdate(changed) }
    let key = changed.reduce(UInt64(0)) { $0 | 1 << UInt64($1) }
    if let known = updates[key] { return known }
    // A type with many columns, written in many ways: the texts are cheap to make, and not worth keeping all.
    if updates.count >= 64 { updates.removeAll() }
    let new = makeUpdate(changed)
    updates[key] = new
    return new
  }

  private func makeUpdate(_ changed: [Int]) -> String {
    let assignments = zip(changed, 1...).map { "\(names[$0]) = ?\($1)" }.joined(separator: ", ")
    return "UPDATE \(table) SET \(assignments) WHERE \(Self.condition(ids, from: changed.count + 1))"
  }

  private func makeInsert() -> String {
    let values = names.indices.map { "?\($0 + 1)" }.joined(separator: ", ")
    return "INSERT INTO \(table) (\(names.joined(separator: ", "))) VALUES (\(values))"
  }

  private func makeSave(comparing: Bool) -> String {
    let others = names.filter { !ids.contains($0) }
    let assignments = others.map { "\($0) = excluded.\($0)" }.joined(separator: ", ")
    let differs = others.map { Self.differs("\(table).\($0)", "excluded.\($0)") }.joined(separator: " OR ")
    let action = others.isEmpty ? "DO NOTHING" : "DO UPDATE SET \(assignments)\(comparing ? " WHERE \(differs)" : "")"
    return "\(insert) ON CONFLICT (\(ids.joined(separator: ", "))) \(action)"
  }

  /// Inserts, or updates the row that a unique constraint names, whose id stays; returns the id.
  func upsert(conflictingOn target: [String]) -> String {
    let target = target.map(SQL.quoted(identifier:))
    let others = names.filter { !ids.contains($0) && !target.contains($0) }
    // Something must be set for the row to be returned.
    let assignments = others.isEmpty ? ids.map { "\($0) = \(table).\($0)" } : others.map { "\($0) = excluded.\($0)" }
    let conflict = target.isEmpty ? "" : " (\(target.joined(separator: ", ")))"
    return """
      \(insert) ON CONFLICT\(conflict) DO UPDATE SET \(assignments.joined(separator: ", ")) \
      RETURNING \(ids.joined(separator: ", "))
      """
  }

  /// `IS NOT` alone takes 'abc' for 'ABC' under NOCASE, and 1 for 1.0.
  private static func differs(_ old: String, _ new: String) -> String {
    "\(old) IS NOT \(new) COLLATE BINARY OR typeof(\(old)) <> typeof(\(new))"
  }
}
