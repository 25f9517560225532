extension Database {
  /// Runs one statement in a transaction of its own.
  ///
  /// - Returns: the number of rows it inserted, updated or deleted.
  @discardableResult
  public func execute(_ sql: SQL) throws -> Int { try write { try $0.execute(sql) } }

  /// All rows of a query, each decoded from its columns by name.
  @inlinable
  public func query<T: Decodable>(_ type: T.Type, _ sql: SQL) throws -> [T] {
    try readOnce { try $0.query(type, sql) }
  }

  /// The first row of a query, decoded; `nil` if there is none.
  public func queryOne<T: Decodable>(_ type: T.Type, _ sql: SQL) throws -> T? {
    try readOnce { try $0.queryOne(type, sql) }
  }

  /// All rows of a query, as they are.
  public func rows(_ sql: SQL) throws -> [Row] { try readOnce { try $0.rows(sql) } }

  /// The entity of an id; `nil` if there is none.
  public func find<E: Entity>(_ type: E.Type, id: E.ID) throws -> E? where E.ID: SQLConvertible {
    try readOnce { try $0.find(type, id: id) }
  }

  /// Inserts the entity, or updates the row that has its id. Returns the row as it is stored.
  @discardableResult
  public func save<E: Entity>(_ entity: E) throws -> E { try write { try $0.save(entity) } }

  /// Inserts the entity. Returns the row as it is stored.
  @discardableResult
  public func insert<E: Entity>(_ entity: E) throws -> E { try write { try $0.insert(entity) } }

  /// Updates the row that has the entity's id, which must exist. Returns the row as it is stored.
  @discardableResult
  public func update<E: Entity>(_ entity: E) throws -> E { try write { try $0.update(entity) } }

  /// Deletes the row that has the entity's id. Returns whether there was one.
  @discardableResult
  public func delete<E: Entity>(_ entity: E) throws -> Bool { try write { try $0.delete(entity) } }
}

/// The same, suspending instead of blocking.
extension Database {
  /// Runs one statement in a transaction of its own.
  ///
  /// - Returns: the number of rows it inserted, updated or deleted.
  @discardableResult
  public func execute(_ sql: SQL) async throws -> Int { try await write { try $0.execute(sql) } }

  /// All rows of a query, each decoded from its columns by name.
  @inlinable
  public func query<T: Decodable & Sendable>(_ type: T.Type, _ sql: SQL) async throws -> [T] {
    try await readOnce { try $0.query(T.self, sql) }
  }

  /// The first row of a query, decoded; `nil` if there is none.
  public func queryOne<T: Decodable & Sendable>(_ type: T.Type, _ sql: SQL) async throws -> T? {
    try await readOnce { try $0.queryOne(T.self, sql) }
  }

  /// All rows of a query, as they are.
  public func rows(_ sql: SQL) async throws -> [Row] { try await readOnce { try $0.rows(sql) } }

  /// The entity of an id; `nil` if there is none.
  public func find<E: Entity>(_ type: E.Type, id: E.ID) async throws -> E? where E.ID: SQLConvertible & Sendable {
    try await readOnce { try $0.find(E.self, id: id) }
  }

  /// Inserts the entity, or updates the row that has its id. Returns the row as it is stored.
  @discardableResult
  public func save<E: Entity>(_ entity: E) async throws -> E { try await write { try $0.save(entity) } }

  /// Inserts the entity. Returns the row as it is stored.
  @discardableResult
  public func insert<E: Entity>(_ entity: E) async throws -> E { try await write { try $0.insert(entity) } }

  /// Updates the row that has the entity's id, which must exist. Returns the row as it is stored.
  @discardableResult
  public func update<E: Entity>(_ entity: E) async throws -> E { try await write { try $0.update(entity) } }

  /// Deletes the row that has the entity's id. Returns whether there was one.
  @discardableResult
  public func delete<E: Entity>(_ entity: E) async throws -> Bool { try await write { try $0.delete(entity) } }
}
