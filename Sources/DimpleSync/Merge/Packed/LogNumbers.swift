internal import DimpleChangelog
internal import DimpleStore

/// Turns the change log's ids of tables and columns into the merged state's numbers (``NameTable``), by the names under which
/// others hear of them.
final class LogNumbers {
  private let session: MergeSession
  private let history: LogNameHistory
  /// Those of the transaction at hand, and of its neighbours.
  private var names: LogNames
  private var tables: [Int64: Int64] = [:]
  /// By table, then column.
  private var columns: [Int64: [Int64: Int64]] = [:]
  private var last: (table: Int64, columns: [Int64: Int64]) = (0, [:])

  init(_ session: MergeSession, _ history: LogNameHistory) {
    self.session = session
    self.history = history
    names = history.present
  }

  /// What is asked for next is the transaction's.
  func begin(_ transaction: Int64) {
    if names.range.contains(transaction) { return }
    names = history.names(of: transaction)
    (tables, columns, last) = ([:], [:], (0, [:]))
  }

  func table(_ id: Int64) throws -> Int64? {
    if let number = tables[id] { return number }
    guard let name = names.tables[id] else { return nil }
    let number = try session.names.table(name, session.connection)
    tables[id] = number
    return number
  }

  func column(_ id: Int64, of table: Int64) throws -> Int64? {
    if last.table != table { last = (table, columns[table] ?? [:]) }
    if let number = last.columns[id] { return number }
    guard let name = names.columns[table]?[id], let parent = try self.table(table) else { return nil }
    let number = try session.names.column(name, of: parent, session.connection)
    columns[table, default: [:]][id] = number
    last = (table, columns[table] ?? [:])
    return number
  }

  static var damaged: SyncError {
    SyncError(
      .damagedState, operation: "read the change log", message: "A row of dimple_log cannot be read.",
      hint: "Restore the database from a backup, or sync into a new one.")
  }
}
