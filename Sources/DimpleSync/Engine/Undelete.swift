internal import DimpleChangelog
public import DimpleStore

extension Database {
  /// Brings a deleted row back as it was, with what others wrote to it since: an ordinary insert, which syncs as any other.
  ///
  /// What the row held is known from the merged state, or from this database's own log, through which it reads once, one
  /// transaction at a time and of large values only the row's.
  ///
  /// - Parameters:
  ///   - table: A tracked table's name, in any case.
  ///   - key: The primary key's values, in the key's order.
  /// - Returns: `false` if no such row was deleted.
  /// - Throws: ``SyncError/Code/notTracked``, ``SyncError/Code/unknownValues``; `ChangelogError`: `.unknownTable`, `.wrongKey`;
  ///   `StoreError`, also where a constraint refuses the row.
  @discardableResult
  public func undelete(_ table: String, key: [SQLValue]) throws -> Bool {
    guard let changelog = `extension`(Changelog.self) else { throw Undelete.notTracked }
    return try write { try Undelete(connection: $0, changelog: changelog, table: table, key: key).run() }
  }

  /// As the synchronous form, on a thread of the database's own.
  @discardableResult
  public func undelete(_ table: String, key: [SQLValue]) async throws -> Bool {
    guard let changelog = `extension`(Changelog.self) else { throw Undelete.notTracked }
    return try await write { try Undelete(connection: $0, changelog: changelog, table: table, key: key).run() }
  }
}

/// Inserts a deleted row again.
private struct Undelete {
  let connection: Connection
  let changelog: Changelog
  let table: String
  let key: [SQLValue]

  static var notTracked: SyncError {
    SyncError(
      .notTracked, operation: "undelete", message: "The database was opened without change tracking.",
      hint: "Open it with Database.open(…).")
  }

  func run() throws -> Bool {
    let tracked = try changelog.table(table, keyCount: key.count, operation: "undelete", connection)
    var past = try known(tracked.name)
    try changelog.changes(of: key, in: tracked.name, after: 0, connection) { past.apply($0, $1) }
    guard past.isDeleted else { return false }
    if try logShown(tracked) { return true }
    var columns: [(name: String, value: SQLValue)] = zip(tracked.keyColumns, key).map { ($0.name, $1) }
    for column in tracked.columns {
      guard let cell = past.cells[column.name] else { continue }
      switch cell.value {
      case .known(let value): columns.append((column.name, value))
      case .inLog(let value): columns.append((column.name, try value.value(connection)))
      case nil: throw unknownValue(of: column.name)
      }
    }
    let names = columns.map { SQL.quoted(identifier: $0.name) }.joined(separator: ", ")
    let marks = Array(repeating: "?", count: columns.count).joined(separator: ", ")
    let statement = try connection.prepare(
      "INSERT INTO \(SQL.quoted(identifier: tracked.name))(\(names)) VALUES (\(marks))")
    try statement.bindAll(columns.map(\.value))
    while try statement.step() {}
    return true
  }

  /// A row that is shown because others refer to it is there already: only its insert is missing.
  private func logShown(_ table: TrackedTable) throws -> Bool {
    let columns = (table.keyColumns + table.columns).map { SQL.quoted(identifier: $0.name) }
    let condition = columns.prefix(key.count).map { "\($0) = ?" }.joined(separator: " AND ")
    let statement = try connection.prepare(
      "SELECT \(columns.joined(separator: ", ")) FROM \(SQL.quoted(identifier: table.name)) WHERE \(condition)")
    defer { statement.reset() }
    try statement.bindAll(key)
    while try statement.step() {
      let row = columns.indices.map { statement.value(Int32($0)) }
      guard Array(row.prefix(key.count)) == key else { continue }
      try connection.withInternalAccess { try changelog.logInsert(ofShown: row, in: table, connection) }
      return true
    }
    return false
  }

  private func unknownValue(of column: String) -> SyncError {
    SyncError(
      .unknownValues, operation: "undelete",
      message: "What \(table).\(column) held came from another device, and this one does not know it any more.",
      hint: "Undelete the row on another device, which does.")
  }

  /// What the merged state has of the row.
  private func known(_ table: String) throws -> Past {
    var past = Past()
    guard try SyncSetting.format.get(connection) != nil else { return past }
    let names = try NameTable(connection)
    guard let number = names.number(ofTable: table),
      let state = try RowStore(connection).load(RowKey(table: number, key: KeyCodec.encode(key)))?.state
    else { return past }
    past.inserted = state.inserted
    past.deleted = state.deleted
    for item in state.cells.items {
      guard let name = names.name(item.column) else { continue }
      past.cells[name] = Past.Cell(stamp: item.cell.stamp, value: item.cell.value.map { .known($0) })
    }
    return past
  }

  /// A row's registers by the names of columns.
  private struct Past {
    var inserted: Stamp?
    var deleted: Stamp?
    var cells: [String: Cell] = [:]

    struct Cell {
      var stamp: Stamp
      /// `nil` where nobody here knows.
      var value: Value?
    }

    enum Value {
      case known(SQLValue)
      case inLog(LargeValue)
    }

    var isDeleted: Bool {
      guard let deleted else { return false }
      return inserted.map { $0 < deleted } ?? true
    }

    mutating func apply(_ change: Change, _ large: [LargeColumn]) {
      let stamp = change.stamp
      let columns =
        change.columns.map { ($0.name, Value.known($0.value)) } + large.map { ($0.name, Value.inLog($0.value)) }
      switch change.operation {
      case .insert: inserted = max(inserted ?? stamp, stamp)
      case .update: break
      case .delete:
        deleted = max(deleted ?? stamp, stamp)
        // Not into a later life.
        for (name, value) in columns where cells[name].map({ $0.value == nil && $0.stamp < stamp }) ?? true {
          cells[name, default: Cell(stamp: stamp, value: nil)].value = value
        }
        return
      }
      for (name, value) in columns {
        let isLater = cells[name].map { $0.stamp < stamp } ?? true
        let fills = cells[name].map { $0.stamp == stamp && $0.value == nil } ?? false
        if isLater || fills { cells[name] = Cell(stamp: stamp, value: value) }
      }
    }
  }
}
