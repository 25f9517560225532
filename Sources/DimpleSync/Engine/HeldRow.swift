public import DimpleStore

/// A row that lives in the merged state but cannot stand in its table now. It is kept, and appears by itself once what
/// holds it back is gone.
public struct HeldRow: Sendable, Hashable {
  /// Why a row is held; compare with the static members.
  public struct Reason: Sendable, Hashable, CustomStringConvertible {
    let status: RowStatus

    /// The table is not part of this app's schema, or has another primary key here.
    public static let unknownTable = Reason(status: .unknownTable)
    /// A NOT NULL column has neither a value nor a default.
    public static let missingValue = Reason(status: .missingValue)
    /// A CHECK constraint refuses the row.
    public static let checkFailed = Reason(status: .checkFailed)
    /// A value does not fit its column's type.
    public static let wrongType = Reason(status: .wrongType)
    /// A row inserted earlier has the same value in a UNIQUE column.
    public static let notUnique = Reason(status: .notUnique)
    /// A foreign key refers to a row that is not there.
    public static let missingParent = Reason(status: .missingParent)

    /// What is the matter, in one sentence.
    public var description: String {
      switch status {
      case .unknownTable: "This version of the app does not have the table, or the table has another primary key here."
      case .missingValue: "A NOT NULL column has no value and no default."
      case .checkFailed: "A CHECK constraint refuses the row."
      case .wrongType: "A value does not fit the type of its column."
      case .notUnique: "An earlier row has the same unique value."
      case .missingParent: "The row refers to one that was deleted, or is held itself."
      default: "The row is not held."
      }
    }

    /// What shows the row: what the app or its user can do, on any device. Nothing has to be done; the row is kept.
    ///
    /// To insert the row again, under its key and with other values, is an ordinary INSERT here: the table does not show
    /// the row. What it leaves out gets the columns' defaults.
    public var hint: String {
      switch status {
      case .unknownTable: "Update the app to a version whose migrations bring the table with that key."
      case .missingValue: "Give the column a DEFAULT in a migration, or insert the row again with a value."
      case .checkFailed: "Insert the row again with values that the CHECK allows, or change the CHECK in a migration."
      case .wrongType: "Insert the row again with values of the column's type, or change the type in a migration."
      case .notUnique:
        "Change that row's value or delete that row, or insert this one again with another value."
      case .missingParent:
        """
        Bring the other row back, as by undelete, or insert this one again with a reference to a row that is there. \
        If an older version of the app deleted it and other devices show it, repair() shows it here.
        """
      default: ""
      }
    }
  }

  /// The table's name.
  public var table: String
  /// The primary key's values.
  public var key: [SQLValue]
  /// Why it is held.
  public var reason: Reason
}

extension HeldRow {
  /// The few rows that are not settled have an index. The order of the table is what keeps SQLite from it: it would read
  /// through all rows to save the sorting.
  static let sql =
    "SELECT tbl, key, state, status FROM dimple_row WHERE \(held(from: .unknownTable)) ORDER BY +tbl, +key"

  /// But for those of unknown tables.
  static let countSQL = "SELECT count(*) FROM dimple_row WHERE \(held(from: .missingValue))"
  /// Of those, only the states tell.
  static let unknownSQL =
    "SELECT tbl, key, state, status FROM dimple_row WHERE status > 0 AND status = \(RowStatus.unknownTable.rawValue)"

  private static func held(from first: RowStatus) -> String {
    "status > 0 AND status BETWEEN \(first.rawValue) AND \(RowStatus.missingParent.rawValue)"
  }

  static func count(_ connection: Connection) throws -> Int {
    let statement = try connection.prepare(countSQL)
    defer { statement.reset() }
    var count = try statement.step() ? Int(statement.int64(0)) : 0
    try forEach(connection, unknownSQL) { _, _, _ in count += 1 }
    return count
  }

  static func all(_ connection: Connection) throws -> [HeldRow] {
    guard try SyncSetting.format.integer(connection) != nil else { return [] }
    let names = try NameTable(connection)
    var held: [HeldRow] = []
    try forEach(connection, sql) { table, key, status in
      held.append(
        HeldRow(
          table: names.name(table) ?? "?", key: try KeyCodec.decode(key), reason: Reason(status: status)))
    }
    return held
  }

  private static func forEach(
    _ connection: Connection, _ sql: String, _ body: (Int64, [UInt8], RowStatus) throws -> Void
  ) throws {
    let store = try RowStore(connection)
    let statement = try connection.prepare(sql)
    defer { statement.reset() }
    while try statement.step() {
      guard let status = RowStatus(rawValue: statement.int64(3)) else { throw RowStateCodec.damaged() }
      // A dead row of an unknown table is not missed.
      guard try status != .unknownTable || RowStateCodec.decode(statement.bytes(2), store.replicas).isAlive else {
        continue
      }
      try body(statement.int64(0), statement.bytes(1), status)
    }
  }
}

extension Database {
  /// The rows that sync keeps but cannot show now; empty for a database that never synced. See ``SyncEngine/held()``.
  ///
  /// - Throws: `StoreError`, ``SyncError/Code/damagedState``.
  public func heldRows() throws -> [HeldRow] { try read { try HeldRow.all($0) } }
}
