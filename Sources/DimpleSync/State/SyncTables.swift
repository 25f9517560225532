internal import DimpleStore

/// Sync's own tables in the user's database.
///
/// ```
/// dimple_sync(name, value)                     format, signing key, how far the log is folded
/// dimple_name(id, parent, name)                numbers for table and column names
/// dimple_replica(number, id, key)              numbers for replicas, and their pinned public keys
/// dimple_row(tbl, key, state, status)          the merged state, one row per row ever seen
/// dimple_seen(vault, replica, first, last, before, after)   which transactions of whom are merged, with the chain around
/// dimple_pushed(vault, last, chain)            how far the own log is in each vault
/// dimple_vault, dimple_covered, dimple_spool   what is carried between vaults: see ``RelayTable``
/// ```
enum SyncTables {
  private static let format: Int64 = 1

  private static let statements = [
    "CREATE TABLE IF NOT EXISTS dimple_sync(name TEXT PRIMARY KEY NOT NULL, value) WITHOUT ROWID",
    """
    CREATE TABLE IF NOT EXISTS dimple_name(
      id INTEGER PRIMARY KEY, parent INTEGER NOT NULL, name TEXT NOT NULL, UNIQUE(parent, name))
    """,
    "CREATE TABLE IF NOT EXISTS dimple_replica(number INTEGER PRIMARY KEY, id INTEGER NOT NULL UNIQUE, key BLOB)",
    """
    CREATE TABLE IF NOT EXISTS dimple_row(
      tbl INTEGER NOT NULL, key BLOB NOT NULL, state BLOB NOT NULL, status INTEGER NOT NULL,
      PRIMARY KEY(tbl, key)) WITHOUT ROWID
    """,
    "CREATE INDEX IF NOT EXISTS dimple_row_unsettled ON dimple_row(tbl, status) WHERE status > 0",
    """
    CREATE TABLE IF NOT EXISTS dimple_seen(
      vault TEXT NOT NULL, replica INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
      before BLOB NOT NULL, after BLOB NOT NULL, PRIMARY KEY(vault, replica, first)) WITHOUT ROWID
    """,
    """
    CREATE TABLE IF NOT EXISTS dimple_pushed(
      vault TEXT PRIMARY KEY NOT NULL, last INTEGER NOT NULL, chain BLOB NOT NULL) WITHOUT ROWID
    """,
  ]

  /// Makes the tables where they are missing.
  ///
  /// - Throws: ``SyncError/Code/newerDatabase``; `StoreError`.
  static func create(_ connection: Connection) throws {
    if let format = try SyncSetting.format.integer(connection) {
      guard format <= Self.format else {
        throw SyncError(
          .newerDatabase, operation: "open the sync tables", message: "They have format \(format).",
          hint: "The database was opened by a newer version of the app: update this one.")
      }
      return
    }
    for statement in statements + RelayTable.statements { try connection.prepare(statement).run() }
    try SyncSetting.format.set(.integer(format), connection)
  }
}

/// One value of `dimple_sync`.
enum SyncSetting: String {
  case format
  /// The private half of this replica's signing key.
  case signingKey
  /// The number of the last own transaction whose changes are in `dimple_row`.
  case folded
  /// The tables and columns that the last merge knew.
  case schema

  func get(_ connection: Connection) throws -> SQLValue? {
    guard try Self.tableExists(connection) else { return nil }
    let statement = try connection.prepare("SELECT value FROM dimple_sync WHERE name = ?")
    defer { statement.reset() }
    try statement.bind(.text(rawValue), at: 1)
    return try statement.step() ? statement.value(0) : nil
  }

  func integer(_ connection: Connection) throws -> Int64? {
    if case .integer(let value) = try get(connection) { value } else { nil }
  }

  func set(_ value: SQLValue, _ connection: Connection) throws {
    let statement = try connection.prepare("INSERT OR REPLACE INTO dimple_sync(name, value) VALUES (?, ?)")
    try statement.run(.text(rawValue), value)
  }

  func remove(_ connection: Connection) throws {
    try connection.prepare("DELETE FROM dimple_sync WHERE name = ?").run(.text(rawValue))
  }

  private static func tableExists(_ connection: Connection) throws -> Bool {
    let statement = try connection.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'dimple_sync'")
    defer { statement.reset() }
    return try statement.step()
  }
}
