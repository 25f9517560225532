extension Database {
  /// Moves what is in the write-ahead log to the database file. SQLite does so by itself every 1,000 pages; this is for
  /// the moment before the file is copied, or after much was written.
  ///
  /// - Throws: ``StoreError``: `busy` if a reader or a snapshot held it up for ``Configuration/busyTimeout``;
  ///   `ioFailed`, `diskFull`.
  @discardableResult
  public func checkpoint(_ mode: CheckpointMode = .passive) throws -> CheckpointResult {
    try checkNotNested(operation: "checkpoint")
    return try writer.run { try $0.checkpoint(mode) }
  }

  /// As the synchronous form, on a thread of the database's own.
  @discardableResult
  public func checkpoint(_ mode: CheckpointMode = .passive) async throws -> CheckpointResult {
    try await writer.run { try $0.checkpoint(mode) }
  }

  /// Looks through the whole file for damage: broken pages, rows and indexes that disagree, constraints that do not hold.
  ///
  /// On a reader; it takes about as long as reading the file once, a `quick` one less, as it leaves the indexes out.
  ///
  /// - Returns: at most 100 findings; none if the file is sound.
  /// - Throws: ``StoreError``: `notADatabase`, `ioFailed` if the file cannot be looked at.
  public func integrityCheck(quick: Bool = false) throws -> [String] {
    try withConnection { try $0.findDamage(quick: quick) }
  }

  /// As the synchronous form, on a thread of the database's own.
  public func integrityCheck(quick: Bool = false) async throws -> [String] {
    try await withConnection { try $0.findDamage(quick: quick) }
  }

  /// Rewrites the file without gaps and free pages. It needs up to twice the file's size on the disk, and keeps other
  /// writes waiting. Rowids that no `INTEGER PRIMARY KEY` holds may change.
  ///
  /// - Throws: ``StoreError``: `busy`, `diskFull`, `readOnly`.
  public func vacuum() throws {
    try checkNotNested(operation: "vacuum")
    try writer.run { try $0.vacuum() }
  }

  /// As the synchronous form, on a thread of the database's own.
  public func vacuum() async throws { try await writer.run { try $0.vacuum() } }

  /// Removes everything, in one transaction: tables, views, triggers, rows, what is known of migrations, and the
  /// `user_version`. Readers see all or nothing of it.
  ///
  /// - Throws: ``StoreError``: `notAllowed` if changes are tracked or synced, since the log would be gone too.
  public func erase() throws {
    try checkErasable()
    try withMergeTransaction { try $0.eraseAll() }
  }

  /// As the synchronous form, on a thread of the database's own.
  public func erase() async throws {
    try checkErasable()
    try await withMergeTransaction { try $0.eraseAll() }
  }

  private func checkErasable() throws {
    guard configuration.extensions.isEmpty else {
      throw StoreError(
        .notAllowed, operation: "erase", message: "The database's changes are tracked.",
        hint: "Delete the rows, so that the deletions are tracked; or close it and remove its files.")
    }
  }
}

extension Connection {
  func findDamage(quick: Bool) throws -> [String] {
    do {
      let lines = try query(String.self, quick ? "PRAGMA quick_check" : "PRAGMA integrity_check")
      return lines == ["ok"] ? [] : lines
    } catch let error as StoreError where error.code == .corrupt {
      // Too damaged to be looked at to the end.
      return [error.message]
    }
  }

  fileprivate func vacuum() throws {
    guard !configuration.isReadOnly else {
      throw StoreError(.readOnly, operation: "vacuum", message: "The database was opened to read only.")
    }
    try withInternalAccess { try executeControl("VACUUM", operation: "vacuum") }
  }

  /// Inside a merge transaction.
  func eraseAll() throws {
    // A virtual table takes its shadow tables along, a table its indexes and triggers: so the list is read anew.
    let next = """
      SELECT type, name FROM main.sqlite_schema
      WHERE type IN ('view', 'table') AND name NOT LIKE 'sqlite~_%' ESCAPE '~'
      ORDER BY type = 'view' DESC, sql LIKE 'CREATE VIRTUAL%' DESC LIMIT 1
      """
    while let row = try rows(SQL(raw: next)).first {
      let (type, name) = (try String(sqlValue: row[0]), try String(sqlValue: row[1]))
      try execute(SQL(raw: "DROP \(type.uppercased()) main.\(SQL.quoted(identifier: name))"))
    }
    if try rows("SELECT 1 FROM main.sqlite_schema WHERE name = 'sqlite_sequence'").first != nil {
      try execute("DELETE FROM main.sqlite_sequence")
    }
    try executeControl("PRAGMA main.user_version = 0; PRAGMA main.application_id = 0")
  }
}
