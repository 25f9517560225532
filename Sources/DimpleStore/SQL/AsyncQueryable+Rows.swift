extension AsyncQueryable {
  /// All rows of a query, each made by ``RowDecodable/init(row:)``.
  @inlinable
  public func query<T: RowDecodable & Sendable>(_ type: T.Type, _ sql: SQL) async throws -> [T] {
    try await withConnection { try $0.query(T.self, sql) }
  }

  /// The first row of a query, made by ``RowDecodable/init(row:)``; `nil` if there is none.
  @inlinable
  public func queryOne<T: RowDecodable & Sendable>(_ type: T.Type, _ sql: SQL) async throws -> T? {
    try await withConnection { try $0.queryOne(T.self, sql) }
  }

  /// The only row of a query, made by ``RowDecodable/init(row:)``.
  ///
  /// - Throws: ``StoreError``: `rowNotFound`; `tooManyRows` if there is a second one.
  @inlinable
  public func querySingle<T: RowDecodable & Sendable>(_ type: T.Type, _ sql: SQL) async throws -> T {
    try await withConnection { try $0.querySingle(T.self, sql) }
  }

  /// All rows of a query as tuples, one value per column: `query((String, Int).self, "SELECT name, age FROM Person")`.
  @inlinable
  public func query<A: SQLConvertible & Sendable, B: SQLConvertible & Sendable, each Rest: SQLConvertible & Sendable>(
    _ type: (A, B, repeat each Rest).Type, _ sql: SQL
  ) async throws -> [(A, B, repeat each Rest)] {
    try await withConnection { try $0.query((A, B, repeat each Rest).self, sql) }
  }

  /// The first row of a query as a tuple; `nil` if there is none.
  @inlinable
  public func queryOne<
    A: SQLConvertible & Sendable, B: SQLConvertible & Sendable, each Rest: SQLConvertible & Sendable
  >(
    _ type: (A, B, repeat each Rest).Type, _ sql: SQL
  ) async throws -> (A, B, repeat each Rest)? {
    try await withConnection { try $0.queryOne((A, B, repeat each Rest).self, sql) }
  }

  /// The only row of a query as a tuple.
  ///
  /// - Throws: ``StoreError``: `rowNotFound`; `tooManyRows` if there is a second one.
  @inlinable
  public func querySingle<
    A: SQLConvertible & Sendable, B: SQLConvertible & Sendable, each Rest: SQLConvertible & Sendable
  >(
    _ type: (A, B, repeat each Rest).Type, _ sql: SQL
  ) async throws -> (A, B, repeat each Rest) {
    try await withConnection { try $0.querySingle((A, B, repeat each Rest).self, sql) }
  }
}

/// A type that can be made both ways is made from the row.
extension AsyncQueryable {
  /// All rows of a query, each made by ``RowDecodable/init(row:)``.
  @inlinable
  public func query<T: RowDecodable & Decodable & Sendable>(_ type: T.Type, _ sql: SQL) async throws -> [T] {
    try await withConnection { try $0.query(T.self, sql) }
  }

  /// The first row of a query, made by ``RowDecodable/init(row:)``; `nil` if there is none.
  @inlinable
  public func queryOne<T: RowDecodable & Decodable & Sendable>(_ type: T.Type, _ sql: SQL) async throws -> T? {
    try await withConnection { try $0.queryOne(T.self, sql) }
  }

  /// The only row of a query, made by ``RowDecodable/init(row:)``.
  ///
  /// - Throws: ``StoreError``: `rowNotFound`; `tooManyRows` if there is a second one.
  @inlinable
  public func querySingle<T: RowDecodable & Decodable & Sendable>(_ type: T.Type, _ sql: SQL) async throws -> T {
    try await withConnection { try $0.querySingle(T.self, sql) }
  }
}
