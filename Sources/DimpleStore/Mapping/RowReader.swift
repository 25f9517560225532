/// The row that a query stands on: its columns, read in place as Swift types.
///
/// Given to ``RowDecodable/init(row:)``, and gone after it. Columns count from 0. Reading is as strict as decoding: `NULL`
/// where the type is not optional, an integer out of range, a column that is missing: all throw ``StoreError``, with the
/// column, the row and the SQL.
public struct RowReader: ~Copyable {
  /// SQLite's own, so that reading a column asks nothing of ARC.
  private let handle: OpaquePointer?
  private let columnCount: Int
  // Lent, never kept: a value that cannot be copied cannot outlive the call that it is lent to.
  unowned(unsafe) let statement: Statement
  private let number: Int

  init(_ statement: Statement, number: Int, columnCount: Int32) {
    handle = statement.handle
    self.columnCount = Int(columnCount)
    self.statement = statement
    self.number = number
  }

  /// The number of columns.
  public var count: Int { columnCount }

  /// The columns' names, in order.
  public var columnNames: [String] { statement.columnNames }

  /// A column by its position: `id = try row[0]`.
  @inlinable
  public subscript<T: SQLConvertible>(_ column: Int) -> T {
    get throws { try T.read(self, column) }
  }

  /// A column by its name, in any case: `title = try row["title"]`. Of columns with the same name, the first counts.
  @inlinable
  public subscript<T: SQLConvertible>(_ name: String) -> T {
    get throws { try T.read(self, position(of: name)) }
  }

  /// Where the column of a name stands.
  ///
  /// - Throws: ``StoreError`` with code `missingColumn`.
  public func position(of name: String) throws -> Int {
    if let position = statement.position(ofColumn: name) { return position }
    throw StoreError.missingColumn(name, among: columnNames, row: number, sql: statement.sql)
  }

  /// Whether a column is `NULL`.
  public func isNull(_ column: Int) throws -> Bool { try field(column).isNull }

  /// A column without loss, whatever it holds.
  public func value(_ column: Int) throws -> SQLValue { try field(column).value }

  /// A column that holds an integer, or a whole real.
  public func int64(_ column: Int) throws -> Int64 {
    let field = try field(column)
    if field.isInteger { return field.int64 }
    return try convert(field, column) { try $0.integer(Int64.self) }
  }

  /// As ``int64(_:)``; `nil` for `NULL`.
  public func int64IfPresent(_ column: Int) throws -> Int64? {
    let field = try field(column)
    if field.isInteger { return field.int64 }
    return field.isNull ? nil : try convert(field, column) { try $0.integer(Int64.self) }
  }

  /// As ``int64(_:)``, in the range of `Int`.
  public func int(_ column: Int) throws -> Int {
    let field = try field(column)
    if field.isInteger, let value = Int(exactly: field.int64) { return value }
    return try convert(field, column) { try $0.integer(Int.self) }
  }

  /// As ``int(_:)``; `nil` for `NULL`.
  public func intIfPresent(_ column: Int) throws -> Int? {
    let field = try field(column)
    if field.isInteger, let value = Int(exactly: field.int64) { return value }
    return field.isNull ? nil : try convert(field, column) { try $0.integer(Int.self) }
  }

  /// A column that holds an integer in the type's range, or a whole real.
  func integer<I: FixedWidthInteger & SQLConvertible>(_ column: Int) throws -> I {
    let field = try field(column)
    if field.isInteger, let value = I(exactly: field.int64) { return value }
    return try convert(field, column, I.init(sqlValue:))
  }

  /// A column that holds a real, or an integer that a double holds exactly.
  public func double(_ column: Int) throws -> Double {
    let field = try field(column)
    if field.isReal { return field.double }
    return try convert(field, column, Double.init(sqlValue:))
  }

  /// As ``double(_:)``; `nil` for `NULL`.
  public func doubleIfPresent(_ column: Int) throws -> Double? {
    let field = try field(column)
    if field.isReal { return field.double }
    return field.isNull ? nil : try convert(field, column, Double.init(sqlValue:))
  }

  /// A column that holds text in valid UTF-8.
  public func string(_ column: Int) throws -> String {
    let field = try field(column)
    if field.isText, let text = field.validText { return text }
    return try convert(field, column, String.init(sqlValue:))
  }

  /// As ``string(_:)``; `nil` for `NULL`.
  public func stringIfPresent(_ column: Int) throws -> String? {
    let field = try field(column)
    if field.isText, let text = field.validText { return text }
    return field.isNull ? nil : try convert(field, column, String.init(sqlValue:))
  }

  /// A column as any type that is one SQL value.
  func convert<T: SQLConvertible>(_ column: Int) throws -> T { try convert(field(column), column, T.init(sqlValue:)) }

  @inline(__always) private func field(_ column: Int) throws -> Field {
    guard UInt(bitPattern: column) < UInt(bitPattern: columnCount) else { throw outOfRange(column) }
    return Field(column: Int32(truncatingIfNeeded: column), of: handle)
  }

  @inline(never) private func outOfRange(_ column: Int) -> StoreError {
    .missingColumn("number \(column)", among: columnNames, row: number, sql: statement.sql)
  }

  @inline(never) private func convert<T>(_ field: Field, _ column: Int, _ make: (SQLValue) throws -> T) throws -> T {
    do { return try make(field.value) } catch let error as StoreError {
      throw error.located(column: statement.columnName(Int32(column)), row: number, sql: statement.sql)
    }
  }
}

/// A type that is made from a row by hand: faster than Codable, and free to name and combine columns as it likes.
///
/// ```swift
/// struct Track: RowDecodable {
///   let id: Int64
///   let title: String
///
///   init(row: borrowing RowReader) throws {
///     id = try row[0]
///     title = try row["Name"]
///   }
/// }
/// let tracks = try db.query(Track.self, "SELECT TrackId, Name FROM Track")
/// ```
///
/// A type that is Decodable, too, is made this way.
public protocol RowDecodable {
  /// From the row at hand.
  init(row: borrowing RowReader) throws
}
