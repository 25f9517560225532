extension Connection {
  /// Runs one statement to its end.
  ///
  /// - Returns: How many rows it inserted, updated or deleted; 0 for statements that do none of it.
  @discardableResult
  public func execute(_ sql: SQL) throws -> Int {
    let before = totalChanges
    let statement = try start(sql)
    defer { statement.reset() }
    while try statement.step() {}
    return totalChanges == before ? 0 : changeCount
  }

  /// Runs several statements, separated by semicolons, without values.
  public func script(_ text: String) throws {
    var rest = Array(text.utf8)[...]
    while true {
      let next = try compileFirst(of: rest)
      guard let statement = next.statement else { return }
      while try statement.step() {}
      rest = next.rest
    }
  }

  /// All rows of a result.
  public func rows(_ sql: SQL) throws -> [Row] {
    var rows: [Row] = []
    try forEach(sql) { rows.append($0) }
    return rows
  }

  /// Calls `body` with each row, one in memory at a time.
  public func forEach(_ sql: SQL, _ body: (Row) throws -> Void) throws {
    let statement = try start(sql)
    defer { statement.reset() }
    guard try statement.step() else { return }
    let layout = Row.Layout((0..<statement.columnCount).map { statement.columnName($0) })
    repeat {
      try body(Row(layout: layout, values: (0..<statement.columnCount).map { statement.value(Int32($0)) }))
    } while try statement.step()
  }

  /// All rows, decoded.
  ///
  /// - Throws: ``StoreError``; where a row does not decode, with the column, the row's number and the statement.
  public func query<T: Decodable>(_ type: T.Type, _ sql: SQL) throws -> [T] {
    var result: [T] = []
    try forEach(sql) { row in
      do { result.append(try row.decode(T.self)) } catch var error as StoreError {
        error.sql = sql.text
        error.message = "Row \(result.count + 1): " + error.message
        throw error
      }
    }
    return result
  }

  /// The first row, decoded; `nil` if there is none.
  public func queryOne<T: Decodable>(_ type: T.Type, _ sql: SQL) throws -> T? {
    let statement = try start(sql)
    defer { statement.reset() }
    guard try statement.step() else { return nil }
    let layout = Row.Layout((0..<statement.columnCount).map { statement.columnName($0) })
    return try Row(layout: layout, values: (0..<statement.columnCount).map { statement.value(Int32($0)) }).decode(
      T.self)
  }

  /// The tables and columns that a statement reads.
  package func readSet(of sql: SQL) throws -> ReadSet { try prepare(sql.text).access.reads }

  private func start(_ sql: SQL) throws -> Statement {
    let statement = try prepare(sql.text)
    do { try statement.bindAll(sql.bindings) } catch {
      statement.reset()
      throw error
    }
    return statement
  }
}
