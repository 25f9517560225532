extension Connection {
  /// Runs one statement to its end.
  ///
  /// - Returns: the number of rows it inserted, updated or deleted itself; 0 for other statements.
  @discardableResult
  public func execute(_ sql: SQL) throws -> Int {
    let statement = try prepare(sql)
    defer { statement.endUse() }
    try statement.bindAll(sql)
    let before = totalChanges
    while try statement.step() {}
    return totalChanges == before ? 0 : changeCount
  }

  /// All rows of a query, each decoded from its columns by name; a type that is one SQL value takes the first column.
  ///
  /// Columns that the type does not ask for are passed over. One that it asks for and that is missing, a `NULL` where the
  /// property is not optional, an integer out of range: all throw, with the column, the row and the SQL.
  @inlinable
  public func query<T: Decodable>(_ type: T.Type, _ sql: SQL) throws -> [T] {
    // In the caller's module the type is known, and appending costs a few instructions; here it would cost hundreds.
    var result: [T] = []
    try forEach(type, sql) { value in
      result.append(value)
      return true
    }
    return result
  }

  /// The first row of a query, decoded; `nil` if there is none.
  public func queryOne<T: Decodable>(_ type: T.Type, _ sql: SQL) throws -> T? {
    try decoding(sql) { statement, decoder in try statement.step() ? decoder.decodeRow(type) : nil }
  }

  /// Decodes row after row without keeping them; the body returns false to stop.
  public func forEach<T: Decodable>(_ type: T.Type, _ sql: SQL, _ body: (T) throws -> Bool) throws {
    try decoding(sql) { statement, decoder in
      while try statement.step() {
        guard try body(decoder.decodeRow(type)) else { return }
      }
    }
  }

  /// All rows of a query, as they are.
  public func rows(_ sql: SQL) throws -> [Row] {
    let statement = try prepare(sql)
    defer { statement.endUse() }
    try statement.bindAll(sql)
    var rows: [Row] = []
    var columns: RowColumns?
    while try statement.step() {
      let shared = columns ?? RowColumns(names: statement.columnNames, sql: sql.text)
      columns = shared
      rows.append(Row(columns: shared, number: rows.count + 1, statement: statement))
    }
    return rows
  }

  /// Binds, and hands the statement with a decoder for its rows to the body.
  private func decoding<Result>(
    _ sql: SQL, _ body: (Statement, RowDecoder) throws -> Result
  ) throws -> Result {
    let statement = try prepare(sql)
    defer { statement.endUse() }
    try statement.bindAll(sql)
    return try RowDecoder.decoding(statement) { try body(statement, $0) }
  }
}
