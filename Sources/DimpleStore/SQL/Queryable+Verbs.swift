extension Queryable {
  /// All rows of a query, each decoded from its columns by name.
  @inlinable
  public func query<T: Decodable>(_ type: T.Type, _ sql: SQL) throws -> [T] {
    try withConnection { try $0.query(type, sql) }
  }

  /// The first row of a query, decoded; `nil` if there is none.
  @inlinable
  public func queryOne<T: Decodable>(_ type: T.Type, _ sql: SQL) throws -> T? {
    try withConnection { try $0.queryOne(type, sql) }
  }

  /// The only row of a query, decoded.
  ///
  /// - Throws: ``StoreError``: `rowNotFound`; `tooManyRows` if there is a second one.
  @inlinable
  public func querySingle<T: Decodable>(_ type: T.Type, _ sql: SQL) throws -> T {
    try withConnection { try $0.querySingle(type, sql) }
  }

  /// All rows of a query, as they are.
  public func rows(_ sql: SQL) throws -> [Row] { try withConnection { try $0.rows(sql) } }

  /// Whether a query has a row.
  public func exists(_ sql: SQL) throws -> Bool { try withConnection { try $0.exists(sql) } }

  /// How many rows a query has. SQLite counts them; none is handed over.
  public func count(_ sql: SQL) throws -> Int { try withConnection { try $0.count(sql) } }

  /// How many rows an entity's table has.
  public func count<E: Entity>(_ type: E.Type) throws -> Int { try withConnection { try $0.count(type) } }
}
