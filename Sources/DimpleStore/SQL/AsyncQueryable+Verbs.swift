extension AsyncQueryable {
  /// All rows of a query, each decoded from its columns by name.
  @inlinable
  public func query<T: Decodable & Sendable>(_ type: T.Type, _ sql: SQL) async throws -> [T] {
    try await withConnection { try $0.query(T.self, sql) }
  }

  /// The first row of a query, decoded; `nil` if there is none.
  @inlinable
  public func queryOne<T: Decodable & Sendable>(_ type: T.Type, _ sql: SQL) async throws -> T? {
    try await withConnection { try $0.queryOne(T.self, sql) }
  }

  /// The only row of a query, decoded.
  ///
  /// - Throws: ``StoreError``: `rowNotFound`; `tooManyRows` if there is a second one.
  @inlinable
  public func querySingle<T: Decodable & Sendable>(_ type: T.Type, _ sql: SQL) async throws -> T {
    try await withConnection { try $0.querySingle(T.self, sql) }
  }

  /// All rows of a query, as they are.
  public func rows(_ sql: SQL) async throws -> [Row] { try await withConnection { try $0.rows(sql) } }

  /// Whether a query has a row.
  public func exists(_ sql: SQL) async throws -> Bool { try await withConnection { try $0.exists(sql) } }

  /// How many rows a query has. SQLite counts them; none is handed over.
  public func count(_ sql: SQL) async throws -> Int { try await withConnection { try $0.count(sql) } }

  /// How many rows an entity's table has.
  public func count<E: Entity>(_ type: E.Type) async throws -> Int { try await withConnection { try $0.count(E.self) } }
}
