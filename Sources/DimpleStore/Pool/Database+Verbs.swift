extension Database {
  /// Runs one statement in a transaction of its own.
  ///
  /// - Returns: the number of rows it inserted, updated or deleted.
  @discardableResult
  public func execute(_ sql: SQL) throws -> Int { try write { try $0.execute(sql) } }

  /// Inserts the entity, or updates the row that has its id. Returns the row as it is stored.
  @discardableResult
  public func save<E: Entity>(_ entity: E) throws -> E { try write { try $0.save(entity) } }

  /// Inserts the entity. Returns the row as it is stored.
  @discardableResult
  public func insert<E: Entity>(_ entity: E) throws -> E { try write { try $0.insert(entity) } }

  /// Updates the row that has the entity's id, which must exist. Returns the row as it is stored.
  @discardableResult
  public func update<E: Entity>(_ entity: E) throws -> E { try write { try $0.update(entity) } }

  /// Inserts the entity, or updates the row with which it conflicts, whose id stays. Returns the row as it is stored.
  @discardableResult
  public func upsert<E: Entity>(_ entity: E, conflictingOn columns: [String] = []) throws -> E {
    try write { try $0.upsert(entity, conflictingOn: columns) }
  }

  /// Deletes the row that has the entity's id. Returns whether there was one.
  @discardableResult
  public func delete<E: Entity>(_ entity: E) throws -> Bool { try write { try $0.delete(entity) } }

  /// Deletes the row that has the id. Returns whether there was one.
  @discardableResult
  public func delete<E: Entity>(_ type: E.Type, id: E.ID) throws -> Bool {
    try write { try $0.delete(type, id: id) }
  }
}

/// The same, suspending instead of blocking.
extension Database {
  /// Runs one statement in a transaction of its own.
  ///
  /// - Returns: the number of rows it inserted, updated or deleted.
  @discardableResult
  public func execute(_ sql: SQL) async throws -> Int { try await write { try $0.execute(sql) } }

  /// Inserts the entity, or updates the row that has its id. Returns the row as it is stored.
  @discardableResult
  public func save<E: Entity>(_ entity: E) async throws -> E { try await write { try $0.save(entity) } }

  /// Inserts the entity. Returns the row as it is stored.
  @discardableResult
  public func insert<E: Entity>(_ entity: E) async throws -> E { try await write { try $0.insert(entity) } }

  /// Updates the row that has the entity's id, which must exist. Returns the row as it is stored.
  @discardableResult
  public func update<E: Entity>(_ entity: E) async throws -> E { try await write { try $0.update(entity) } }

  /// Inserts the entity, or updates the row with which it conflicts, whose id stays. Returns the row as it is stored.
  @discardableResult
  public func upsert<E: Entity>(_ entity: E, conflictingOn columns: [String] = []) async throws -> E {
    try await write { try $0.upsert(entity, conflictingOn: columns) }
  }

  /// Deletes the row that has the entity's id. Returns whether there was one.
  @discardableResult
  public func delete<E: Entity>(_ entity: E) async throws -> Bool { try await write { try $0.delete(entity) } }

  /// Deletes the row that has the id. Returns whether there was one.
  @discardableResult
  public func delete<E: Entity>(_ type: E.Type, id: E.ID) async throws -> Bool where E.ID: Sendable {
    try await write { try $0.delete(E.self, id: id) }
  }
}
