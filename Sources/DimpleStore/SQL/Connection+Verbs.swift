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
    try handOver(type, sql) { value in
      result.append(value)
      return true
    }
    return result
  }

  /// The first row of a query, decoded; `nil` if there is none.
  @inlinable
  public func queryOne<T: Decodable>(_ type: T.Type, _ sql: SQL) throws -> T? {
    var result: T?
    try handOver(type, sql) { value in
      result = value
      return false
    }
    return result
  }

  /// Decodes row after row without keeping them; the body returns false to stop.
  public func forEach<T: Decodable>(_ type: T.Type, _ sql: SQL, _ body: (T) throws -> Bool) throws {
    try handOver(type, sql) { try body($0) }
  }

  /// As ``forEach(_:_:_:)``: each value is the body's own, which need not copy it to keep it.
  @usableFromInline
  func handOver<T: Decodable>(_ type: T.Type, _ sql: SQL, _ body: (consuming T) throws -> Bool) throws {
    let statement = try prepare(sql)
    defer { statement.endUse() }
    try statement.bindAll(sql)
    try statement.handOver(type, body)
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
}

extension Statement {
  /// Decodes row after row, each for the body to keep.
  func handOver<T: Decodable>(_ type: T.Type, _ body: (consuming T) throws -> Bool) throws {
    try RowDecoder.decoding(self) { decoder in
      while try step() {
        guard try body(decoder.decodeRow(type)) else { return }
      }
    }
  }
}
