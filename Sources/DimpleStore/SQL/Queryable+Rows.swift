extension Queryable {
  /// All rows of a query, each made by ``RowDecodable/init(row:)``.
  @inlinable
  public func query<T: RowDecodable>(_ type: T.Type, _ sql: SQL) throws -> [T] {
    try withConnection { try $0.query(type, sql) }
  }

  /// The first row of a query, made by ``RowDecodable/init(row:)``; `nil` if there is none.
  @inlinable
  public func queryOne<T: RowDecodable>(_ type: T.Type, _ sql: SQL) throws -> T? {
    try withConnection { try $0.queryOne(type, sql) }
  }

  /// The only row of a query, made by ``RowDecodable/init(row:)``.
  ///
  /// - Throws: ``StoreError``: `rowNotFound`; `tooManyRows` if there is a second one.
  @inlinable
  public func querySingle<T: RowDecodable>(_ type: T.Type, _ sql: SQL) throws -> T {
    try withConnection { try $0.querySingle(type, sql) }
  }

  /// All rows of a query as tuples, one value per column: `query((String, Int).self, "SELECT name, age FROM Person")`.
  @inlinable
  public func query<A: SQLConvertible, B: SQLConvertible, each Rest: SQLConvertible>(
    _ type: (A, B, repeat each Rest).Type, _ sql: SQL
  ) throws -> [(A, B, repeat each Rest)] {
    try withConnection { try $0.query(type, sql) }
  }

  /// The first row of a query as a tuple; `nil` if there is none.
  @inlinable
  public func queryOne<A: SQLConvertible, B: SQLConvertible, each Rest: SQLConvertible>(
    _ type: (A, B, repeat each Rest).Type, _ sql: SQL
  ) throws -> (A, B, repeat each Rest)? {
    try withConnection { try $0.queryOne(type, sql) }
  }

  /// The only row of a query as a tuple.
  ///
  /// - Throws: ``StoreError``: `rowNotFound`; `tooManyRows` if there is a second one.
  @inlinable
  public func querySingle<A: SQLConvertible, B: SQLConvertible, each Rest: SQLConvertible>(
    _ type: (A, B, repeat each Rest).Type, _ sql: SQL
  ) throws -> (A, B, repeat each Rest) {
    try withConnection { try $0.querySingle(type, sql) }
  }
}

/// A type that can be made both ways is made from the row.
extension Queryable {
  /// All rows of a query, each made by ``RowDecodable/init(row:)``.
  @inlinable
  public func query<T: RowDecodable & Decodable>(_ type: T.Type, _ sql: SQL) throws -> [T] {
    try withConnection { try $0.query(type, sql) }
  }

  /// The first row of a query, made by ``RowDecodable/init(row:)``; `nil` if there is none.
  @inlinable
  public func queryOne<T: RowDecodable & Decodable>(_ type: T.Type, _ sql: SQL) throws -> T? {
    try withConnection { try $0.queryOne(type, sql) }
  }

  /// The only row of a query, made by ``RowDecodable/init(row:)``.
  ///
  /// - Throws: ``StoreError``: `rowNotFound`; `tooManyRows` if there is a second one.
  @inlinable
  public func querySingle<T: RowDecodable & Decodable>(_ type: T.Type, _ sql: SQL) throws -> T {
    try withConnection { try $0.querySingle(type, sql) }
  }
}
