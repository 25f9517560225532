public import DimpleStore

extension Database {
  /// The live rows of a query, decoded: the result now, then after every commit that changes it.
  ///
  /// - Parameters:
  ///   - type: What each row becomes.
  ///   - sql: One statement that reads.
  /// - Returns: A sequence that may be iterated any number of times, each time from the current result.
  public func observe<T: Decodable & Sendable>(_ type: T.Type, _ sql: SQL) -> LiveQuery<[T]> {
    LiveQuery(self, sql) { connection, sql, _ in try connection.query(T.self, sql) }
  }

  /// The live first row of a query, decoded; `nil` while there is none.
  public func observeOne<T: Decodable & Sendable>(_ type: T.Type, _ sql: SQL) -> LiveQuery<T?> {
    LiveQuery(self, sql) { connection, sql, _ in try connection.queryOne(T.self, sql) }
  }

  /// The live rows of a query, as they are.
  public func observeRows(_ sql: SQL) -> LiveQuery<[Row]> {
    LiveQuery(self, sql) { _, _, rows in rows }
  }
}
