internal import DimpleStore

/// The statements by which the merge reads and writes one user table. Names are quoted; values are bound.
struct TableAccess {
  /// SQLite allows a statement 32,766 parameters, and 999 before 3.32: https://sqlite.org/limits.html.
  static let maximumParameters = 999

  let table: MergeTable
  let connection: Connection

  let quotedName: String
  let selection: String
  let keyCondition: String
  private let readSQL: String
  let insertSQL: String
  private let rowMarks: String
  private let deleteSQL: String

  init(_ table: MergeTable, _ connection: Connection) {
    self.table = table
    self.connection = connection
    quotedName = SQL.quoted(identifier: table.name)
    selection = table.allColumns.map { SQL.quoted(identifier: $0.name) }.joined(separator: ", ")
    keyCondition = Self.condition(table.keyColumns.map(\.name))
    rowMarks = "(\(Array(repeating: "?", count: table.allColumns.count).joined(separator: ", ")))"
    readSQL = "SELECT \(selection) FROM \(quotedName) WHERE \(keyCondition)"
    // A constraint that would replace or ignore rows must not: what may stand is decided here.
    insertSQL = "INSERT OR ABORT INTO \(quotedName)(\(selection)) VALUES \(rowMarks)"
    deleteSQL = "DELETE FROM \(quotedName) WHERE \(keyCondition)"
  }

  /// ``insertSQL`` for so many rows; their parameters follow one another.
  func insertSQL(rows: Int) -> String { insertSQL + String(repeating: ", " + rowMarks, count: rows - 1) }

  private static func condition(_ columns: [String]) -> String {
    columns.map { "\(SQL.quoted(identifier: $0)) = ?" }.joined(separator: " AND ")
  }

  /// The row's values in the order of `allColumns`; `nil` where the table has no such row.
  func read(_ key: [SQLValue]) throws -> [SQLValue]? {
    let rows = try select(readSQL, key)
    // A collation may find a row whose key differs in its bytes: that is another row.
    return rows.first { Array($0.prefix(key.count)) == key }
  }

  /// The rows that have `values` in the columns at `positions`, as SQLite compares them.
  ///
  /// - Parameters:
  ///   - collations: Of what they are compared with; the columns' own by default.
  ///   - affinities: Likewise. Where they are others than the columns', more rows may be found than are equal.
  func rows(
    where positions: [Int], equal values: [SQLValue], collations: [Collation]? = nil, affinities: [Affinity]? = nil
  ) throws -> [[SQLValue]] {
    let condition = positions.enumerated().map { index, position in
      let column = table.allColumns[position]
      let name = SQL.quoted(identifier: column.name)
      let mark = affinities.flatMap { $0[index] == column.affinity ? nil : $0[index].mark } ?? "?"
      // Its own needs no mention, which would keep SQLite from using an index.
      guard let collation = collations?[index], collation != column.collation else { return "\(name) = \(mark)" }
      return "\(name) COLLATE \(collation.rawValue) = \(mark)"
    }.joined(separator: " AND ")
    return try select("SELECT \(selection) FROM \(quotedName) WHERE \(condition)", values)
  }

  /// - Parameter count: Of the columns selected; all columns of the table by default.
  func select(_ sql: String, _ values: [SQLValue], count: Int? = nil) throws -> [[SQLValue]] {
    let statement = try connection.prepare(sql)
    defer { statement.reset() }
    try statement.bindAll(values)
    var rows: [[SQLValue]] = []
    while try statement.step() { rows.append(statement.row(count: count ?? table.allColumns.count)) }
    return rows
  }

  func insert(_ row: [SQLValue]) throws {
    try run(insertSQL, row)
  }

  /// Writes those columns of the row that differ.
  func update(from old: [SQLValue], to new: [SQLValue]) throws {
    let changed = new.indices.filter { old[$0] != new[$0] }
    guard !changed.isEmpty else { return }
    let assignments = changed.map { "\(SQL.quoted(identifier: table.allColumns[$0].name)) = ?" }
      .joined(separator: ", ")
    try run(
      "UPDATE OR ABORT \(quotedName) SET \(assignments) WHERE \(keyCondition)",
      changed.map { new[$0] } + new.prefix(table.keyColumns.count))
  }

  /// The values of the columns that are not synced; empty where there are none, or no such row.
  func localValues(_ key: [SQLValue]) throws -> [SQLValue] {
    if table.localColumns.isEmpty { return [] }
    let columns = table.localColumns.map { SQL.quoted(identifier: $0) }.joined(separator: ", ")
    let statement = try connection.prepare("SELECT \(columns) FROM \(quotedName) WHERE \(keyCondition)")
    defer { statement.reset() }
    try statement.bindAll(key)
    return try statement.step() ? statement.row(count: table.localColumns.count) : []
  }

  /// Gives a row that was written anew its ``localValues(_:)`` back.
  func setLocalValues(_ values: [SQLValue], _ key: [SQLValue]) throws {
    if values.isEmpty { return }
    let assignments = table.localColumns.map { "\(SQL.quoted(identifier: $0)) = ?" }.joined(separator: ", ")
    try run("UPDATE \(quotedName) SET \(assignments) WHERE \(keyCondition)", values + key)
  }

  func delete(_ key: [SQLValue]) throws {
    try run(deleteSQL, key)
  }

  func run(_ sql: String, _ values: [SQLValue]) throws {
    let statement = try connection.prepare(sql)
    defer { statement.reset() }
    try statement.bindAll(values)
    while try statement.step() {}
  }

  /// Asks SQLite whether the row, by itself, may stand: the reason why not, or `nil`.
  ///
  /// SQLite checks types, then NOT NULL, then CHECK, then uniqueness (https://sqlite.org/lang_createtable.html): a row
  /// that fails for its uniqueness has passed the rest, and uniqueness is decided elsewhere.
  func probe(_ row: [SQLValue]) throws -> RowStatus? {
    do {
      try connection.savepoint {
        try insert(row)
        throw ProbePassed()
      }
      return nil
    } catch is ProbePassed {
      return nil
    } catch let error as StoreError {
      switch error.code {
      case .checkConstraint: return .checkFailed
      case .notNullConstraint: return .missingValue
      case .dataTypeConstraint: return .wrongType
      case .uniqueConstraint: return nil
      case _ where error.refusesRow: return .checkFailed
      default: throw error
      }
    }
  }

  private struct ProbePassed: Error {}
}

extension StoreError {
  /// Whether the schema does not allow the row: by a constraint, by the type of a STRICT table's column, or because what an
  /// index, a CHECK or a generated column computes of it fails.
  var refusesRow: Bool {
    if code.isConstraint || code == .dataTypeConstraint { return true }
    return operation == "step" && (code == .sqlError || code == .functionFailed)
  }
}

extension Statement {
  fileprivate func bindAll(_ values: [SQLValue]) throws {
    for (index, value) in values.enumerated() { try bind(value, at: Int32(index + 1)) }
  }

  fileprivate func row(count: Int) -> [SQLValue] { (0..<count).map { value(Int32($0)) } }
}
