package import DimpleStore

/// The schema of a simulated app through its three versions: tables and columns know the version that brings them.
package struct SimulatedSchema: Sendable {
  /// The app's newest version; the first is 1.
  package static let newestVersion = 3

  /// One column, with the few values that statements write into it.
  package struct Column: Sendable {
    var name: String
    var type = ""
    var version = 1
    var isNotNull = false
    /// A literal.
    var fallback: String?
    var check: String?
    var collation: String?
    /// SQL literals, NULL aside.
    var values: [String]
  }

  package struct ForeignKey: Sendable {
    var columns: [Int]
    var parent: Int
    var parentColumns: [Int]
    var onDelete = "NO ACTION"
    var onUpdate = "NO ACTION"
    var isDeferred = false
  }

  /// A UNIQUE index over expressions or over a part of the rows; it comes with its table.
  package struct UniqueIndex: Sendable {
    var column: Int
    /// Over `lower(column)`.
    var isFolded = false
    /// Only rows with NULL in this column are part of it.
    var absent: Int?
  }

  package struct Table: Sendable {
    var name: String
    var version = 1
    var columns: [Column]
    /// Positions of the primary key's columns: the first ones.
    var keyCount = 1
    var uniques: [[Int]] = []
    var uniqueIndexes: [UniqueIndex] = []
    var foreignKeys: [ForeignKey] = []
    var isStrict = false
    var isWithoutRowID = false
    /// A write outlives a delete that is older than it.
    var updateRevives = false

    /// The columns that version `version` of the app knows.
    func columns(in version: Int) -> [Int] { columns.indices.filter { columns[$0].version <= version } }

    var hasIntegerKey: Bool { keyCount == 1 && columns[0].type == "INTEGER" }
  }

  var tables: [Table]
  var renames: [Rename] = []
  /// Triggers of the app's own, by the version that brings them.
  var triggers: [(version: Int, sql: String)] = []

  /// The tables of that version in which a write outlives an older delete.
  func reviving(in version: Int) -> Set<String> {
    Set(tables.filter { $0.updateRevives && $0.version <= version }.map { spelled($0.name, in: version) })
  }

  /// What an app of that version runs when it opens its database.
  package func migrations(upTo version: Int) -> [Migration] {
    (1...max(1, version)).map { Migration("v\($0)", "\(raw: script(of: $0))") }
  }

  /// The statements that make version `version` of the version before it.
  package func script(of version: Int) -> String {
    var statements: [String] = []
    for table in tables where table.version == version {
      statements.append(creation(of: table))
      for (number, index) in table.uniqueIndexes.enumerated() {
        statements.append(creation(of: index, "\(table.name)x\(number)", table))
      }
    }
    for table in tables where table.version < version {
      for (index, column) in table.columns.enumerated() where column.version == version {
        statements.append(
          "ALTER TABLE \(table.name) ADD COLUMN \(declaration(of: column))" + references(of: index, in: table))
      }
    }
    statements += triggers.filter { $0.version == version }.map(\.sql)
    statements = renaming(in: version) + statements.map { spelled($0, in: version) }
    if statements.isEmpty { statements = ["SELECT 1"] }
    return statements.joined(separator: ";\n") + ";"
  }

  private func creation(of table: Table) -> String {
    let own = table.columns.filter { $0.version == table.version }
    var parts = own.map(declaration(of:))
    parts.append("PRIMARY KEY (\(names(Array(0..<table.keyCount), in: table)))")
    parts += table.uniques.map { "UNIQUE (\(names($0, in: table)))" }
    for key in table.foreignKeys where table.columns[key.columns[0]].version == table.version {
      parts.append("FOREIGN KEY (\(names(key.columns, in: table)))" + clause(of: key))
    }
    let options = (table.isStrict ? ["STRICT"] : []) + (table.isWithoutRowID ? ["WITHOUT ROWID"] : [])
    return "CREATE TABLE \(table.name) (\(parts.joined(separator: ", ")))\(options.isEmpty ? "" : " ")"
      + options.joined(separator: ", ")
  }

  private func creation(of index: UniqueIndex, _ name: String, _ table: Table) -> String {
    let column = table.columns[index.column].name
    let condition = index.absent.map { " WHERE \(table.columns[$0].name) IS NULL" } ?? ""
    return "CREATE UNIQUE INDEX \(name) ON \(table.name)(\(index.isFolded ? "lower(\(column))" : column))\(condition)"
  }

  private func declaration(of column: Column) -> String {
    var parts = [column.name]
    if !column.type.isEmpty { parts.append(column.type) }
    if column.isNotNull { parts.append("NOT NULL") }
    if let fallback = column.fallback { parts.append("DEFAULT \(fallback)") }
    if let collation = column.collation { parts.append("COLLATE \(collation)") }
    if let check = column.check { parts.append("CHECK (\(check))") }
    return parts.joined(separator: " ")
  }

  private func references(of column: Int, in table: Table) -> String {
    table.foreignKeys.first { $0.columns == [column] }.map(clause(of:)) ?? ""
  }

  private func clause(of key: ForeignKey) -> String {
    let parent = tables[key.parent]
    return " REFERENCES \(parent.name)(\(names(key.parentColumns, in: parent))) ON DELETE \(key.onDelete)"
      + " ON UPDATE \(key.onUpdate)" + (key.isDeferred ? " DEFERRABLE INITIALLY DEFERRED" : "")
  }

  func names(_ columns: [Int], in table: Table) -> String {
    columns.map { table.columns[$0].name }.joined(separator: ", ")
  }
}
