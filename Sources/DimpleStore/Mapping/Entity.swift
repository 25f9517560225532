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
/// Nested structs, arrays and dictionaries are stored as JSON text. To name a column otherwise, declare `CodingKeys`; to name
/// all of them by a rule, ``RowMapped/mapping``.
///
/// The id is any type that is one SQL value, an optional integer that SQLite assigns where it is `nil`, or a
/// ``CompositeID``.
public protocol Entity: Codable, Identifiable, RowMapped, Sendable {
  /// The table's name; the type's name unless declared.
  static var tableName: String { get }
  /// The column of the primary key; `id` unless declared.
  static var idColumn: String { get }
  /// The columns of the primary key: `idColumn` alone unless the id is a ``CompositeID``.
  static var idColumns: [String] { get }
  /// An id as it is stored: a value for each of ``idColumns``.
  static func idValues(of id: ID) throws -> [SQLValue]
}

extension Entity {
  /// The type's name.
  public static var tableName: String { String(describing: Self.self) }
  /// `id`
  public static var idColumn: String { "id" }
  /// ``idColumn``
  public static var idColumns: [String] { [idColumn] }
  /// The usual way.
  public static var mapping: RowMapping { RowMapping() }
}

extension Entity where ID: SQLConvertible {
  /// The id itself.
  public static func idValues(of id: ID) -> [SQLValue] { [mapping.value(id) ?? id.sqlValue] }
}

/// The id of an entity whose primary key has several columns.
///
/// ```swift
/// struct PlaylistTrack: Entity {
///   struct ID: CompositeID {
///     static let columns = ["playlist", "track"]
///     var playlist: UUIDv7
///     var track: UUIDv7
///   }
///   var playlist: UUIDv7
///   var track: UUIDv7
///   var position: Int
///   var id: ID { ID(playlist: playlist, track: track) }
/// }
/// ```
public protocol CompositeID: Hashable, Codable, Sendable {
  /// The columns of the primary key, which are the id's own coded properties.
  static var columns: [String] { get }
}

extension Entity where ID: CompositeID {
  /// The id's columns.
  public static var idColumns: [String] { ID.columns }

  /// What the id encodes for its columns.
  ///
  /// - Throws: ``StoreError`` with code `unsupportedMapping` if it lacks one.
  public static func idValues(of id: ID) throws -> [SQLValue] {
    let row = try RowEncoder().columns(of: id, mapping: mapping)
    return try row.values(of: idColumns, encodedBy: ID.self, operation: "find \(tableName)")
  }
}
