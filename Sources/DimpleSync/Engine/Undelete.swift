internal import DimpleChangelog
public import DimpleStore

extension Database {
  /// Brings a deleted row back as it was, with what others wrote to it since: an ordinary insert, which syncs as any other.
  ///
  /// What the row held is known from the merged state, or from this database's own log, through which it reads once.
  ///
  /// - Parameters:
  ///   - table: A tracked table.
  ///   - key: The primary key's values, in the key's order.
  /// - Returns: `false` if no such row was deleted.
  /// - Throws: ``SyncError/Code/notTracked``, ``SyncError/Code/unknownValues``; `StoreError`, also where a constraint refuses the row.
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
    guard let tracked = try changelog.trackedTables(connection).first(where: { $0.name.hasSameBytes(as: table) }),
      tracked.keyColumns.count == key.count
    else { return false }
    var past = try known()
    try changelog.transactions(connection, after: 0) { transaction in
      for change in transaction.changes where change.key == key && change.table.hasSameBytes(as: table) {
        past.apply(change)
      }
      return true
    }
    guard past.isDeleted else { return false }
    if try logShown(tracked) { return true }
    var columns: [(name: String, value: SQLValue)] = zip(tracked.keyColumns, key).map { ($0.name, $1) }
    for column in tracked.columns {
      guard let cell = past.cells[column.name] else { continue }
      guard let value = cell.value else { throw unknownValue(of: column.name) }
      columns.append((column.name, value))
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
  private func known() throws -> Past {
    var past = Past()
    guard try SyncSetting.format.get(connection) != nil else { return past }
    let names = try NameTable(connection)
    guard let number = names.number(ofTable: table),
      let state = try RowStore(connection).load(RowKey(table: number, key: KeyCodec.encode(key)))?.state
    else { return past }
    past.inserted = state.inserted
    past.deleted = state.deleted
    for item in state.cells.items {
      if let name = names.name(item.column) { past.cells[name] = item.cell }
    }
    return past
  }

  /// A row's registers by the names of columns.
  private struct Past {
    var inserted: Stamp?
    var deleted: Stamp?
    var cells: [String: RowState.Cell] = [:]

    var isDeleted: Bool {
      guard let deleted else { return false }
      return inserted.map { $0 < deleted } ?? true
    }

    mutating func apply(_ change: Change) {
      let stamp = change.stamp
      switch change.operation {
      case .insert: inserted = max(inserted ?? stamp, stamp)
      case .update: break
      case .delete:
        deleted = max(deleted ?? stamp, stamp)
        for column in change.columns where cells[column.name]?.value == nil {
          cells[column.name, default: RowState.Cell(stamp: stamp, value: nil)].value = column.value
        }
        return
      }
      for column in change.columns {
        let isLater = cells[column.name].map { $0.stamp < stamp } ?? true
        let fills = cells[column.name].map { $0.stamp == stamp && $0.value == nil } ?? false
        if isLater || fills { cells[column.name] = RowState.Cell(stamp: stamp, value: column.value) }
      }
    }
  }
}
