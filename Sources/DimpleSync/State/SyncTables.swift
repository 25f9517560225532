internal import DimpleChangelog
internal import DimpleStore

/// Sync's own tables in the user's database.
///
/// ```
/// dimple_sync(name, value)                     format, signing key, how far the log is folded, the state's digest
/// dimple_name(id, parent, name)                numbers for table and column names, and their former names
/// dimple_replica(number, id, key)              numbers for replicas, and their pinned public keys
/// dimple_row(tbl, key, state, status)          the merged state, one row per row ever seen
/// dimple_seen(vault, replica, first, last, before, after)   which transactions of whom are merged, with the chain around
/// dimple_pushed(vault, last, chain)            how far the own log is in each vault
/// dimple_vault, dimple_covered, dimple_spool   what is carried between vaults: see ``RelayTable``
/// dimple_snapshot(vault, name, value)          what is known of a vault's snapshots
/// dimple_part, dimple_known_part               large values on their way, and what vaults have: see ``PartTable``
/// dimple_spool_part                            parts to be carried that no row has: see ``SpoolPartTable``
/// dimple_part_use and its like                 what refers to parts of large values: see ``PartUseTable``
/// ```
enum SyncTables {
  /// 2: own packs have their size, and rows may be undecided.
  private static let format: Int64 = 2

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
    """
    CREATE TABLE IF NOT EXISTS dimple_snapshot(
      vault TEXT NOT NULL, name TEXT NOT NULL, value NOT NULL, PRIMARY KEY(vault, name)) WITHOUT ROWID
    """,
  ]

  /// From now on the log is kept for the vault, too.
  ///
  /// - Throws: ``SyncError/Code/historyRemoved`` where that comes too late.
  static func register(vault: String, _ changelog: Changelog, _ connection: Connection) throws {
    let table = SeenTable(vault: vault, connection: connection)
    let first = try changelog.firstTransaction(connection)
    if try lacksHistory(table, first, changelog, connection) {
      throw SyncError(
        .historyRemoved, operation: "sync with another vault",
        message: "The log begins with transaction \(first), and this vault has none of those before it.",
        hint:
          "Set `Changelog.Options.retention` to `.all` before the first sync if a database is to have several vaults.")
    }
    try table.register()
    try noteNeeded(changelog, connection)
  }

  /// Whether the log no longer has something that others have, or are to have, and the vault does not. A log of which nothing was
  /// ever sent begins where it begins.
  private static func lacksHistory(
    _ table: SeenTable, _ first: Int64, _ changelog: Changelog, _ connection: Connection
  ) throws -> Bool {
    let identities = try changelog.identities(connection)
    if try identities.count == 1 && !wasSent(connection) { return false }
    let former = FormerTable(connection: connection)
    return try identities.contains { identity in
      guard let end = identity.last else {
        return try identity.offset + table.pushed().last < min(changelog.lastTransaction(connection), first - 1)
      }
      guard try former.signingKey(of: identity.replica) != nil else { return false }
      return try identity.offset + former.pushed(of: identity.replica, to: table.vault).last < min(end, first - 1)
    }
  }

  /// Whether anything under the present name is in any vault.
  static func wasSent(_ connection: Connection) throws -> Bool {
    let statement = try connection.prepare("SELECT 1 FROM dimple_pushed WHERE last > 0 LIMIT 1")
    defer { statement.reset() }
    return try statement.step()
  }

  private static func vaults(_ connection: Connection) throws -> [String] {
    try SeenTable.allPushed(connection).map(\.vault)
  }

  /// Tells the log what sync does not need of it any more: what is in the merged state and in each vault.
  static func noteNeeded(_ changelog: Changelog, _ connection: Connection) throws {
    let statement = try connection.prepare("SELECT min(last) FROM dimple_pushed")
    defer { statement.reset() }
    var pushed = try statement.step() ? statement.int64(0) : 0
    let former = FormerTable(connection: connection)
    for identity in try changelog.identities(connection) {
      guard let end = identity.last else {
        pushed += identity.offset
        continue
      }
      // A former name's part, until every vault has it.
      guard try former.signingKey(of: identity.replica) != nil else { continue }
      for vault in try vaults(connection) {
        let last = try former.pushed(of: identity.replica, to: vault).last
        if identity.offset + last < end { return try changelog.setNeeded(after: identity.offset + last, connection) }
      }
    }
    // Large values may have to be sent again after their pack.
    if let number = try PartUseTable.firstNeeded(connection) { pushed = min(pushed, number - 1) }
    try changelog.setNeeded(after: min(pushed, SyncSetting.folded.integer(connection) ?? 0), connection)
  }

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
    }
    let all =
      statements + IdentityTables.statements + PartTable.statements + PartUseTable.statements + RelayTable.statements
      + SpoolPartTable.statements
    for statement in all { try connection.prepare(statement).run() }
    try OwnPackTable.upgrade(connection)
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
  /// The number of the last local transaction that was part of a put, to whichever vault and whatever became of it.
  case attempted
  /// ``StateDigest`` of `dimple_row`.
  case digest
  /// How often declared renames changed ``NameTable``.
  case renames
  /// Set once a pack was merged that leaves changes out: the state lacks what others have.
  case hasGaps

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
