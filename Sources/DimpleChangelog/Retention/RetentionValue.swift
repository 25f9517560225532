internal import DimpleStore

/// What `dimple_meta` says of how far back the log goes.
enum RetentionValue: String {
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

extension Changelog {
  /// The number of the first transaction that was not removed, or is not about to be.
  func keptTransaction(_ connection: Connection) throws -> Int64 {
    max(1, try RetentionValue.kept.get(connection) ?? 1)
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
