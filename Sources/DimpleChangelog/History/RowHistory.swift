public import DimpleStore

/// What a row was after one change of it.
public struct RowVersion: Sendable, Hashable {
  /// When and by whom it was written.
  public var stamp: Stamp
  /// The number of the transaction that made it; `nil` where another replica did, and it was merged here.
  public var transaction: Int64?
  /// What was done to the row. A row whose key changed is deleted under the old key and inserted under the new one.
  public var operation: Change.Operation
  /// The columns that were written, outside the key, by their names of now.
  public var changedColumns: [String]
  /// The row afterwards: its key, then the columns of the table of now that had been written by then and whose values are
  /// known. `nil` after a delete.
  public var values: [ColumnValue]?
  /// The columns whose values came from another replica and are not kept: ``Changelog/Options/keepsMergedValues``.
  public var unknownColumns: [String]

  /// Who wrote it.
  public var author: ReplicaID { stamp.replica }
}

/// All that is known of a row's past: ``Changelog/history(of:key:)``.
public struct RowHistory: Sendable, Hashable {
  /// The table's name.
  public var table: String
  /// The row's primary key.
  public var key: [SQLValue]
  /// In the order in which the table went through them, oldest first; stamps need not ascend, since others' changes may
  /// arrive late.
  public var versions: [RowVersion]
  /// Whether that is everything: `false` where the log does not reach back to the first transaction, or other replicas'
  /// changes were merged before a record of them was kept.
  public var isComplete: Bool
}

/// What an entity was after one change of it.
public struct EntityVersion<Value: Entity>: Sendable {
  /// The change, and the row as it was.
  public var version: RowVersion
  /// The entity; `nil` after a delete, and where not all values are known.
  public var value: Value?
}

extension Changelog {
  /// A row's past: every change of it, local ones and those merged from other replicas, and what it was afterwards.
  ///
  /// Reads the whole log, which has no index by row.
  ///
  /// - Parameters:
  ///   - table: The table's name, in any case.
  ///   - key: The primary key's values, in the order of the key's columns, to the bit.
  /// - Throws: ``ChangelogError``: `.unknownTable`, `.wrongKey`, `.damagedLog`, `.notAttached`; `StoreError`.
  public func history(of table: String, key: [any SQLConvertible]) throws -> RowHistory {
    let values = key.map(\.sqlValue)
    return try database(for: "read history").read { try RowHistoryReader(self, $0, table, values).history() }
  }

  /// An entity's past: every change of its row, and the entity afterwards.
  ///
  /// A column that came later holds its default in versions from before. Reads the whole log.
  ///
  /// - Throws: ``ChangelogError``: `.unknownTable`, `.wrongKey`, `.damagedLog`, `.notAttached`. `StoreError` where an old version does
  ///   not decode as the entity of now.
  public func history<E: Entity>(of type: E.Type, id: E.ID) throws -> [EntityVersion<E>]
  where E.ID: SQLConvertible {
    let key = [id.sqlValue]
    return try database(for: "read history").read {
      try RowHistoryReader(self, $0, E.tableName, key).entities(type)
    }
  }

  /// As the synchronous form, on a thread of the database's own. Cancelling the task ends it.
  public func history(of table: String, key: [any SQLConvertible]) async throws -> RowHistory {
    let values = key.map(\.sqlValue)
    return try await database(for: "read history").read { try RowHistoryReader(self, $0, table, values).history() }
  }

  /// As the synchronous form, on a thread of the database's own. Cancelling the task ends it.
  public func history<E: Entity>(of type: E.Type, id: E.ID) async throws -> [EntityVersion<E>]
  where E.ID: SQLConvertible {
    let key = [id.sqlValue]
    return try await database(for: "read history").read {
      try RowHistoryReader(self, $0, E.tableName, key).entities(E.self)
    }
  }
}

/// Follows one row through the history.
struct RowHistoryReader {
  private let changelog: Changelog
  private let connection: Connection
  private let table: TrackedTable
  private let row: RowID

  init(_ changelog: Changelog, _ connection: Connection, _ table: String, _ key: [SQLValue]) throws {
    self.changelog = changelog
    self.connection = connection
    self.table = try changelog.table(table, keyCount: key.count, operation: "read history", connection)
    row = RowID(table: self.table.id, key: key)
  }

  func history() throws -> RowHistory {
    var history = RowHistory(table: table.name, key: row.key, versions: [], isComplete: true)
    guard let reader = try HistoryReader(changelog, connection) else { return history }
    if try reader.firstTransaction() > 1 { history.isComplete = false }
    var events: [HistoryEvent] = []
    try reader.forEach(after: -1) { step, _ in
      switch step {
      case .event(let event): if event.row == row { events.append(event) }
      case .unknownMerges: history.isComplete = false
      }
      return true
    }
    history.versions = try versions(events)
    return history
  }

  private func versions(_ events: [HistoryEvent]) throws -> [RowVersion] {
    let filled = try fill(events)
    var state: [Int64: SQLValue?]?
    return filled.map { event in
      switch event.operation {
      case .insert: state = [:]
      case .update: break
      case .delete: state = nil
      }
      if event.operation != .delete {
        for cell in event.cells { state = (state ?? [:]).merging([cell.column: cell.value]) { $1 } }
      }
      let written = Set(event.operation == .delete ? [] : event.cells.map(\.column))
      var version = RowVersion(
        stamp: event.stamp, transaction: event.transaction, operation: event.operation,
        changedColumns: table.columns.filter { written.contains($0.id) }.map(\.name),
        values: state == nil ? nil : zip(table.keyColumns, row.key).map { ColumnValue(name: $0.name, value: $1) },
        unknownColumns: [])
      for column in table.columns {
        guard let value = state?[column.id] else { continue }
        if let value {
          version.values?.append(ColumnValue(name: column.name, value: value))
        } else {
          version.unknownColumns.append(column.name)
        }
      }
      return version
    }
  }

  /// Values that were not kept and that nobody has overwritten since are those that the table shows.
  private func fill(_ events: [HistoryEvent]) throws -> [HistoryEvent] {
    guard var current = try CurrentRow(table, connection).values(row.key) else { return events }
    var events = events
    for index in events.indices.reversed() {
      if events[index].operation == .delete { break }
      for cell in events[index].cells.indices {
        let column = events[index].cells[cell].column
        let value = current.removeValue(forKey: column)
        if events[index].cells[cell].value == nil { events[index].cells[cell].value = value }
      }
      if events[index].operation == .insert { break }
    }
    return events
  }

  func entities<E: Entity>(_ type: E.Type) throws -> [EntityVersion<E>] {
    try history().versions.map { EntityVersion(version: $0, value: try entity(type, $0)) }
  }

  /// A version as the entity, by way of SQLite: so that it is decoded like any row.
  private func entity<E: Entity>(_ type: E.Type, _ version: RowVersion) throws -> E? {
    guard let values = version.values, version.unknownColumns.isEmpty else { return nil }
    let known = Set(values.map { SQLName($0.name) })
    let rest = table.columns.filter { !known.contains(SQLName($0.name)) }
    let columns =
      values.map { "? AS \(SQL.quoted(identifier: $0.name))" }
      + rest.map { "(\($0.defaultSQL ?? "NULL")) AS \(SQL.quoted(identifier: $0.name))" }
    let sql = SQL(raw: "SELECT \(columns.joined(separator: ", "))", bindings: values.map(\.value))
    return try connection.queryOne(type, sql)
  }
}

/// Reads rows of a table by their keys, to the bit.
struct CurrentRow {
  private let table: TrackedTable
  private let connection: Connection
  private let sql: String

  init(_ table: TrackedTable, _ connection: Connection) {
    self.table = table
    self.connection = connection
    let condition = table.keyColumns.map { "\(SQL.quoted(identifier: $0.name)) = ?" }.joined(separator: " AND ")
    sql = "\(PastTable(table).selection) WHERE \(condition)"
  }

  /// The columns outside the key, by id; `nil` where there is no such row.
  func values(_ key: [SQLValue]) throws -> [Int64: SQLValue]? {
    guard key.count == table.keyColumns.count else { return nil }
    let statement = try connection.prepare(sql)
    defer { statement.reset() }
    try statement.bindAll(key)
    while try statement.step() {
      // A collation may find a row whose key differs in its bytes: that is another row.
      guard key.indices.allSatisfy({ statement.value(Int32($0)) == key[$0] }) else { continue }
      return Dictionary(
        uniqueKeysWithValues: table.columns.enumerated().map { index, column in
          (column.id, statement.value(Int32(key.count + index)))
        })
    }
    return nil
  }
}
