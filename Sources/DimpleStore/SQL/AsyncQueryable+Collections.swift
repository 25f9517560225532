extension AsyncQueryable {
  /// The different rows of a query, each decoded.
  public func querySet<T: Decodable & Hashable & Sendable>(_ type: T.Type, _ sql: SQL) async throws -> Set<T> {
    try await withConnection { try $0.querySet(T.self, sql) }
  }

  /// A query's rows by a property that tells them apart: `query(Todo.self, keyedBy: \.id, "SELECT * FROM Todo")`.
  ///
  /// - Throws: ``StoreError`` with code `duplicateKey` if two rows have the same.
  public func query<T: Decodable & Sendable, Key: Hashable & Sendable>(
    _ type: T.Type, keyedBy keyPath: any KeyPath<T, Key> & Sendable, _ sql: SQL
  ) async throws -> [Key: T] {
    try await withConnection { try $0.query(T.self, keyedBy: keyPath, sql) }
  }

  /// A query's rows of two columns, as keys and values: `queryDictionary((String, Int).self, "SELECT name, age FROM Person")`.
  ///
  /// - Throws: ``StoreError`` with code `duplicateKey` if two rows have the same key.
  public func queryDictionary<Key: SQLConvertible & Hashable & Sendable, Value: SQLConvertible & Sendable>(
    _ type: (Key, Value).Type, _ sql: SQL
  ) async throws -> [Key: Value] {
    try await withConnection { try $0.queryDictionary((Key, Value).self, sql) }
  }
}
