/// A struct that is a row of a table: its properties are the columns, by name.
///
/// ```swift
/// struct Todo: Entity {
///   var id = UUIDv7()
///   var text: String
///   var completed = false
/// }
/// ```
///
/// Nested structs, arrays and dictionaries are stored as JSON text. To name a column otherwise, declare `CodingKeys`.
public protocol Entity: Codable, Identifiable, Sendable {
  /// The table's name; the type's name unless declared.
  static var tableName: String { get }
  /// The column of the primary key; `id` unless declared.
  static var idColumn: String { get }
}

extension Entity {
  /// The type's name.
  public static var tableName: String { String(describing: Self.self) }
  /// `id`
  public static var idColumn: String { "id" }
}
