import DimpleChangelog
import DimpleStore
import DimpleTestSupport
import Testing

/// Replays a log, as plainly as it can be said, into an empty copy of the tables.
struct LogReplay {
  let t: TrackedDatabase
  let copy: Database

  init(_ t: TrackedDatabase, schema: String) throws {
    self.t = t
    var configuration = Configuration()
    // What actions of foreign keys did is in the log as changes of their own.
    configuration.foreignKeys = false
    copy = try Database.inMemory(configuration: configuration)
    try copy.write { try $0.script(SQL(raw: schema)) }
  }

  /// The whole log in one transaction.
  func run(_ comment: Comment) throws {
    let tables = Dictionary(
      uniqueKeysWithValues: try t.database.read { try t.changelog.trackedTables($0) }.map { ($0.name, $0) })
    let changes = try t.changes()
    try copy.write { connection in
      for (index, change) in changes.enumerated() {
        guard let table = tables[change.table] else { continue }
        if try replay(change, table, connection) == 1 { continue }
        // A row that refers to itself: the foreign key's action on it comes before its own new key.
        let isAnticipated = changes[index...].contains {
          $0.operation == .insert && $0.transaction == change.transaction && $0.table == change.table
            && $0.key == change.key
        }
        #expect(isAnticipated && change.operation == .update, "\(comment): \(describe(change))")
      }
    }
    for table in tables.values {
      let order = table.keyColumns.map { SQL.quoted(identifier: $0.name) }.joined(separator: ", ")
      let sql = SQL(raw: "SELECT * FROM \(SQL.quoted(identifier: table.name)) ORDER BY \(order)")
      #expect(try values(copy, sql) == values(t.database, sql), "table \(table.name), \(comment)")
    }
    #expect(zip(changes, changes.dropFirst()).allSatisfy { $0.stamp < $1.stamp }, comment)
    let numbers = changes.map(\.transaction)
    #expect(numbers.last.map { Set(numbers) == Set(1...$0) && numbers == numbers.sorted() } ?? true, comment)
  }

  private func values(_ database: Database, _ sql: SQL) throws -> [[SQLValue]] {
    try database.read { try $0.rows(sql).map { row in row.columnNames.indices.map { row[$0] } } }
  }

  /// - Returns: How many rows it changed.
  private func replay(_ change: Change, _ table: TrackedTable, _ connection: Connection) throws -> Int {
    let key = zip(table.keyColumns, change.key).map { ColumnValue(name: $0.name, value: $1) }
    let isRow = key.map { "\(SQL.quoted(identifier: $0.name)) = ?" }.joined(separator: " AND ")
    let name = SQL.quoted(identifier: change.table)
    // Columns that are gone have no place any more.
    let columns = change.columns.filter { column in table.columns.contains { $0.name == column.name } }
    switch change.operation {
    case .insert:
      let all = key + columns
      let names = all.map { SQL.quoted(identifier: $0.name) }.joined(separator: ", ")
      let marks = all.map { _ in "?" }.joined(separator: ", ")
      return try connection.execute(
        SQL(raw: "INSERT INTO \(name)(\(names)) VALUES (\(marks))", bindings: all.map(\.value)))
    case .update:
      if columns.isEmpty { return 1 }
      let set = columns.map { "\(SQL.quoted(identifier: $0.name)) = ?" }.joined(separator: ", ")
      return try connection.execute(
        SQL(raw: "UPDATE \(name) SET \(set) WHERE \(isRow)", bindings: (columns + key).map(\.value)))
    case .delete:
      return try connection.execute(SQL(raw: "DELETE FROM \(name) WHERE \(isRow)", bindings: key.map(\.value)))
    }
  }
}
