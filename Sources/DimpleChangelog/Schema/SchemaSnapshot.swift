/// The ordinary tables of a database at one moment, without ids: what SQLite's schema says.
struct SchemaSnapshot: Sendable, Equatable {
  private(set) var tables: [SQLName: SchemaTable] = [:]
  /// The app has triggers of its own.
  private(set) var hasAppTriggers = false

  init(_ tables: [SchemaTable] = [], hasAppTriggers: Bool = false) {
    self.hasAppTriggers = hasAppTriggers
    for table in tables { self.tables[SQLName(table.name)] = table }
  }

  /// The table of that name, in any case.
  subscript(name: String) -> SchemaTable? { tables[SQLName(name)] }

  /// By name, so that ids are given out in the same order everywhere.
  var sorted: [SchemaTable] { tables.sorted { $0.key < $1.key }.map(\.value) }
}

/// A table as the schema declares it.
struct SchemaTable: Sendable, Equatable {
  var name: String
  /// The `CREATE TABLE` statement as SQLite keeps it: any change of the table changes it.
  var sql: String
  var isWithoutRowID = false
  var isStrict = false
  /// Without generated columns and those that stay on this device.
  var columns: [SchemaColumn]
  /// Those that stay on this device.
  var localColumns: [SchemaColumn] = []
  var foreignKeys: [TableForeignKey] = []
  /// Named in ``Changelog/Options/updateRevives``.
  var updateRevives = false

  /// The columns of the primary key, in its order.
  var keyColumns: [SchemaColumn] {
    columns.filter { $0.keyPosition > 0 }.sorted { $0.keyPosition < $1.keyPosition }
  }

  /// The column of that name, in any case.
  func column(_ name: String) -> SchemaColumn? {
    let name = SQLName(name)
    return columns.first { SQLName($0.name) == name }
  }
}

/// A stored column as the schema declares it.
struct SchemaColumn: Sendable, Equatable {
  var name: String
  var declaredType = ""
  var isNotNull = false
  var defaultSQL: String?
  /// 1, 2, 3 … within the primary key, 0 outside it.
  var keyPosition = 0
  var collation = "BINARY"
}
