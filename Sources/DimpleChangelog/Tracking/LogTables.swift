internal import DimpleStore

/// The changelog's own tables in the user's database.
///
/// ```
/// dimple_log(hlc, payload)         a row per change, appended
/// dimple_table(id, name)           stable ids of tables
/// dimple_column(id, tbl, name)     stable ids of columns
/// dimple_meta(name, value)         format, replica, clock
/// ```
enum LogTables {
  static let format: Int64 = 1

  static func exist(_ connection: Connection) throws -> Bool {
    try !connection.rows("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'dimple_meta'").isEmpty
  }

  /// - Parameter replica: The id of a database tracked for the first time.
  static func create(_ connection: Connection, replica: ReplicaID) throws {
    try connection.script(
      """
      CREATE TABLE dimple_log(hlc INTEGER PRIMARY KEY, payload BLOB NOT NULL);
      CREATE TABLE dimple_table(id INTEGER PRIMARY KEY, name TEXT UNIQUE);
      CREATE TABLE dimple_column(id INTEGER PRIMARY KEY, tbl INTEGER NOT NULL, name TEXT NOT NULL, UNIQUE(tbl, name));
      CREATE TABLE dimple_meta(name TEXT PRIMARY KEY NOT NULL, value) WITHOUT ROWID;
      """)
    try MetaValue.format.set(format, connection)
    try MetaValue.replica.set(Int64(replica.rawValue), connection)
  }

  /// - Throws: ``ChangelogError/Code/newerFormat``.
  static func checkFormat(_ connection: Connection) throws {
    guard let format = try MetaValue.format.get(connection), format > Self.format else { return }
    throw ChangelogError(
      .newerFormat, operation: "open the change log", message: "It has format \(format).",
      hint: "The database was opened by a newer version of the app: update this one.")
  }
}

/// One number of `dimple_meta`.
enum MetaValue: String {
  case format
  case replica
  /// A time that this replica received; the log's own times are in the log.
  case clock
  /// The last transaction's number, where its rows are no longer in the log.
  case transaction
  /// SQLite's schema version when the triggers were last made.
  case schemaVersion

  func get(_ connection: Connection) throws -> Int64? {
    let statement = try connection.prepare("SELECT value FROM dimple_meta WHERE name = ?")
    defer { statement.reset() }
    try statement.bind(.text(rawValue), at: 1)
    return try statement.step() ? statement.int64(0) : nil
  }

  func set(_ value: Int64, _ connection: Connection) throws {
    try connection.prepare("INSERT OR REPLACE INTO dimple_meta(name, value) VALUES (?, ?)")
      .run(.text(rawValue), .integer(value))
  }
}
