extension Database {
  /// All rows of a query, each made by ``RowDecodable/init(row:)``.
  @inlinable
  public func query<T: RowDecodable>(_ type: T.Type, _ sql: SQL) throws -> [T] {
    try readOnce { try $0.query(type, sql) }
  }

  /// The first row of a query, made by ``RowDecodable/init(row:)``; `nil` if there is none.
  @inlinable
  public func queryOne<T: RowDecodable>(_ type: T.Type, _ sql: SQL) throws -> T? {
    try readOnce { try $0.queryOne(type, sql) }
  }

  /// All rows of a query, each made by ``RowDecodable/init(row:)``.
  @inlinable
  public func query<T: RowDecodable & Decodable>(_ type: T.Type, _ sql: SQL) throws -> [T] {
    try readOnce { try $0.query(type, sql) }
  }

  /// The first row of a query, made by ``RowDecodable/init(row:)``; `nil` if there is none.
  @inlinable
  public func queryOne<T: RowDecodable & Decodable>(_ type: T.Type, _ sql: SQL) throws -> T? {
    try readOnce { try $0.queryOne(type, sql) }
  }

  /// All rows of a query as tuples, one value per column: `query((String, Int).self, "SELECT name, age FROM Person")`.
  @inlinable
  public func query<A: SQLConvertible, B: SQLConvertible, each Rest: SQLConvertible>(
    _ type: (A, B, repeat each Rest).Type, _ sql: SQL
  ) throws -> [(A, B, repeat each Rest)] {
    try readOnce { try $0.query(type, sql) }
  }

  /// The first row of a query as a tuple; `nil` if there is none.
  @inlinable
  public func queryOne<A: SQLConvertible, B: SQLConvertible, each Rest: SQLConvertible>(
    _ type: (A, B, repeat each Rest).Type, _ sql: SQL
  ) throws -> (A, B, repeat each Rest)? {
    try readOnce { try $0.queryOne(type, sql) }
  }
}

/// The same, suspending instead of blocking.
extension Database {
  /// All rows of a query, each made by ``RowDecodable/init(row:)``.
  @inlinable
  public func query<T: RowDecodable & Sendable>(_ type: T.Type, _ sql: SQL) async throws -> [T] {
    try await readOnce { try $0.query(T.self, sql) }
  }

  /// The first row of a query, made by ``RowDecodable/init(row:)``; `nil` if there is none.
  @inlinable
  public func queryOne<T: RowDecodable & Sendable>(_ type: T.Type, _ sql: SQL) async throws -> T? {
    try await readOnce { try $0.queryOne(T.self, sql) }
  }

  /// All rows of a query, each made by ``RowDecodable/init(row:)``.
  @inlinable
  public func query<T: RowDecodable & Decodable & Sendable>(_ type: T.Type, _ sql: SQL) async throws -> [T] {
    try await readOnce { try $0.query(T.self, sql) }
  }

  /// The first row of a query, made by ``RowDecodable/init(row:)``; `nil` if there is none.
  @inlinable
  public func queryOne<T: RowDecodable & Decodable & Sendable>(_ type: T.Type, _ sql: SQL) async throws -> T? {
    try await readOnce { try $0.queryOne(T.self, sql) }
  }

  /// All rows of a query as tuples, one value per column.
  @inlinable
  public func query<A: SQLConvertible & Sendable, B: SQLConvertible & Sendable, each Rest: SQLConvertible & Sendable>(
    _ type: (A, B, repeat each Rest).Type, _ sql: SQL
  ) async throws -> [(A, B, repeat each Rest)] {
    try await readOnce { try $0.query((A, B, repeat each Rest).self, sql) }
  }

  /// The first row of a query as a tuple; `nil` if there is none.
  @inlinable
  public func queryOne<
    A: SQLConvertible & Sendable, B: SQLConvertible & Sendable, each Rest: SQLConvertible & Sendable
  >(
    _ type: (A, B, repeat each Rest).Type, _ sql: SQL
  ) async throws -> (A, B, repeat each Rest)? {
    try await readOnce { try $0.queryOne((A, B, repeat each Rest).self, sql) }
  }
}
