/// One row of a result: values without loss, and the names of their columns.
public struct Row: Sendable {
  private let columns: RowColumns
  private let values: [SQLValue]
  private let number: Int

  init(columns: RowColumns, number: Int, statement: Statement) {
    self.columns = columns
    self.number = number
    values = (0..<Int32(columns.names.count)).map { statement.value($0) }
  }

  /// The number of columns.
  public var count: Int { values.count }

  /// The columns' names, in order.
  public var columnNames: [String] { columns.names }

  /// A value by position, from 0. A position beyond the last is a programming error and traps, as in an array.
  public subscript(_ index: Int) -> SQLValue { values[index] }

  /// A value by the column's name, in any case; `NULL` if there is no such column: ``get(_:as:)`` throws then.
  public subscript(_ name: String) -> SQLValue { columns.index(of: name).map { values[$0] } ?? .null }

  /// The values by column. Of columns with the same name, the first counts.
  public var dictionary: [String: SQLValue] {
    Dictionary(zip(columns.names, values), uniquingKeysWith: { first, _ in first })
  }

  /// A value as a Swift type: `let title: String = try row.get("title")`.
  ///
  /// - Throws: ``StoreError`` with code `missingColumn`, or `typeMismatch` if it does not fit without loss.
  public func get<T: SQLConvertible>(_ name: String, as type: T.Type = T.self) throws -> T {
    guard let index = columns.index(of: name) else { throw columns.missing(name, row: number) }
    do {
      return try T(sqlValue: values[index])
    } catch let error as StoreError {
      throw error.located(column: columns.names[index], row: number, sql: columns.sql)
    }
  }
}

extension Row: Hashable {
  /// The same names and the same values, to the bit; where in its result a row stood does not count.
  public static func == (left: Row, right: Row) -> Bool {
    (left.columns === right.columns || left.columns.names == right.columns.names) && left.values == right.values
  }

  /// By the values.
  public func hash(into hasher: inout Hasher) { hasher.combine(values) }
}

extension Row: CustomStringConvertible {
  /// The columns and the types of the values, not the values themselves.
  public var description: String {
    "Row(" + zip(columns.names, values).map { "\($0): \($1.typeName)" }.joined(separator: ", ") + ")"
  }
}

/// What all rows of a result share.
final class RowColumns: Sendable {
  let names: [String]
  let sql: String
  private let indexes: [String: Int]

  init(names: [String], sql: String) {
    self.names = names
    self.sql = sql
    // Of columns with the same name, the first counts.
    indexes = Dictionary(names.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
  }

  func index(of name: String) -> Int? {
    if let index = indexes[name] { return index }
    let lowercased = name.lowercased()
    return names.firstIndex { $0.lowercased() == lowercased }
  }

  func missing(_ name: String, row: Int) -> StoreError { .missingColumn(name, among: names, row: row, sql: sql) }
}

extension StoreError {
  static func missingColumn(_ name: String, among names: [String], row: Int, sql: String) -> StoreError {
    StoreError(
      .missingColumn, operation: "read row \(row)", sql: sql,
      message: "There is no column '\(name)'; there are \(names.map { "'\($0)'" }.joined(separator: ", ")).",
      hint: "Select the column, or rename it with AS.")
  }

  /// Adds where a value was found that does not fit.
  func located(column: String, row: Int, sql: String) -> StoreError {
    var error = self
    error.operation = "read column '\(column)' of row \(row)"
    error.sql = sql
    return error
  }
}
