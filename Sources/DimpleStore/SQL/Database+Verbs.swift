extension Database {
  /// Runs one statement in a write transaction of its own.
  ///
  /// - Returns: How many rows it inserted, updated or deleted.
  @discardableResult
  public func execute(_ sql: SQL) throws -> Int { try write { try $0.execute(sql) } }

  /// Runs one statement in a write transaction of its own.
  @discardableResult
  public func execute(_ sql: SQL) async throws -> Int { try await write { try $0.execute(sql) } }

  /// All rows of a result.
  public func rows(_ sql: SQL) throws -> [Row] { try read { try $0.rows(sql) } }

  /// All rows of a result.
  public func rows(_ sql: SQL) async throws -> [Row] { try await read { try $0.rows(sql) } }

  /// All rows of a result, decoded.
  public func query<T: Decodable>(_ type: T.Type, _ sql: SQL) throws -> [T] { try read { try $0.query(type, sql) } }

  /// All rows of a result, decoded.
  public func query<T: Decodable & Sendable>(_ type: T.Type, _ sql: SQL) async throws -> [T] {
    try await read { try $0.query(T.self, sql) }
  }

  /// The first row of a result, decoded; `nil` if there is none.
  public func queryOne<T: Decodable>(_ type: T.Type, _ sql: SQL) throws -> T? {
    try read { try $0.queryOne(type, sql) }
  }

  /// The first row of a result, decoded; `nil` if there is none.
  public func queryOne<T: Decodable & Sendable>(_ type: T.Type, _ sql: SQL) async throws -> T? {
    try await read { try $0.queryOne(T.self, sql) }
  }

  /// Inserts the entity, or updates the row with its key. See ``Connection/save(_:)``.
  @discardableResult
  public func save<E: Entity>(_ entity: E) throws -> E { try write { try $0.save(entity) } }

  /// Inserts the entity, or updates the row with its key. See ``Connection/save(_:)``.
  @discardableResult
  public func save<E: Entity>(_ entity: E) async throws -> E { try await write { try $0.save(entity) } }

  /// Inserts the entity. See ``Connection/insert(_:)``.
  @discardableResult
  public func insert<E: Entity>(_ entity: E) throws -> E { try write { try $0.insert(entity) } }

  /// Inserts the entity. See ``Connection/insert(_:)``.
  @discardableResult
  public func insert<E: Entity>(_ entity: E) async throws -> E { try await write { try $0.insert(entity) } }

  /// Updates the row with the entity's key. See ``Connection/update(_:)``.
  @discardableResult
  public func update<E: Entity>(_ entity: E) throws -> E { try write { try $0.update(entity) } }

  /// Updates the row with the entity's key. See ``Connection/update(_:)``.
  @discardableResult
  public func update<E: Entity>(_ entity: E) async throws -> E { try await write { try $0.update(entity) } }

  /// Deletes the row with the entity's key; whether there was one.
  @discardableResult
  public func delete<E: Entity>(_ entity: E) throws -> Bool { try write { try $0.delete(entity) } }

  /// Deletes the row with the entity's key; whether there was one.
  @discardableResult
  public func delete<E: Entity>(_ entity: E) async throws -> Bool { try await write { try $0.delete(entity) } }
}
