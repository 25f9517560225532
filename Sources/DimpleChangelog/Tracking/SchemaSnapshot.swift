internal import DimpleStore

/// The app's tables as SQLite describes them, before ids are given.
struct SchemaSnapshot {
  struct Column {
    var name: String
    var isNotNull: Bool
    var defaultSQL: String?
    var keyPosition: Int64
  }

  struct Table {
    var name: String
    var isStrict: Bool
    /// Where its B-tree begins: stays the same when the table is renamed.
    var rootPage: Int64
    /// Without generated ones.
    var columns: [Column]
  }

  private(set) var tables: [Table] = []
  /// Lowercased names of tables that another refers to by NO ACTION or RESTRICT.
  private(set) var parents: Set<String> = []

  init(_ connection: Connection) throws {
    let found = try connection.rows(
      """
      SELECT l.name, l.strict, s.rootpage FROM pragma_table_list AS l JOIN sqlite_schema AS s
        ON s.type = 'table' AND s.name = l.name
      WHERE l.schema = 'main' AND l.type = 'table' AND l.name NOT GLOB 'sqlite_*' AND l.name NOT GLOB 'dimple_*'
      ORDER BY l.name
      """)
    for row in found {
      let name: String = try row.get("name")
      tables.append(
        Table(
          name: name, isStrict: try row.get("strict"), rootPage: try row.get("rootpage"),
          columns: try Self.columns(of: name, connection)))
      parents.formUnion(try Self.parents(of: name, connection))
    }
  }

  private static func columns(of table: String, _ connection: Connection) throws -> [Column] {
    // hidden: 0 = plain, 2 and 3 = generated.
    try connection.rows(
      #"SELECT name, "notnull", dflt_value, pk FROM pragma_table_xinfo(\#(table)) WHERE hidden = 0 ORDER BY cid"#
    ).map { row in
      Column(
        name: try row.get("name"), isNotNull: try row.get("notnull"), defaultSQL: try row.get("dflt_value"),
        keyPosition: try row.get("pk"))
    }
  }

  private static func parents(of table: String, _ connection: Connection) throws -> [String] {
    try connection.rows(
      #"SELECT "table" AS parent FROM pragma_foreign_key_list(\#(table)) WHERE on_delete IN ('NO ACTION', 'RESTRICT')"#
    ).map { try ($0.get("parent") as String).lowercased() }
  }
}
