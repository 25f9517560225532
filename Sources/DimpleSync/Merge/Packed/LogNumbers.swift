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
  /// By table, then column; 0 where it is not known yet. Ids of columns count from 1 in each table.
  private var columns: [Int64: [Int64]] = [:]
  /// The table at hand: changes mostly have that of the one before.
  @exclusivity(unchecked) private var last: (table: Int64, columns: [Int64]) = (0, [])

  init(_ session: MergeSession, _ history: LogNameHistory) {
    self.session = session
    self.history = history
    names = history.present
  }

  /// What is asked for next is the transaction's.
  func begin(_ transaction: Int64) {
    if names.range.contains(transaction) { return }
    names = history.names(of: transaction)
    (tables, columns, last) = ([:], [:], (0, []))
  }

  func table(_ id: Int64) throws -> Int64? {
    if let number = tables[id] { return number }
    guard let name = names.tables[id] else { return nil }
    let number = try session.names.table(name, session.connection)
    tables[id] = number
    return number
  }

  func column(_ id: Int64, of table: Int64) throws -> Int64? {
    if last.table != table { last = (table, columns[table] ?? []) }
    if id >= 0, id < last.columns.count, last.columns[Int(id)] != 0 { return last.columns[Int(id)] }
    guard let name = names.columns[table]?[id], let parent = try self.table(table) else { return nil }
    let number = try session.names.column(name, of: parent, session.connection)
    if (0..<Self.idsKept).contains(id) { keep(number, of: Int(id)) }
    return number
  }

  private func keep(_ number: Int64, of id: Int) {
    if id >= last.columns.count { last.columns += Array(repeating: 0, count: id + 1 - last.columns.count) }
    last.columns[id] = number
    columns[last.table] = last.columns
  }

  /// More columns than a table can have: https://sqlite.org/limits.html. Higher ids, after many came and went, are looked up each
  /// time.
  private static let idsKept: Int64 = 1 << 15

  static var damaged: SyncError {
    SyncError(
      .damagedState, operation: "read the change log", message: "A row of dimple_log cannot be read.",
      hint: "Restore the database from a backup, or sync into a new one.")
  }
}
