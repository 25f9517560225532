/// Reads that share one transaction, which a snapshot keeps open between them.
extension Connection {
  /// Begins the transaction, and takes the moment: SQLite takes it at the first read, not at `BEGIN`.
  func beginPinnedRead() throws {
    try beginReadTransaction()
    try inSingleRead { _ = try $0.queryOne(Int.self, "SELECT count(*) FROM sqlite_schema") }
  }

  /// Reads in the transaction that is open.
  func inPinnedRead<T>(_ body: (Connection) throws -> T) throws -> T {
    // An interrupted query leaves the transaction open; a failing disk may not.
    guard isInTransaction else {
      throw StoreError(
        .transactionLost, operation: "read", message: "SQLite ended the snapshot after an earlier error.",
        hint: "Take a new snapshot.")
    }
    return try inSingleRead(body)
  }
}
