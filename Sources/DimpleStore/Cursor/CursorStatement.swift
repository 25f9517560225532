/// The statement of a cursor: stepped a batch at a time, and left where it is in between.
///
/// Confined to its connection, as any statement.
@usableFromInline final class CursorStatement {
  let statement: Statement
  private var rowNumber = 0
  private var columnCount: Int32 = 0
  private var columns: RowColumns?
  /// There is no row left.
  private(set) var isAtEnd = false

  init(_ statement: Statement) { self.statement = statement }

  /// Decodes the next rows, as many as there are up to the limit.
  @usableFromInline func forEach<T: Decodable>(_ type: T.Type, limit: Int, _ body: (T) -> Void) throws {
    try RowDecoder.decoding(statement, after: rowNumber) { decoder in
      var left = limit
      while left > 0, try advance() {
        body(try decoder.decodeRow(type))
        left -= 1
      }
    }
  }

  /// Lends the next rows, as many as there are up to the limit.
  @usableFromInline func forEachRow(limit: Int, _ body: (borrowing RowReader) throws -> Void) throws {
    var left = limit
    while left > 0, try advance() {
      try body(RowReader(statement, number: rowNumber, columnCount: columnCount))
      left -= 1
    }
  }

  /// The next rows as they are.
  func forEachWholeRow(limit: Int, _ body: (Row) -> Void) throws {
    var left = limit
    while left > 0, try advance() {
      let shared = columns ?? RowColumns(names: statement.columnNames, sql: statement.sql)
      columns = shared
      body(Row(columns: shared, number: rowNumber, statement: statement))
      left -= 1
    }
  }

  private func advance() throws -> Bool {
    guard !isAtEnd else { return false }
    // SQLite asks only while it computes, and a row that is simply read takes it next to nothing.
    try statement.connection.checkInterruption(sql: statement.sql)
    // Stepped again, it would begin from the first row.
    guard rowNumber == 0 || statement.isRunning else {
      throw StoreError(
        .transactionLost, operation: "read row \(rowNumber + 1)", sql: statement.sql,
        message: "SQLite ended the cursor's read after an earlier error.", hint: "Iterate again.")
    }
    guard try statement.step() else {
      isAtEnd = true
      return false
    }
    if rowNumber == 0 { columnCount = statement.columnCount }
    rowNumber += 1
    return true
  }
}
