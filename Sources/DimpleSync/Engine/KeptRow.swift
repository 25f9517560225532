public import DimpleStore

/// A row that was deleted and is still shown, because a live row refers to it by a NO ACTION or RESTRICT foreign key: had the
/// device that deleted it known of that row, SQLite would not have allowed the delete. It goes by itself with the last such reference.
public struct KeptRow: Sendable, Hashable {
  /// The table's name.
  public var table: String
  /// The primary key's values.
  public var key: [SQLValue]

  /// What the app or its user can do, on any device.
  public var hint: String {
    "Delete the rows that refer to it, or have them refer to another, and it goes. Undelete it to keep it."
  }
}

extension KeptRow {
  /// By the index of what is not settled: see ``HeldRow/sql``.
  static let sql = "SELECT tbl, key FROM dimple_row WHERE status > 0 AND status = ? ORDER BY +tbl, +key"

  static let countSQL = "SELECT count(*) FROM dimple_row WHERE status > 0 AND status = ?"

  static func count(_ connection: Connection) throws -> Int {
    guard try SyncSetting.format.integer(connection) != nil else { return 0 }
    let statement = try connection.prepare(countSQL)
    defer { statement.reset() }
    try statement.bind(.integer(RowStatus.keptByReference.rawValue), at: 1)
    return try statement.step() ? Int(statement.int64(0)) : 0
  }

  static func all(_ connection: Connection) throws -> [KeptRow] {
    guard try SyncSetting.format.integer(connection) != nil else { return [] }
    let names = try NameTable(connection)
    let statement = try connection.prepare(sql)
    defer { statement.reset() }
    try statement.bind(.integer(RowStatus.keptByReference.rawValue), at: 1)
    var kept: [KeptRow] = []
    while try statement.step() {
      kept.append(
        KeptRow(table: names.name(statement.int64(0)) ?? "?", key: try KeyCodec.decode(statement.bytes(1))))
    }
    return kept
  }
}

extension Database {
  /// The rows that are shown although they were deleted; empty for a database that never synced. See ``SyncEngine/kept()``.
  ///
  /// - Throws: `StoreError`, ``SyncError/Code/damagedState``.
  public func keptRows() throws -> [KeptRow] { try read { try KeptRow.all($0) } }
}
