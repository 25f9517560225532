internal import CSQLite

extension Connection {
  /// A write transaction with triggers and foreign keys off, and internal access: rows are taken over as they are.
  ///
  /// Both options are no-ops inside a transaction, so they are set around it, and restored after any error.
  func inMergeTransaction<T>(_ body: (Connection) throws -> T) throws -> T {
    do {
      try executeControl("PRAGMA foreign_keys = OFF")
      try setOption(SQLITE_DBCONFIG_ENABLE_TRIGGER, false)
      let result = try inWriteTransaction { connection in
        try connection.withInternalAccess { try body(connection) }
      }
      try restoreAfterMerge()
      return result
    } catch {
      // If restoring fails too, the connection must not be used for anything else.
      do { try restoreAfterMerge() } catch { isBroken = true }
      throw error
    }
  }

  private func restoreAfterMerge() throws {
    try setOption(SQLITE_DBCONFIG_ENABLE_TRIGGER, true)
    try executeControl("PRAGMA foreign_keys = \(configuration.foreignKeys ? "ON" : "OFF")")
  }
}
