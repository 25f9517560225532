/// What can be asked: a ``Database``, a ``DatabaseSnapshot``, the ``Connection`` of a closure.
///
/// Everything that reads is an extension of it, so that all of them have the same verbs.
public protocol Queryable {
  /// Lends a connection for one query, on this thread.
  func withConnection<T>(_ body: (Connection) throws -> T) throws -> T
}

/// What can be asked from a task, which is suspended and not blocked meanwhile.
///
/// The verbs are those of ``Queryable``. In an asynchronous function, Swift takes these: write `try await`.
public protocol AsyncQueryable: Sendable {
  /// Lends a connection for one query, on a thread of the database's own.
  func withConnection<T: Sendable>(_ body: @escaping @Sendable (Connection) throws -> T) async throws -> T
}

extension Connection: Queryable {
  /// Calls the body with itself.
  public func withConnection<T>(_ body: (Connection) throws -> T) throws -> T { try body(self) }
}

/// A read of one query needs no transaction to be a snapshot.
extension Database: Queryable, AsyncQueryable {
  /// Lends one of the readers for one query. For several that are to agree, use `read`.
  ///
  /// - Throws: ``StoreError``: `nestedTransaction`, `closed`, `suspended`, or what the body threw.
  public func withConnection<T>(_ body: (Connection) throws -> T) throws -> T {
    try checkNotNested(operation: "read")
    return try readers.run { try $0.inSingleRead(body) }
  }

  /// As the synchronous form, on a thread of the database's own.
  public func withConnection<T: Sendable>(_ body: @escaping @Sendable (Connection) throws -> T) async throws -> T {
    try await readers.run { try $0.inSingleRead(body) }
  }
}

extension DatabaseSnapshot: Queryable, AsyncQueryable {
  /// As `read`.
  public func withConnection<T>(_ body: (Connection) throws -> T) throws -> T { try read(body) }

  /// As `read`.
  public func withConnection<T: Sendable>(_ body: @escaping @Sendable (Connection) throws -> T) async throws -> T {
    try await read(body)
  }
}
