internal import DimpleStore

extension Changelog {
  /// The number of the first transaction that was not removed, or is not about to be.
  func keptTransaction(_ connection: Connection) throws -> Int64 {
    max(1, try MetaValue.kept.get(connection) ?? 1)
  }

  /// Throws where changes after a transaction were asked for of which some are gone: to go on would pass them over.
  ///
  /// - Parameter transaction: 0 asks for what there is.
  /// - Throws: ``ChangelogError`` `.historyRemoved`.
  func checkKept(after transaction: Int64, _ connection: Connection) throws {
    guard transaction > 0, try LogTables.exist(connection) else { return }
    let first = try keptTransaction(connection)
    if transaction >= first - 1 { return }
    throw ChangelogError(
      .historyRemoved, operation: "read the log after transaction \(transaction)",
      message: "It was removed up to transaction \(first - 1).",
      hint: "Read the tables anew, and go on after transaction \(first - 1).")
  }
}
