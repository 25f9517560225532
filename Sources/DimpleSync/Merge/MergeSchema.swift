internal import DimpleChangelog
internal import DimpleStore

/// All tracked tables with their constraints, read from SQLite's own description of the schema.
struct MergeSchema {
  private(set) var tables: [MergeTable] = []
  /// How many new rows a merge inserts by one statement.
  let rowsPerStatement: Int
  /// For each table, the foreign keys of other tables (and its own) that refer to it.
  private(set) var references: [[ForeignKey]] = []
  private var positions: [Int64: Int] = [:]
  /// For each table, its place in an order in which parents come before their children, cycles aside.
  private var ranks: [Int] = []

  /// - Parameter enforcesForeignKeys: Whether the app's connections do. Where they do not, references decide nothing.
  init(
    _ tracked: [TrackedTable], names: inout NameTable, enforcesForeignKeys: Bool, rowsPerStatement: Int,
    _ connection: Connection
  ) throws {
    self.rowsPerStatement = rowsPerStatement
    for table in tracked {
      positions[try names.table(table.name, connection)] = tables.count
      tables.append(try SchemaReader.table(table, names: &names, connection))
    }
    references = tables.map { _ in [] }
    ranks = Array(tables.indices)
    guard enforcesForeignKeys else { return }
    for index in tables.indices {
      tables[index].foreignKeys = try SchemaReader.foreignKeys(of: index, tables, connection)
      for key in tables[index].foreignKeys { references[key.parent].append(key) }
    }
    rank()
  }

  /// By depth-first search; what closes a cycle is passed over.
  private mutating func rank() {
    var next = 0
    var isSeen = tables.map { _ in false }
    func visit(_ table: Int) {
      if isSeen[table] { return }
      isSeen[table] = true
      for key in tables[table].foreignKeys { visit(key.parent) }
      ranks[table] = next
      next += 1
    }
    for table in tables.indices { visit(table) }
  }

  /// Tables in ascending order of this come after those that they refer to.
  func rank(of table: Int64) -> Int { positions[table].map { ranks[$0] } ?? tables.count }

  /// The position of the table that has this number in ``NameTable``, if it is tracked here.
  func position(of table: Int64) -> Int? { positions[table] }
}

/// Reads constraints through SQLite's table-valued pragmas: https://sqlite.org/pragma.html#pragfunc.
enum SchemaReader {
  static func table(_ tracked: TrackedTable, names: inout NameTable, _ connection: Connection) throws -> MergeTable {
    let id = try names.table(tracked.name, connection)
    func column(_ column: TrackedColumn, names: inout NameTable) throws -> MergeTable.Column {
      MergeTable.Column(
        id: try names.column(column.name, of: id, connection), name: column.name, isNotNull: column.isNotNull,
        fallback: try ColumnDefault(sql: column.defaultSQL) { try evaluate($0, connection) },
        collation: Collation(name: column.collation),
        affinity: Affinity(declaredType: column.declaredType, isStrict: tracked.isStrict))
    }
    var table = MergeTable(
      id: id, name: tracked.name, keyColumns: try tracked.keyColumns.map { try column($0, names: &names) },
      columns: try tracked.columns.map { try column($0, names: &names) })
    table.localColumns = tracked.localColumns
    table.updateRevives = tracked.updateRevives
    table.isWithoutRowID = tracked.isWithoutRowID
    table.hasRowIDKey =
      !tracked.isWithoutRowID && tracked.keyColumns.count == 1
      && tracked.keyColumns[0].declaredType.uppercased() == "INTEGER"
    try readUniques(of: &table, connection)
    table.needsProbe =
      try tracked.isStrict || !table.computedUniques.isEmpty || hasCheck(tracked.name, connection)
      || hasGeneratedNotNull(tracked.name, connection)
    return table
  }

  /// `sql` is a literal.
  private static func evaluate(_ sql: String, _ connection: Connection) throws -> SQLValue {
    let statement = try connection.prepare("SELECT \(sql)")
    defer { statement.reset() }
    return try statement.step() ? statement.value(0) : .null
  }

  /// Errs on the side of asking SQLite: a column called "checked" costs a probe per row, no more.
  private static func hasCheck(_ table: String, _ connection: Connection) throws -> Bool {
    let sql = try rows("SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?", table, connection) {
      $0.text(0)
    }
    return sql.contains { $0.uppercased().contains("CHECK") }
  }

  private static func hasGeneratedNotNull(_ table: String, _ connection: Connection) throws -> Bool {
    try !rows(
      #"SELECT 1 FROM pragma_table_xinfo(?) WHERE hidden IN (2, 3) AND "notnull" = 1"#, table, connection
    ) { _ in }.isEmpty
  }

  static func rows<T>(
    _ sql: String, _ argument: String, _ connection: Connection, _ read: (Statement) throws -> T
  ) throws -> [T] {
    let statement = try connection.prepare(sql)
    defer { statement.reset() }
    try statement.bind(.text(argument), at: 1)
    var result: [T] = []
    while try statement.step() { result.append(try read(statement)) }
    return result
  }

  static func position(of column: String, in table: MergeTable) -> Int? {
    table.allColumns.firstIndex { $0.name.lowercased() == column.lowercased() }
  }

  // MARK: - Foreign keys

  static func foreignKeys(
    of child: Int, _ tables: [MergeTable], _ connection: Connection
  ) throws -> [ForeignKey] {
    struct Part {
      var id: Int64
      var table: String
      var from: String
      var to: String?
      var onDelete: String
    }
    let parts = try rows(
      #"SELECT id, "table", "from", "to", on_delete FROM pragma_foreign_key_list(?) ORDER BY id, seq"#,
      tables[child].name, connection
    ) { statement in
      var target: String?
      if case .text(let name) = statement.value(3) { target = name }
      return Part(
        id: statement.int64(0), table: statement.text(1), from: statement.text(2), to: target,
        onDelete: statement.text(4))
    }
    return Dictionary(grouping: parts, by: \.id).sorted { $0.key < $1.key }.compactMap { _, parts in
      guard let parent = tables.firstIndex(where: { $0.name.lowercased() == parts[0].table.lowercased() }) else {
        return nil
      }
      let target = tables[parent]
      // Without columns the reference is to the primary key: https://sqlite.org/foreignkeys.html.
      let parentColumns = parts.enumerated().compactMap { index, part in
        part.to.map { position(of: $0, in: target) }
          ?? (index < target.keyColumns.count ? index : nil)
      }
      let childColumns = parts.compactMap { position(of: $0.from, in: tables[child]) }
      guard parentColumns.count == parts.count, childColumns.count == parts.count else { return nil }
      return ForeignKey(
        child: child, parent: parent, childColumns: childColumns, parentColumns: parentColumns,
        collations: parentColumns.map { target.allColumns[$0].collation },
        affinities: parentColumns.map { target.allColumns[$0].affinity }, onDelete: action(parts[0].onDelete),
        targetsKey: parentColumns == Array(target.keyColumns.indices))
    }
  }

  private static func action(_ name: String) -> ForeignKey.Action {
    switch name {
    case "SET NULL": .setNull
    case "CASCADE", "SET DEFAULT": .cascade
    default: .keep
    }
  }
}
