extension Connection {
  /// Inserts the entity, or updates the row that has its id.
  ///
  /// Only columns whose value differs, to the bit, are written; a row that holds all values already is not.
  ///
  /// - Returns: the row as it is stored: with defaults and conversions applied, and what triggers changed.
  /// - Throws: ``StoreError``: a constraint, `sqlError` if the table or a column does not exist, `unsupportedMapping`.
  @discardableResult
  public func save<E: Entity>(_ entity: E) throws -> E {
    let row = try encode(entity, operation: "save")
    if try !updateChanged(row, E.self) { return try insert(row, E.self) }
    return try stored(row, E.self, operation: "save")
  }

  /// Inserts the entity. A row with the same id is a `uniqueConstraint` error.
  ///
  /// - Returns: the row as it is stored.
  @discardableResult
  public func insert<E: Entity>(_ entity: E) throws -> E {
    try insert(encode(entity, operation: "insert"), E.self)
  }

  /// Updates the row that has the entity's id. Only columns whose value differs are written.
  ///
  /// - Returns: the row as it is stored.
  /// - Throws: ``StoreError`` with code `rowNotFound` if there is no such row, or another as ``save(_:)``.
  @discardableResult
  public func update<E: Entity>(_ entity: E) throws -> E {
    let row = try encode(entity, operation: "update")
    guard try updateChanged(row, E.self) else { throw E.notFound(operation: "update") }
    return try stored(row, E.self, operation: "update")
  }

  /// Inserts the entity, or updates the row that has the same values where they must be unique: its id stays.
  ///
  /// ```swift
  /// let user = try connection.upsert(User(email: email, name: name), conflictingOn: ["email"])
  /// ```
  ///
  /// - Parameter columns: the columns of the unique index that is meant; any one of the table's if empty.
  /// - Returns: the row as it is stored, with the id that it has.
  /// - Throws: ``StoreError``: a constraint that is not meant, `sqlError` if no unique index has these columns.
  @discardableResult
  public func upsert<E: Entity>(_ entity: E, conflictingOn columns: [String] = []) throws -> E {
    let row = try encode(entity, operation: "upsert")
    let statement = try prepare(statements(E.self, row.columns).upsert(conflictingOn: columns))
    defer { statement.endUse() }
    try statement.bindAll(row.values)
    guard try statement.step() else { throw E.notFound(operation: "upsert") }
    let id = row.id.indices.map { statement.value(Int32($0)) }
    while try statement.step() {}
    return try find(E.self, id).orThrow(E.notFound(operation: "upsert"))
  }

  /// Deletes the row that has the entity's id.
  ///
  /// - Returns: whether there was one.
  @discardableResult
  public func delete<E: Entity>(_ entity: E) throws -> Bool {
    try delete(E.self, encode(entity, operation: "delete").id)
  }

  /// Deletes the row that has the id.
  ///
  /// - Returns: whether there was one.
  @discardableResult
  public func delete<E: Entity>(_ type: E.Type, id: E.ID) throws -> Bool {
    try delete(type, E.idValues(of: id))
  }

  /// The entity of an id; `nil` if there is none.
  public func find<E: Entity>(_ type: E.Type, id: E.ID) throws -> E? { try find(type, E.idValues(of: id)) }

  private func delete<E: Entity>(_ type: E.Type, _ id: [SQLValue]) throws -> Bool {
    let sql = EntityStatements.delete(table: E.tableName, idColumns: E.idColumns)
    return try execute(SQL(raw: sql, bindings: id)) > 0
  }

  private func find<E: Entity>(_ type: E.Type, _ id: [SQLValue]) throws -> E? {
    try queryOne(type, SQL(raw: findSQL(type), bindings: id))
  }

  private func insert<E: Entity>(_ row: EntityRow, _ type: E.Type) throws -> E {
    try run(statements(type, row.columns).insert, row.values)
    guard row.id == [.null] else { return try stored(row, type, operation: "insert") }
    // SQLite has assigned the id: it is the rowid, under the column's name.
    return try find(type, [.integer(lastInsertRowID)]).orThrow(E.notFound(operation: "insert"))
  }

  /// Writes the columns that differ; whether there is such a row.
  private func updateChanged<E: Entity>(_ row: EntityRow, _ type: E.Type) throws -> Bool {
    if row.id.contains(.null) { return false }
    let statements = statements(type, row.columns)
    guard let old = try values(statements.select, row.id, count: row.values.count) else { return false }
    let changed = row.values.indices.filter { row.values[$0] != old[$0] && !E.idColumns.contains(row.columns[$0]) }
    if changed.isEmpty { return true }
    try run(updateSQL(type, changed), changed.map { row.values[$0] } + row.id)
    return true
  }

  private func stored<E: Entity>(_ row: EntityRow, _ type: E.Type, operation: String) throws -> E {
    try find(type, row.id).orThrow(E.notFound(operation: operation))
  }

  private func run(_ sql: String, _ values: [SQLValue]) throws {
    let statement = try prepare(sql)
    defer { statement.endUse() }
    try statement.bindAll(values)
    while try statement.step() {}
  }

  private func values(_ sql: String, _ id: [SQLValue], count: Int) throws -> [SQLValue]? {
    let statement = try prepare(sql)
    defer { statement.endUse() }
    try statement.bindAll(id)
    return try statement.step() ? (0..<Int32(count)).map { statement.value($0) } : nil
  }
}

/// An entity as columns and values.
struct EntityRow {
  let columns: [String]
  let values: [SQLValue]
  /// The id's, in the order of the id's columns.
  let id: [SQLValue]
}

extension Connection {
  func encode<E: Entity>(_ entity: E, operation: @autoclosure () -> String) throws -> EntityRow {
    let row = try rowEncoder.columns(of: entity)
    let id = try row.values(of: E.idColumns, encodedBy: E.self, operation: "\(operation()) \(E.tableName)")
    return EntityRow(columns: row.names, values: row.values, id: id)
  }

  /// The type's SQL, made once; again, if the type encodes other columns than the last time.
  func statements<E: Entity>(_ type: E.Type, _ columns: [String]) -> EntityStatements {
    if let known = entityStatements[ObjectIdentifier(type)], known.columns == columns { return known }
    let new = EntityStatements(table: E.tableName, idColumns: E.idColumns, columns: columns)
    entityStatements[ObjectIdentifier(type)] = new
    return new
  }

  private func updateSQL<E: Entity>(_ type: E.Type, _ changed: [Int]) -> String {
    entityStatements[ObjectIdentifier(type)]?.update(changed) ?? ""
  }

  private func findSQL<E: Entity>(_ type: E.Type) -> String {
    if let known = findStatements[ObjectIdentifier(type)] { return known }
    let new = EntityStatements.find(table: E.tableName, idColumns: E.idColumns)
    findStatements[ObjectIdentifier(type)] = new
    return new
  }
}

extension Entity {
  static func notFound(operation: String) -> StoreError {
    StoreError(
      .rowNotFound, operation: "\(operation) \(tableName)", message: "There is no row with the entity's id.",
      hint: "Insert or save it.")
  }
}

extension Optional {
  func orThrow(_ error: @autoclosure () -> StoreError) throws -> Wrapped {
    guard let self else { throw error() }
    return self
  }
}
