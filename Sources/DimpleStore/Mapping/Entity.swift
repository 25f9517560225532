/// A struct that is a row of a table: its properties are the columns.
///
/// ```swift
/// struct Todo: Entity {
///   var id = UUIDv7()
///   var text: String
///   var completed = false
/// }
/// ```
public protocol Entity: Codable, Identifiable, Sendable {
  /// The table's name; the type's own by default.
  static var tableName: String { get }
  /// The primary key's columns; `id` by default.
  static var primaryKey: [String] { get }
}

extension Entity {
  /// The type's name.
  public static var tableName: String { String(describing: Self.self) }
  /// `id`
  public static var primaryKey: [String] { ["id"] }
}

extension Connection {
  /// Inserts the entity, or updates the row with its primary key; columns that do not change are not written.
  ///
  /// - Returns: The row as it is stored, defaults and generated columns included.
  /// - Throws: ``StoreError``: constraints, ``StoreError/Code/missingColumn`` where the type has no property for its key.
  @discardableResult
  public func save<E: Entity>(_ entity: E) throws -> E {
    let row = try EntityRow(entity)
    let others = row.columns.filter { !E.primaryKey.contains($0.name) }
    let action: SQL
    if others.isEmpty {
      action = "NOTHING"
    } else {
      let assignments = Self.list(others) { "\(identifier: $0.name) = excluded.\(identifier: $0.name)" }
      let differs = Self.list(others, separator: " OR ") {
        "\(identifier: $0.name) IS NOT excluded.\(identifier: $0.name)"
      }
      action = "UPDATE SET \(assignments) WHERE \(differs)"
    }
    let key = Self.list(E.primaryKey) { "\(identifier: $0)" }
    let saved = try rows("\(Self.insertion(row)) ON CONFLICT (\(key)) DO \(action) RETURNING *")
    // Nothing came back: the row is there already, exactly so.
    return try (saved.first ?? stored(row)).decode(E.self)
  }

  /// Inserts the entity.
  ///
  /// - Returns: The row as it is stored.
  /// - Throws: ``StoreError/Code/primaryKeyConstraint`` where the key exists; other constraints.
  @discardableResult
  public func insert<E: Entity>(_ entity: E) throws -> E {
    let row = try EntityRow(entity)
    guard let saved = try rows("\(Self.insertion(row)) RETURNING *").first else { throw row.notFound("insert") }
    return try saved.decode(E.self)
  }

  /// Updates the row with the entity's primary key; columns that do not change are not written.
  ///
  /// - Returns: The row as it is stored.
  /// - Throws: ``StoreError/Code/notFound`` where there is none; constraints.
  @discardableResult
  public func update<E: Entity>(_ entity: E) throws -> E {
    let row = try EntityRow(entity)
    let current = try stored(row)
    let changed = row.columns.filter { current[$0.name] != $0.value }
    if !changed.isEmpty {
      let assignments = Self.list(changed) { "\(identifier: $0.name) = \($0.value)" }
      try execute("UPDATE \(identifier: row.table) SET \(assignments) WHERE \(row.condition)")
    }
    return try stored(row).decode(E.self)
  }

  /// Deletes the row with the entity's primary key.
  ///
  /// - Returns: Whether there was one.
  @discardableResult
  public func delete<E: Entity>(_ entity: E) throws -> Bool {
    let row = try EntityRow(entity)
    return try execute("DELETE FROM \(identifier: row.table) WHERE \(row.condition)") > 0
  }

  private func stored(_ row: EntityRow) throws -> Row {
    guard let stored = try rows("SELECT * FROM \(identifier: row.table) WHERE \(row.condition)").first else {
      throw row.notFound("update")
    }
    return stored
  }

  private static func insertion(_ row: EntityRow) -> SQL {
    let names = list(row.columns) { "\(identifier: $0.name)" }
    let values = list(row.columns) { "\($0.value)" }
    return "INSERT INTO \(identifier: row.table) (\(names)) VALUES (\(values))"
  }

  private static func list<T>(_ elements: [T], separator: String = ", ", _ part: (T) -> SQL) -> SQL {
    let parts = elements.map(part)
    return SQL(text: parts.map(\.text).joined(separator: separator), bindings: parts.flatMap(\.bindings))
  }
}

/// An entity taken apart.
private struct EntityRow {
  let table: String
  let columns: [(name: String, value: SQLValue)]
  /// Finds it by its primary key.
  let condition: SQL

  init<E: Entity>(_ entity: E) throws {
    table = E.tableName
    let columns = try ColumnEncoder.columns(of: entity)
    self.columns = columns
    var condition = SQL(text: "")
    for (index, name) in E.primaryKey.enumerated() {
      guard let value = columns.first(where: { $0.name == name })?.value else {
        throw StoreError(
          .missingColumn, operation: "write an entity", message: "\(E.self) has no property for its key \(name).",
          hint: "Name the key's properties in \(E.self).primaryKey.")
      }
      condition = "\(condition)\(raw: index == 0 ? "" : " AND ")\(identifier: name) = \(value)"
    }
    self.condition = condition
  }

  func notFound(_ operation: String) -> StoreError {
    StoreError(.notFound, operation: operation, message: "The table \(table) has no row with the entity's key.")
  }
}
