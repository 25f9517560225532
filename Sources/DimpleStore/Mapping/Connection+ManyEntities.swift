extension Connection {
  /// Inserts all entities with one statement, compiled once. A row with the same id is a `uniqueConstraint` error.
  ///
  /// Several times faster than ``insert(_:)`` for each, which also reads the row as it is stored.
  ///
  /// - Throws: ``StoreError``; those before the one that failed are inserted, so let the error leave the transaction's
  ///   closure, or wrap the call in ``savepoint(_:)``.
  public func insert<S: Sequence>(contentsOf entities: S) throws where S.Element: Entity {
    try writeAll(entities) { statements, _ in statements.insert }
  }

  /// Inserts each entity, or updates the row that has its id, with one statement, compiled once. A row that holds the
  /// values already is not written.
  ///
  /// - Throws: ``StoreError``, as ``insert(contentsOf:)``.
  public func save<S: Sequence>(contentsOf entities: S) throws where S.Element: Entity {
    try writeAll(entities) { statements, row in
      // Comparing takes 0.0 for -0.0, so where a zero is to be written, it always is.
      let hasZero = row.values.contains { $0 == .real(0) || $0 == .real(-0.0) }
      return hasZero ? statements.saveAlways : statements.save
    }
  }

  private func writeAll<S: Sequence>(
    _ entities: S, _ sql: (EntityStatements, RowColumnValues) -> String
  ) throws where S.Element: Entity {
    var statement: Statement?
    var current = ""
    defer { statement?.endUse() }
    for entity in entities {
      let row = try rowEncoder.columns(of: entity)
      // Types may leave columns out of some values, which is another statement.
      let needed = sql(statements(S.Element.self, row.names), row)
      if statement == nil || needed != current {
        statement?.endUse()
        statement = try prepare(needed)
        current = needed
      }
      try statement?.bindAll(row.values)
      while try statement?.step() == true {}
    }
  }
}

/// The same, in a transaction of their own: all or none.
extension Database {
  /// Inserts all entities in one transaction. A row with the same id is a `uniqueConstraint` error, and nothing is written.
  public func insert<S: Sequence>(contentsOf entities: S) throws where S.Element: Entity {
    try write { try $0.insert(contentsOf: entities) }
  }

  /// Inserts or updates all entities in one transaction.
  public func save<S: Sequence>(contentsOf entities: S) throws where S.Element: Entity {
    try write { try $0.save(contentsOf: entities) }
  }

  /// Inserts all entities in one transaction. A row with the same id is a `uniqueConstraint` error, and nothing is written.
  public func insert<S: Sequence & Sendable>(contentsOf entities: S) async throws where S.Element: Entity {
    try await write { try $0.insert(contentsOf: entities) }
  }

  /// Inserts or updates all entities in one transaction.
  public func save<S: Sequence & Sendable>(contentsOf entities: S) async throws where S.Element: Entity {
    try await write { try $0.save(contentsOf: entities) }
  }
}
