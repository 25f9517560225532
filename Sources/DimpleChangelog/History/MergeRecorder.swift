internal import DimpleMutex
package import DimpleStore

/// Writes down for history what a merge does to the tables, in the merge's own transaction.
///
/// Made by the module that merges, once for each merge; call ``finish()`` at the end.
package final class MergeRecorder {
  /// By names as the schema has them, which is how the merge knows them.
  private struct Table {
    var id: Int64
    var columns: [String: Int64]
  }

  private let changelog: Changelog
  private let connection: Connection
  private let keepsValues: Bool
  private let tables: [String: Table]
  private let time: HybridTime
  private let position: Int64
  @exclusivity(unchecked) private var payload = MergePayload()
  private var lastTable: (name: String, table: Table)?

  init(_ changelog: Changelog, _ connection: Connection, isFirst: Bool) throws {
    self.changelog = changelog
    self.connection = connection
    keepsValues = changelog.options.keepsMergedValues
    position = try changelog.lastTransaction(connection)
    if try !MergeLog.exists(connection) {
      try MergeLog.create(connection)
      changelog.state.withLock { $0.changes.hasChanged = true }
      // What an earlier version merged is not known.
      if !isFirst {
        try MergeLog.append(position: position, time: changelog.now(), payload: [], connection)
      }
    }
    time = max(changelog.now(), try MergeLog.lastTime(connection))
    tables = Dictionary(
      try changelog.trackedTables(connection).map { table in
        let columns = table.columns.map { ($0.name, $0.id) }
        return (table.name, Table(id: table.id, columns: Dictionary(columns) { first, _ in first }))
      }
    ) { first, _ in first }
  }

  /// A row's table shows something new.
  ///
  /// - Parameters:
  ///   - stamp: When and by whom it was written.
  ///   - columns: Of an insert all outside the key, of an update those that changed, of a delete none.
  package func record(
    _ operation: Change.Operation, table: String, key: [SQLValue], columns: [ColumnValue], at stamp: Stamp
  ) throws {
    guard let known = self.table(table) else { return }
    let cells = columns.compactMap { column in
      known.columns[column.name].map { id in
        HistoryEvent.Cell(column: id, value: keepsValues ? column.value : nil)
      }
    }
    payload.append(
      HistoryEvent(
        stamp: stamp, transaction: nil, row: RowID(table: known.id, key: key), operation: operation, cells: cells))
    if payload.isFull { try finish() }
  }

  private func table(_ name: String) -> Table? {
    if let lastTable, lastTable.name == name { return lastTable.table }
    guard let found = tables[name] else { return nil }
    lastTable = (name, found)
    return found
  }

  /// The same for a row whose key and values are packed already, as in the log.
  ///
  /// - Parameters:
  ///   - table: From ``packedTable(_:)``.
  ///   - key: Its values, one after the other.
  ///   - cells: Read only while the call lasts.
  ///   - isTentative: Whether the table will show it is only known later: call ``settle(_:)`` then.
  package func record(
    _ operation: Change.Operation, table: Int64, key: UnsafeRawBufferPointer, keyCount: Int, cells: [PackedCell],
    at stamp: Stamp, isTentative: Bool = false
  ) throws {
    payload.append(
      operation, table: table, key: key, keyCount: keyCount, cells: cells, keepsValues: keepsValues, at: stamp,
      isTentative: isTentative)
    if payload.isFull { try finish() }
  }

  /// Keeps or drops all that was recorded as tentative.
  package func settle(_ isKept: Bool) { payload.settle(isKept) }

  /// The ids under which a table and its columns are recorded; `nil` for one that is not tracked.
  package func packedTable(_ name: String) -> (id: Int64, columns: [String: Int64])? {
    table(name).map { ($0.id, $0.columns) }
  }

  /// Writes what was recorded and not written yet.
  package func finish() throws {
    guard !payload.isEmpty else { return }
    try MergeLog.append(position: position, time: time, payload: payload.bytes, connection)
    payload = MergePayload()
    let last = try MergeLog.lastID(connection)
    changelog.state.withLock { $0.changes.lastMerge = last }
  }
}

/// A column's id and its value where it lies.
package struct PackedCell {
  /// In the catalogue.
  package var column: Int64
  /// As in the log.
  package var value: UnsafeRawBufferPointer

  /// From its parts.
  package init(column: Int64, value: UnsafeRawBufferPointer) {
    self.column = column
    self.value = value
  }
}

extension Changelog {
  /// A recorder for the running merge transaction, with access to the library's own tables.
  ///
  /// - Parameter isFirst: Nothing was ever merged into this database before.
  package func mergeRecorder(_ connection: Connection, isFirst: Bool) throws -> MergeRecorder {
    try MergeRecorder(self, connection, isFirst: isFirst)
  }
}

extension Changelog {
  /// Rows were taken over that history does not know one by one, in the running merge transaction: what the tables showed
  /// before then is not known.
  package func recordUnknownMerge(_ connection: Connection) throws {
    if try !MergeLog.exists(connection) {
      try MergeLog.create(connection)
      state.withLock { $0.changes.hasChanged = true }
    }
    try MergeLog.append(
      position: lastTransaction(connection), time: max(now(), MergeLog.lastTime(connection)), payload: [], connection)
  }
}
