internal import DimpleStore

/// The changelog's own tables in the user's database. docs/CHANGELOG_FORMAT.md describes them.
enum LogTables {
  static let format: Int64 = 2

  static func exist(_ connection: Connection) throws -> Bool {
    let statement = try connection.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'dimple_meta'")
    defer { statement.reset() }
    return try statement.step()
  }

  /// - Parameter replica: The id of a database tracked for the first time.
  static func create(_ connection: Connection, replica: ReplicaID) throws {
    try connection.script(
      """
      CREATE TABLE dimple_log(hlc INTEGER PRIMARY KEY, payload BLOB NOT NULL);
      CREATE TABLE dimple_table(id INTEGER PRIMARY KEY, name TEXT NOT NULL, state INTEGER NOT NULL);
      CREATE TABLE dimple_column(
        table_id INTEGER NOT NULL, id INTEGER NOT NULL, name TEXT NOT NULL, is_gone INTEGER NOT NULL,
        PRIMARY KEY (table_id, id)) WITHOUT ROWID;
      CREATE TABLE dimple_meta(name TEXT PRIMARY KEY NOT NULL, value) WITHOUT ROWID;
      """)
    try MetaValue.format.set(format, connection)
    try MetaValue.replica.set(Int64(replica.rawValue), connection)
  }

  /// - Throws: ``ChangelogError`` `.newerFormat`.
  static func checkFormat(_ connection: Connection) throws {
    guard let found = try MetaValue.format.get(connection), found > format else { return }
    throw ChangelogError(
      .newerFormat, operation: "open the change log",
      message: "It has format \(found), and this version knows \(format).",
      hint: "The database was opened by a newer version of the app: update this one.")
  }

  /// Makes a log of an older format one of this: all of what it has can stay as it is.
  ///
  /// - Returns: Whether it was older; then the triggers are not this version's.
  /// - Throws: ``ChangelogError`` `.newerFormat`.
  static func upgrade(_ connection: Connection) throws -> Bool {
    try checkFormat(connection)
    guard let found = try MetaValue.format.get(connection), found < format else { return false }
    try MetaValue.format.set(format, connection)
    try MetaTable(connection: connection).set(MetaValue.schemaVersion.rawValue, .null)
    return true
  }

  /// Whether the log has the format of this version.
  static func isCurrent(_ connection: Connection) throws -> Bool {
    try checkFormat(connection)
    return try MetaValue.format.get(connection) == format
  }

  /// The newest row's end: where the clock and the numbers of transactions stand.
  static func newest(_ connection: Connection) throws -> (time: HybridTime, transaction: Int64)? {
    let statement = try connection.prepare("SELECT hlc, payload FROM dimple_log ORDER BY hlc DESC LIMIT 1")
    defer { statement.reset() }
    guard try statement.step() else { return nil }
    let hlc = statement.int64(0)
    do {
      let row = try LogRun.summary(of: prefix(statement), at: hlc)
      return (HybridTime(rawValue: row.last), row.transaction)
    } catch {
      throw LogTables.damaged(at: HybridTime(rawValue: hlc), error)
    }
  }

  /// The beginning of the payload of the row of `hlc, payload` at which a statement stands.
  static func prefix(_ row: Statement) -> [UInt8] { row.withBytes(1) { Array($0.prefix(LogRun.prefixSize)) } }

  /// The changes of that row.
  static func entries(_ row: Statement) throws -> [LogRun.Entry] { try entries(row, leaving: nil).entries }

  /// The same with large values left where they are, if so asked.
  static func entries(
    _ row: Statement, leaving large: LargeValueReading?
  ) throws -> (entries: [LogRun.Entry], places: [ReducedPayload.Place]) {
    let hlc = row.int64(0)
    do {
      guard let large else { return (try LogRun.entries(of: row.bytes(1), at: hlc), []) }
      return try row.withBytes(1) { payload in
        guard payload.count > large.threshold else { return (try LogRun.entries(of: Array(payload), at: hlc), []) }
        let reduced = try ReducedPayload(payload, row: hlc, large)
        return (try LogRun.entries(of: reduced.bytes, at: hlc), reduced.places)
      }
    } catch let damage as DamagedBytes {
      throw damaged(at: HybridTime(rawValue: hlc), damage)
    }
  }

  static func damaged(at time: HybridTime, _ damage: any Error) -> ChangelogError {
    ChangelogError(
      .damagedLog, operation: "read the change log",
      message: "The row \(time.rawValue) of dimple_log is damaged: \(damage).",
      hint: "Restore the database from a backup, or sync into a new one.", underlying: damage)
  }
}

/// One number of `dimple_meta`.
enum MetaValue: String {
  /// ``LogTables/format``.
  case format
  /// This file's ``ReplicaID``.
  case replica
  /// The greatest time received; the log's own times are in the log.
  case clock
  /// The last transaction's number, where the log has no row of it.
  case transaction
  /// SQLite's schema version when the triggers were last in step.
  case schemaVersion
  /// The number of the first transaction that counts: rows of earlier ones are on their way out. Missing for 1.
  case kept
  /// The number of the last transaction that sync does not need any more. Missing where nobody ever synced.
  case needed

  func get(_ connection: Connection) throws -> Int64? {
    guard case .integer(let value) = try MetaTable(connection: connection)[rawValue] else { return nil }
    return value
  }

  func set(_ value: Int64, _ connection: Connection) throws {
    try MetaTable(connection: connection).set(rawValue, .integer(value))
  }
}

/// `dimple_meta(name, value)`.
struct MetaTable {
  let connection: Connection

  subscript(name: String) -> SQLValue {
    get throws {
      let statement = try connection.prepare("SELECT value FROM dimple_meta WHERE name = ?")
      defer { statement.reset() }
      try statement.bind(.text(name), at: 1)
      return try statement.step() ? statement.value(0) : .null
    }
  }

  /// - Parameter value: `.null` removes it.
  func set(_ name: String, _ value: SQLValue) throws {
    if value == .null {
      try connection.prepare("DELETE FROM dimple_meta WHERE name = ?").run(.text(name))
    } else {
      try connection.prepare("INSERT OR REPLACE INTO dimple_meta(name, value) VALUES (?, ?)").run(.text(name), value)
    }
  }
}
