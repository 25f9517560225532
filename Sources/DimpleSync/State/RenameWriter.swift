internal import DimpleChangelog
internal import DimpleStore

/// Makes a declared rename so in the merged state: what is known under the old name, and what will come under it, belongs to
/// the new one. Once it is so, doing it again changes nothing.
///
/// Confined to one write transaction.
struct RenameWriter {
  private static let batchSize = 1000

  let connection: Connection
  /// The tables that this app has.
  let tracked: [TrackedTable]
  private var names: NameTable
  private var store: RowStore

  init(_ connection: Connection, _ tracked: [TrackedTable]) throws {
    self.connection = connection
    self.tracked = tracked
    names = try NameTable(connection)
    store = try RowStore(connection)
  }

  /// In the order in which the app made them.
  ///
  /// - Throws: ``SyncError/Code/ambiguousRename``; `StoreError`.
  mutating func apply(_ renames: [SyncRename]) throws {
    for rename in renames { try check(rename) }
    var hasChanged = false
    for rename in renames where try apply(rename) { hasChanged = true }
    guard hasChanged else { return }
    // Both are made anew by the next merge.
    try SyncSetting.digest.remove(connection)
    try SyncSetting.schema.remove(connection)
    try SyncSetting.renames.set(.integer((SyncSetting.renames.integer(connection) ?? 0) + 1), connection)
  }

  /// The old name must not be that of something else.
  private func check(_ rename: SyncRename) throws {
    let isTaken: Bool
    if let name = rename.table {
      let table = tracked.first { $0.name.hasSameBytes(as: name) }
      isTaken = ((table?.keyColumns ?? []) + (table?.columns ?? [])).contains { $0.name.hasSameBytes(as: rename.old) }
    } else {
      isTaken = tracked.contains { $0.name.hasSameBytes(as: rename.old) }
    }
    if isTaken || rename.old.hasSameBytes(as: rename.new) {
      throw ambiguous(rename, "The schema has “\(rename.old)” still, or again.")
    }
  }

  private func ambiguous(_ rename: SyncRename, _ message: String) -> SyncError {
    let place = rename.table.map { " of “\($0)”" } ?? ""
    return SyncError(
      .ambiguousRename, operation: "rename “\(rename.old)”\(place) to “\(rename.new)”", message: message,
      hint: "Declare each rename once, and give nothing else a name that devices with an older app still use.")
  }

  private mutating func apply(_ rename: SyncRename) throws -> Bool {
    let parent = try rename.table.map { try names.table($0, connection) } ?? 0
    let (old, new) = (names.number(of: rename.old, in: parent), names.number(of: rename.new, in: parent))
    guard let old else {
      let number =
        try parent == 0
        ? names.table(rename.new, connection) : names.column(rename.new, of: parent, connection)
      try names.addAlias(rename.old, of: number, connection)
      return true
    }
    if old == new { return false }
    guard names.name(old)?.hasSameBytes(as: rename.old) == true else {
      throw ambiguous(rename, "“\(rename.old)” was declared to be “\(names.name(old) ?? "")” before.")
    }
    if let new {
      try parent == 0 ? moveTable(old, to: new) : moveColumn(old, to: new, of: parent)
      try names.merge(old, into: new, connection)
    } else {
      try names.rename(old, to: rename.new, connection)
    }
    try names.addAlias(rename.old, of: new ?? old, connection)
    return true
  }

  // MARK: - Both names are known

  private mutating func moveTable(_ old: Int64, to new: Int64) throws {
    var columns: [Int64: Int64] = [:]
    for column in names.columns(of: old) {
      let target = try names.column(column.name, of: new, connection)
      columns[column.id] = target
      try names.merge(column.id, into: target, connection)
    }
    let shown = tracked.first { names.name(new)?.hasSameBytes(as: $0.name) == true }.map { ShownRows($0, connection) }
    var last: [UInt8]?
    while let batch = try nextRows(of: old, after: last) {
      for row in batch {
        var state = row.entry.state
        state.cells = Cells()
        for item in row.entry.state.cells.items { state.cells.add(item.cell, to: columns[item.column] ?? item.column) }
        let isShown = try row.entry.status == .settled && (!state.isAlive || shown?.contains(row.key.key) == true)
        try put(state, isShown ? .settled : .undecided, under: RowKey(table: new, key: row.key.key))
        try connection.prepare("DELETE FROM dimple_row WHERE tbl = ? AND key = ?")
          .run(.integer(old), .blob(row.key.key))
      }
      last = batch.last?.key.key
    }
  }

  /// Saves what was known under the old name, with what is under the new one.
  private mutating func put(_ state: RowState, _ status: RowStatus, under key: RowKey) throws {
    guard var other = try store.load(key)?.state else { return try store.save(key, state, status, names) }
    other.join(state)
    try store.save(key, other, .undecided, names)
  }

  private mutating func moveColumn(_ old: Int64, to new: Int64, of table: Int64) throws {
    var last: [UInt8]?
    while let batch = try nextRows(of: table, after: last) {
      for (key, entry) in batch {
        guard let cell = entry.state.cells[old] else { continue }
        var state = entry.state
        let isPlain = entry.status == .settled && cell.value == nil && state.cells[new] == nil
        state.cells[old] = nil
        state.cells.add(cell, to: new)
        let isWaiting = entry.status != .settled && entry.status != .unknownColumns
        try store.save(key, state, isPlain || isWaiting ? entry.status : .undecided, names)
      }
      last = batch.last?.key.key
    }
  }

  /// - Returns: `nil` behind the last row.
  private func nextRows(of table: Int64, after last: [UInt8]?) throws -> [(key: RowKey, entry: RowStore.Entry)]? {
    var batch: [(key: RowKey, entry: RowStore.Entry)] = []
    _ = try store.forEach(in: table, after: last) { key, entry in
      batch.append((key, entry))
      return batch.count < Self.batchSize
    }
    return batch.isEmpty ? nil : batch
  }
}

/// Which rows a table shows.
private struct ShownRows {
  let connection: Connection
  let keyCount: Int
  let sql: String

  init(_ table: TrackedTable, _ connection: Connection) {
    self.connection = connection
    keyCount = table.keyColumns.count
    let condition = table.keyColumns.map { "\(SQL.quoted(identifier: $0.name)) = ?" }.joined(separator: " AND ")
    sql = "SELECT 1 FROM \(SQL.quoted(identifier: table.name)) WHERE \(condition)"
  }

  func contains(_ key: [UInt8]) throws -> Bool {
    let values = try KeyCodec.decode(key)
    guard values.count == keyCount else { return false }
    let statement = try connection.prepare(sql)
    defer { statement.reset() }
    for (index, value) in values.enumerated() { try statement.bind(value, at: Int32(index + 1)) }
    return try statement.step()
  }
}
