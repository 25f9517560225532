package import DimpleStore

/// Fills a database in memory with what tables were at a moment.
struct PastBuilder {
  private let reader: HistoryReader
  private let point: HistoryPoint
  private let tables: [TrackedTable]

  /// - Parameter names: The tables wanted; all tracked ones if `nil`.
  init(_ changelog: Changelog, _ connection: Connection, _ moment: PastMoment, _ names: Set<String>?) throws {
    guard let reader = try HistoryReader(changelog, connection) else {
      throw ChangelogError(
        .noSuchMoment, operation: HistoryPoint.operation, message: "Nothing was tracked in the database yet.",
        hint: "Open it once with the right to write.")
    }
    self.reader = reader
    point = try HistoryPoint(moment, reader)
    let tracked = try changelog.trackedTables(connection)
    tables = try names.map { try $0.sorted().map { try changelog.table($0, among: tracked) } } ?? tracked
  }

  func build(like configuration: Configuration) throws -> PastDatabase {
    let ids = Set(tables.map(\.id))
    let past = try PastRows(reader, at: point) { ids.contains($0.table) }
    var own = Configuration()
    own.foreignKeys = false
    own.functions = configuration.functions
    own.aggregates = configuration.aggregates
    own.collations = configuration.collations
    own.exposesValuesInErrors = configuration.exposesValuesInErrors
    own.label = "\(configuration.label).past"
    let database = try Database.inMemory(configuration: own)
    try database.write { target in
      for table in tables {
        try target.script(SQL(raw: PastTable(table).definition))
        try fill(table, past, target)
      }
    }
    return PastDatabase(
      transaction: point.position.transaction, tables: tables.map(\.name), database: database)
  }

  private func fill(_ table: TrackedTable, _ past: PastRows, _ target: Connection) throws {
    let text = PastTable(table)
    let columns = table.columns.map(\.id)
    let copy = try target.prepare(text.insertion(table.keyColumns + table.columns))
    var current: [RowID: [Int64: SQLValue]] = [:]
    let source = try reader.connection.prepare(text.selection)
    defer { source.reset() }
    while try source.step() {
      let row = (0..<table.keyColumns.count + columns.count).map { source.value(Int32($0)) }
      let id = RowID(table: table.id, key: Array(row.prefix(table.keyColumns.count)))
      if past.since[id] == nil {
        try copy.bindAll(row)
        while try copy.step() {}
        copy.reset()
      } else {
        current[id] = Dictionary(uniqueKeysWithValues: zip(columns, row.dropFirst(table.keyColumns.count)))
      }
    }
    for id in past.since.keys where id.table == table.id {
      guard let row = past.past(id, columns: columns, current: current[id]) else { continue }
      try insert(row, id, table, target)
    }
  }

  private func insert(_ past: PastRows.Past, _ id: RowID, _ table: TrackedTable, _ target: Connection) throws {
    guard id.key.count == table.keyColumns.count else {
      throw HistoryGap.removed.error(HistoryPoint.operation, "a row of “\(table.name)”, whose key has changed since")
    }
    var values = id.key
    var columns = table.keyColumns
    for column in table.columns {
      switch past.values[column.id] {
      case .known(let value):
        columns.append(column)
        values.append(value)
      case .unknown(let gap):
        throw gap.error(HistoryPoint.operation, "column “\(column.name)” of a row of “\(table.name)”")
      case nil: break
      }
    }
    let statement = try target.prepare(PastTable(table).insertion(columns))
    defer { statement.reset() }
    try statement.bindAll(values)
    while try statement.step() {}
  }
}

/// The SQL of a table in the past: its stored columns, without constraints but the primary key.
struct PastTable {
  let table: TrackedTable
  private let name: String

  init(_ table: TrackedTable) {
    self.table = table
    name = SQL.quoted(identifier: table.name)
  }

  var definition: String {
    let columns = (table.keyColumns + table.columns).map { column in
      // ANY is no affinity in a STRICT table, and NUMERIC elsewhere: https://sqlite.org/stricttables.html
      let type = table.isStrict && column.declaredType.uppercased() == "ANY" ? "" : column.declaredType
      let fallback = column.defaultSQL.map { " DEFAULT (\($0))" } ?? ""
      return "\(quote(column)) \(type) COLLATE \(SQL.quoted(identifier: column.collation))\(fallback)"
    }
    let key = table.keyColumns.map(quote).joined(separator: ", ")
    return "CREATE TABLE \(name)(\(columns.joined(separator: ", ")), PRIMARY KEY (\(key)))"
      + (table.isWithoutRowID ? " WITHOUT ROWID" : "")
  }

  var selection: String {
    "SELECT \((table.keyColumns + table.columns).map(quote).joined(separator: ", ")) FROM \(name)"
  }

  func insertion(_ columns: [TrackedColumn]) -> String {
    let marks = columns.map { _ in "?" }.joined(separator: ", ")
    return "INSERT INTO \(name)(\(columns.map(quote).joined(separator: ", "))) VALUES (\(marks))"
  }

  private func quote(_ column: TrackedColumn) -> String { SQL.quoted(identifier: column.name) }
}

extension Changelog {
  /// The tracked table of a name, in any case.
  ///
  /// - Throws: ``ChangelogError`` `.unknownTable`.
  func table(
    _ name: String, among tables: [TrackedTable], operation: String = "read history"
  ) throws -> TrackedTable {
    if let table = tables.first(where: { SQLName($0.name) == SQLName(name) }) { return table }
    throw ChangelogError(
      .unknownTable, operation: operation, message: "There is no tracked table “\(name)”.",
      hint: "Name a table of now; those that were dropped, and untracked ones, have no history to query.")
  }

  /// The tracked table of a name, in any case, and of a key of so many values.
  ///
  /// - Throws: ``ChangelogError`` `.unknownTable`, `.wrongKey`.
  package func table(
    _ name: String, keyCount: Int, operation: String, _ connection: Connection
  ) throws -> TrackedTable {
    let table = try table(name, among: trackedTables(connection), operation: operation)
    if table.keyColumns.count == keyCount { return table }
    throw ChangelogError(
      .wrongKey, operation: operation,
      message: "The key of “\(table.name)” has \(table.keyColumns.count) columns, and \(keyCount) values were given.",
      hint: "Give the values of all columns of the primary key, in the key's order.")
  }
}
