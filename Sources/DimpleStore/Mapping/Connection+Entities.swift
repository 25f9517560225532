extension Connection {
  /// Inserts the entity, or updates the row that has its id. A row that holds the values already is not written.
  ///
  /// - Returns: the row as it is stored: with defaults and conversions applied, and what triggers changed.
  /// - Throws: ``StoreError``: a constraint, `sqlError` if the table or a column does not exist, `unsupportedMapping`.
  @discardableResult
  public func save<E: Entity>(_ entity: E) throws -> E {
    let row = try rowEncoder.columns(of: entity)
    return try write(entity, row, .save, operation: "save")
  }

  /// Inserts the entity. A row with the same id is a `uniqueConstraint` error.
  ///
  /// - Returns: the row as it is stored.
  @discardableResult
  public func insert<E: Entity>(_ entity: E) throws -> E {
    let row = try rowEncoder.columns(of: entity)
    return try write(entity, row, .insert, operation: "insert")
  }

  /// Updates the row that has the entity's id. A row that holds the values already is not written.
  ///
  /// - Returns: the row as it is stored.
  /// - Throws: ``StoreError`` with code `rowNotFound` if there is no such row, or another as ``save(_:)``.
  @discardableResult
  public func update<E: Entity>(_ entity: E) throws -> E {
    let row = try rowEncoder.columns(of: entity)
    return try write(entity, row, .update, operation: "update")
  }

  /// Deletes the row that has the entity's id.
  ///
  /// - Returns: whether there was one.
  @discardableResult
  public func delete<E: Entity>(_ entity: E) throws -> Bool {
    let id = try idValue(of: entity, in: rowEncoder.columns(of: entity), operation: "delete")
    return try delete(E.self, idValue: id)
  }

  /// Deletes the row that has the id.
  ///
  /// - Returns: whether there was one.
  @discardableResult
  public func delete<E: Entity>(_ type: E.Type, id: E.ID) throws -> Bool where E.ID: SQLConvertible {
    try delete(type, idValue: id.sqlValue)
  }

  /// The entity of an id; `nil` if there is none.
  public func find<E: Entity>(_ type: E.Type, id: E.ID) throws -> E? where E.ID: SQLConvertible {
    try find(type, idValue: id.sqlValue)
  }

  private func delete<E: Entity>(_ type: E.Type, idValue: SQLValue) throws -> Bool {
    let sql = entitySQL(type, .delete, columns: [])
    return try execute(SQL(raw: sql, bindings: [idValue])) > 0
  }

  private func find<E: Entity>(_ type: E.Type, idValue: SQLValue) throws -> E? {
    try queryOne(type, SQL(raw: entitySQL(type, .find, columns: []), bindings: [idValue]))
  }

  /// Runs the verb, and returns the row as it is afterwards.
  private func write<E: Entity>(
    _ entity: E, _ row: RowColumnValues, _ verb: EntityVerb, operation: String
  ) throws -> E {
    let sql = entitySQL(E.self, verb, row)
    let id = try idValue(of: entity, in: row, operation: operation)
    let statement = try prepare(sql)
    defer { statement.endUse() }
    try statement.bindAll(row.values)
    while try statement.step() {}
    let stored = try id == .null ? find(E.self, rowID: lastInsertRowID) : find(E.self, idValue: id)
    if let stored { return stored }
    throw StoreError(
      .rowNotFound, operation: "\(operation) \(E.tableName)", message: "There is no row with the entity's id.",
      hint: "Insert or save it.")
  }

  private func find<E: Entity>(_ type: E.Type, rowID: Int64) throws -> E? {
    try queryOne(type, SQL(raw: entitySQL(type, .findByRowID, columns: []), bindings: [.integer(rowID)]))
  }

  private func idValue<E: Entity>(of entity: E, in row: RowColumnValues, operation: String) throws -> SQLValue {
    guard let index = row.names.firstIndex(of: E.idColumn) else {
      throw StoreError(
        .unsupportedMapping, operation: "\(operation) \(E.tableName)",
        message: "\(E.self) encodes no column '\(E.idColumn)'.", hint: "Declare idColumn as the primary key's column.")
    }
    return row.values[index]
  }

  /// The SQL that writes a row with the verb.
  func entitySQL<E: Entity>(_ type: E.Type, _ verb: EntityVerb, _ row: RowColumnValues) -> String {
    // Comparing takes 0.0 for -0.0, so where a zero is to be written, it always is. An insert compares nothing.
    let comparesValues = verb == .insert || !row.values.contains { $0 == .real(0) || $0 == .real(-0.0) }
    return entitySQL(type, verb, columns: row.names, comparesValues: comparesValues)
  }

  /// The verb's SQL, made once per type; again, if the type encodes other columns than the last time.
  private func entitySQL<E: Entity>(
    _ type: E.Type, _ verb: EntityVerb, columns: [String], comparesValues: Bool = false
  ) -> String {
    let key = EntityStatementKey(type: ObjectIdentifier(type), verb: verb, comparesValues: comparesValues)
    if let known = entityStatements[key], known.columns == columns { return known.sql }
    let new = EntityStatement(
      verb, table: E.tableName, idColumn: E.idColumn, columns: columns, comparesValues: comparesValues)
    entityStatements[key] = new
    return new.sql
  }
}
