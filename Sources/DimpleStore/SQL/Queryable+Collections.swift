extension Queryable {
  /// The different rows of a query, each decoded.
  public func querySet<T: Decodable & Hashable>(_ type: T.Type, _ sql: SQL) throws -> Set<T> {
    try withConnection { try $0.querySet(type, sql) }
  }

  /// A query's rows by a property that tells them apart: `query(Todo.self, keyedBy: \.id, "SELECT * FROM Todo")`.
  ///
  /// - Throws: ``StoreError`` with code `duplicateKey` if two rows have the same.
  public func query<T: Decodable, Key: Hashable>(
    _ type: T.Type, keyedBy keyPath: KeyPath<T, Key>, _ sql: SQL
  ) throws -> [Key: T] {
    try withConnection { try $0.query(type, keyedBy: keyPath, sql) }
  }

  /// A query's rows of two columns, as keys and values: `queryDictionary((String, Int).self, "SELECT name, age FROM Person")`.
  ///
  /// - Throws: ``StoreError`` with code `duplicateKey` if two rows have the same key.
  public func queryDictionary<Key: SQLConvertible & Hashable, Value: SQLConvertible>(
    _ type: (Key, Value).Type, _ sql: SQL
  ) throws -> [Key: Value] {
    try withConnection { try $0.queryDictionary(type, sql) }
  }
}
