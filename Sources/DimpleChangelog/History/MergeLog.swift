internal import DimpleStore

/// `dimple_merge(id, position, time, payload)`: what merges did to the tables. The log has local changes only, since those
/// are what this replica sends; history needs to know what came in between.
///
/// A row of it is a merge, or a part of a large one. `position` is the number of the last local transaction before it.
enum MergeLog {
  static func exists(_ connection: Connection) throws -> Bool {
    try hasRow("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'dimple_merge'", connection)
  }

  static func create(_ connection: Connection) throws {
    try connection.script(
      """
      CREATE TABLE dimple_merge(
        id INTEGER PRIMARY KEY, position INTEGER NOT NULL, time INTEGER NOT NULL, payload BLOB NOT NULL);
      """)
  }

  /// The latest merge's id; 0 for none.
  static func lastID(_ connection: Connection) throws -> Int64 {
    guard try exists(connection) else { return 0 }
    let statement = try connection.prepare("SELECT max(id) FROM dimple_merge")
    defer { statement.reset() }
    return try statement.step() ? statement.int64(0) : 0
  }

  static func append(position: Int64, time: HybridTime, payload: [UInt8], _ connection: Connection) throws {
    try connection.prepare("INSERT INTO dimple_merge(position, time, payload) VALUES (?, ?, ?)")
      .run(.integer(position), .integer(time.rawValue), .blob(payload))
  }

  /// The latest merge's time.
  static func lastTime(_ connection: Connection) throws -> HybridTime {
    let statement = try connection.prepare("SELECT time FROM dimple_merge ORDER BY id DESC LIMIT 1")
    defer { statement.reset() }
    return HybridTime(rawValue: try statement.step() ? statement.int64(0) : 0)
  }

  /// An earlier version of the library has merged into the database, and none has since that keeps a record.
  ///
  /// This is the one thing known here of sync's own tables: the module that merges may not be part of this process.
  static func isUnrecorded(_ connection: Connection) throws -> Bool {
    guard try !exists(connection),
      try hasRow("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'dimple_sync'", connection)
    else { return false }
    return try hasRow("SELECT 1 FROM dimple_sync WHERE name = 'folded'", connection)
  }

  static func hasMerges(_ connection: Connection) throws -> Bool {
    try exists(connection) && hasRow("SELECT 1 FROM dimple_merge LIMIT 1", connection)
  }

  static func hasMerge(_ id: Int64, _ connection: Connection) throws -> Bool {
    let statement = try connection.prepare("SELECT 1 FROM dimple_merge WHERE id = ?")
    defer { statement.reset() }
    try statement.bind(.integer(id), at: 1)
    return try statement.step()
  }

  private static func hasRow(_ sql: String, _ connection: Connection) throws -> Bool {
    let statement = try connection.prepare(sql)
    defer { statement.reset() }
    return try statement.step()
  }
}

/// Reads `dimple_merge` alongside the log.
final class MergeCursor {
  struct Merge {
    var id: Int64
    /// The last local transaction before it.
    var transaction: Int64
    var time: HybridTime
    /// Merges before it are not recorded.
    var followsGap: Bool
    var events: [HistoryEvent]
  }

  private let connection: Connection
  private let statement: Statement?
  private var lastID: Int64?
  private var waiting: Merge?
  /// A statement that has ended would begin again.
  private var isAtEnd = false

  /// - Parameter transaction: Only merges after a later transaction than this.
  init(_ connection: Connection, after transaction: Int64) throws {
    self.connection = connection
    guard try MergeLog.exists(connection) else {
      statement = nil
      return
    }
    let statement = try connection.prepare(
      "SELECT id, position, time, payload FROM dimple_merge WHERE position > ? ORDER BY id")
    try statement.bind(.integer(transaction), at: 1)
    self.statement = statement
  }

  func end() { statement?.reset() }

  /// The next merge, if it came before a local transaction.
  func next(before transaction: Int64) throws -> Merge? {
    let found = try waiting ?? read()
    waiting = nil
    if let found, found.transaction >= transaction {
      waiting = found
      return nil
    }
    return found
  }

  private func read() throws -> Merge? {
    guard let statement, !isAtEnd else { return nil }
    isAtEnd = try !statement.step()
    if isAtEnd { return nil }
    let id = statement.int64(0)
    let payload = statement.bytes(3)
    let isGap = try payload.isEmpty || (id > 1 && lastID != id - 1 && !MergeLog.hasMerge(id - 1, connection))
    lastID = id
    return Merge(
      id: id, transaction: statement.int64(1), time: HybridTime(rawValue: statement.int64(2)), followsGap: isGap,
      events: payload.isEmpty ? [] : try MergePayload.decode(payload, row: id))
  }
}
