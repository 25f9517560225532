extension Connection {
  /// All rows of a query, each made by ``RowDecodable/init(row:)``.
  @inlinable
  public func query<T: RowDecodable>(_ type: T.Type, _ sql: SQL) throws -> [T] {
    try makeRows(type, sql)
  }

  /// The first row of a query, made by ``RowDecodable/init(row:)``; `nil` if there is none.
  @inlinable
  public func queryOne<T: RowDecodable>(_ type: T.Type, _ sql: SQL) throws -> T? {
    try makeFirstRow(type, sql)
  }

  /// All rows of a query as tuples, one value per column: `query((String, Int).self, "SELECT name, age FROM Person")`.
  @inlinable
  public func query<A: SQLConvertible, B: SQLConvertible, each Rest: SQLConvertible>(
    _ type: (A, B, repeat each Rest).Type, _ sql: SQL
  ) throws -> [(A, B, repeat each Rest)] {
    var result: [(A, B, repeat each Rest)] = []
    try forEachRow(sql) { row in
      var position = 1
      func next() -> Int {
        position += 1
        return position
      }
      result.append((try A.read(row, 0), try B.read(row, 1), repeat try (each Rest).read(row, next())))
      return true
    }
    return result
  }

  /// The first row of a query as a tuple; `nil` if there is none.
  @inlinable
  public func queryOne<A: SQLConvertible, B: SQLConvertible, each Rest: SQLConvertible>(
    _ type: (A, B, repeat each Rest).Type, _ sql: SQL
  ) throws -> (A, B, repeat each Rest)? {
    var result: (A, B, repeat each Rest)?
    try forEachRow(sql) { row in
      var position = 1
      func next() -> Int {
        position += 1
        return position
      }
      result = (try A.read(row, 0), try B.read(row, 1), repeat try (each Rest).read(row, next()))
      return false
    }
    return result
  }

  /// Lends row after row without keeping them; the body returns false to stop.
  public func forEachRow(_ sql: SQL, _ body: (borrowing RowReader) throws -> Bool) throws {
    let statement = try prepare(sql)
    defer { statement.endUse() }
    try statement.bindAll(sql)
    try statement.forEachRow(body)
  }
}

/// What both kinds of row types share: an overload cannot call the other.
extension Connection {
  @inlinable func makeRows<T: RowDecodable>(_ type: T.Type, _ sql: SQL) throws -> [T] {
    var result: [T] = []
    try forEachRow(sql) { row in
      result.append(try T(row: row))
      return true
    }
    return result
  }

  @inlinable func makeFirstRow<T: RowDecodable>(_ type: T.Type, _ sql: SQL) throws -> T? {
    var result: T?
    try forEachRow(sql) { row in
      result = try T(row: row)
      return false
    }
    return result
  }
}

/// A type that can be made both ways is made from the row.
extension Connection {
  /// All rows of a query, each made by ``RowDecodable/init(row:)``.
  @inlinable
  public func query<T: RowDecodable & Decodable>(_ type: T.Type, _ sql: SQL) throws -> [T] {
    try makeRows(type, sql)
  }

  /// The first row of a query, made by ``RowDecodable/init(row:)``; `nil` if there is none.
  @inlinable
  public func queryOne<T: RowDecodable & Decodable>(_ type: T.Type, _ sql: SQL) throws -> T? {
    try makeFirstRow(type, sql)
  }
}

extension Statement {
  func forEachRow(_ body: (borrowing RowReader) throws -> Bool) throws {
    var number = 0
    var columnCount: Int32 = 0
    while try step() {
      if number == 0 { columnCount = self.columnCount }
      number += 1
      guard try body(RowReader(self, number: number, columnCount: columnCount)) else { return }
    }
  }
}
