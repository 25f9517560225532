extension Database {
  /// Iterates over the rows of a query without holding them all, each decoded as ``query(_:_:)`` does.
  ///
  /// Nothing is read before the iteration, which throws whatever goes wrong: see ``RowCursor``. All rows are of the moment
  /// of the first.
  ///
  /// - Parameter batchSize: how many rows are decoded at a time, and at most ahead; less than 1 counts as 1.
  @inlinable
  public func cursor<T: Decodable & Sendable>(_ type: T.Type, _ sql: SQL, batchSize: Int = 256) -> RowCursor<T> {
    RowCursor(decoding: type, .database(self), sql, batchSize)
  }

  /// As the form for decodable types, each row made by ``RowDecodable/init(row:)``.
  @inlinable
  public func cursor<T: RowDecodable & Sendable>(_ type: T.Type, _ sql: SQL, batchSize: Int = 256) -> RowCursor<T> {
    RowCursor(making: type, .database(self), sql, batchSize)
  }

  /// A type that can be made both ways is made by ``RowDecodable/init(row:)``.
  @inlinable
  public func cursor<T: RowDecodable & Decodable & Sendable>(
    _ type: T.Type, _ sql: SQL, batchSize: Int = 256
  ) -> RowCursor<T> {
    RowCursor(making: type, .database(self), sql, batchSize)
  }

  /// As the form for decodable types, each row a tuple, one value per column:
  /// `cursor((String, Int).self, "SELECT name, age FROM Person")`.
  @inlinable
  public func cursor<A: SQLConvertible & Sendable, B: SQLConvertible & Sendable, each Rest: SQLConvertible & Sendable>(
    _ type: (A, B, repeat each Rest).Type, _ sql: SQL, batchSize: Int = 256
  ) -> RowCursor<(A, B, repeat each Rest)> {
    RowCursor(tuples: type, .database(self), sql, batchSize)
  }

  /// As the form for decodable types, each row as it is.
  public func cursor(_ sql: SQL, batchSize: Int = 256) -> RowCursor<Row> {
    RowCursor(rowsOf: .database(self), sql, batchSize)
  }
}
