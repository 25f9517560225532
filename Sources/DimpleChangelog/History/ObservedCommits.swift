internal import DimpleMutex
package import DimpleStore

/// Up to where this process knows what was committed to the file, by itself or others.
struct ObservedCommits: Equatable {
  var transaction: Int64
  var merge: Int64
  var schemaVersion: Int64

  /// What the connection's snapshot has.
  init(_ changelog: Changelog, _ connection: Connection) throws {
    transaction = try changelog.lastTransaction(connection)
    merge = try MergeLog.lastID(connection)
    schemaVersion = try connection.schemaVersion()
  }

  mutating func passOwnCommit(transaction: Int64, _ changes: SchemaChanges) {
    self.transaction = max(self.transaction, transaction)
    merge = changes.lastMerge ?? merge
    schemaVersion = changes.version ?? schemaVersion
  }
}

extension Changelog {
  /// Commits from here on are others' or own ones that will be told.
  func observeFromHere(_ database: Database) {
    if database.isInMemory { return }
    // Without it, the first of others' commits may have changed anything.
    let observed = try? database.read { connection in
      try LogTables.exist(connection) ? ObservedCommits(self, connection) : nil
    }
    state.withLock { $0.observed = observed ?? nil }
  }

  package func externalCommits(_ connection: Connection) throws -> CommitEvent? {
    guard try LogTables.exist(connection) else { return nil }
    let now = try ObservedCommits(self, connection)
    let before = state.withLock { state in
      defer { state.observed = now }
      return state.observed
    }
    guard let before else { return nil }
    return try ExternalCommitReader(changelog: self, connection: connection).event(since: before, now)
  }
}

/// Tells from the log, and from the record of merges, what others' commits did to the tracked tables.
struct ExternalCommitReader {
  /// More than so many changes are not looked at: then anything may have changed.
  private static let limit = 5000

  let changelog: Changelog
  let connection: Connection

  /// - Returns: `nil` where it cannot be told.
  func event(since before: ObservedCommits, _ now: ObservedCommits) throws -> CommitEvent? {
    let tables = try changelog.trackedTables(connection)
    var changes = Dictionary(uniqueKeysWithValues: tables.map { ($0.name, TableChange(rows: [])) })
    guard try takeLog(after: before.transaction, &changes), try takeMerges(after: before.merge, tables, &changes)
    else { return nil }
    for table in tables {
      guard var change = changes[table.name] else { continue }
      if !change.updatedColumns.isEmpty { try change.updatedColumns.formUnion(generatedColumns(of: table)) }
      // What is not logged may have changed without a trace. SQLite calls a rowid without a name of its own so.
      change.updatedColumns.formUnion(table.localColumns + ["ROWID"])
      changes[table.name] = change
    }
    return CommitEvent(
      tables: changes, isExternal: true, knownTables: Set(tables.map(\.name)),
      changesSchema: now.schemaVersion != before.schemaVersion)
  }

  private func takeLog(after transaction: Int64, _ changes: inout [String: TableChange]) throws -> Bool {
    guard try transaction >= changelog.firstTransaction(connection) - 1 else { return false }
    var count = 0
    try changelog.transactions(connection, after: transaction) { local in
      count += local.changes.count
      guard count <= Self.limit else { return false }
      for change in local.changes {
        // A table that is gone since has changed the schema.
        changes[change.table]?.note(change.operation, key: change.key, columns: change.columns.map(\.name))
      }
      return true
    }
    return count <= Self.limit
  }

  private func takeMerges(
    after id: Int64, _ tables: [TrackedTable], _ changes: inout [String: TableChange]
  ) throws -> Bool {
    guard try MergeLog.exists(connection) else { return try !MergeLog.isUnrecorded(connection) }
    let byID = Dictionary(uniqueKeysWithValues: tables.map { ($0.id, $0) })
    let statement = try connection.prepare("SELECT id, payload FROM dimple_merge WHERE id > ? ORDER BY id")
    defer { statement.reset() }
    try statement.bind(.integer(id), at: 1)
    var (last, count) = (id, 0)
    while try statement.step() {
      let payload = statement.bytes(1)
      guard statement.int64(0) == last + 1, !payload.isEmpty else { return false }
      last += 1
      let events = try MergePayload.decode(payload, row: last)
      count += events.count
      guard count <= Self.limit else { return false }
      for event in events {
        guard let table = byID[event.row.table] else { continue }
        let columns = event.cells.compactMap { cell in table.columns.first { $0.id == cell.column }?.name }
        changes[table.name]?.note(event.operation, key: event.row.key, columns: columns)
      }
    }
    return true
  }

  /// They follow from others, and so have no changes of their own.
  private func generatedColumns(of table: TrackedTable) throws -> [String] {
    let statement = try connection.prepare("SELECT name FROM pragma_table_xinfo(?) WHERE hidden IN (2, 3)")
    defer { statement.reset() }
    try statement.bind(.text(table.name), at: 1)
    var names: [String] = []
    while try statement.step() { names.append(statement.text(0)) }
    return names
  }
}

extension TableChange {
  fileprivate mutating func note(_ operation: Change.Operation, key: [SQLValue], columns: [String]) {
    if operation == .update { updatedColumns.formUnion(columns) } else { insertedOrDeleted = true }
    rows?.insert(key)
  }
}
