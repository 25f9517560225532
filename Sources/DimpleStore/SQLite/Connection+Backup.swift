internal import CSQLite

extension Connection {
  /// Copies all pages of the main database over those of another connection, as of one moment.
  ///
  /// - Parameters:
  ///   - pagesPerStep: pages between two reports; all at once if negative.
  ///   - isChecked: whether the pages are looked through for damage before.
  ///   - progress: called after each step; what it throws ends the copying, and the destination is as it was.
  func copyAll(
    to destination: Connection, pagesPerStep: Int32, isChecked: Bool = false,
    _ progress: (BackupProgress) throws -> Void
  ) throws {
    // With a read transaction open, others' commits do not make SQLite begin again.
    try inReadTransaction { connection in
      _ = try connection.queryOne(Int.self, "SELECT count(*) FROM sqlite_schema")
      if isChecked { try connection.checkForDamage() }
      try connection.copyPages(to: destination, pagesPerStep: pagesPerStep, progress)
    }
  }

  private func checkForDamage() throws {
    guard let finding = try findDamage(quick: true).first else { return }
    throw StoreError(
      .corrupt, operation: "check", message: "The file is damaged: \(finding)", hint: "Take another backup.")
  }

  private func copyPages(
    to destination: Connection, pagesPerStep: Int32, _ progress: (BackupProgress) throws -> Void
  ) throws {
    guard let backup = sqlite3_backup_init(destination.handle, "main", handle, "main") else {
      throw destination.error(sqlite3_extended_errcode(destination.handle), operation: "back up", sql: nil)
    }
    var isFinished = false
    defer { if !isFinished { sqlite3_backup_finish(backup) } }
    var result = SQLITE_OK
    while result == SQLITE_OK {
      try checkInterruption(sql: nil)
      result = sqlite3_backup_step(backup, pagesPerStep)
      guard result == SQLITE_OK || result == SQLITE_DONE else { break }
      try progress(
        BackupProgress(
          remainingPageCount: Int(sqlite3_backup_remaining(backup)), pageCount: Int(sqlite3_backup_pagecount(backup))))
    }
    isFinished = true
    let last = sqlite3_backup_finish(backup)
    guard result == SQLITE_DONE else {
      // Errors of reading and of writing are both told on the destination.
      throw destination.error(last == SQLITE_OK ? result : last, operation: "back up", sql: nil)
    }
  }
}

/// How far a backup is.
public struct BackupProgress: Sendable, Hashable {
  /// Pages still to be copied.
  public let remainingPageCount: Int
  /// Pages in all.
  public let pageCount: Int
  /// From 0 to 1.
  public var fraction: Double { pageCount == 0 ? 1 : Double(pageCount - remainingPageCount) / Double(pageCount) }
}
