extension Database {
  /// Replaces everything with the contents of another database file, such as a backup, in one transaction: tables, rows, and
  /// what is known of migrations.
  ///
  /// Reads that run, and snapshots, go on seeing what was; later ones see what the file holds, and live queries are
  /// refreshed. The file is read as of one moment and left as it is. It is checked for damage first, which takes about as
  /// long as reading it once. Other writes wait; so do reads in memory and without a write-ahead log. The write-ahead log
  /// grows by the size of the file.
  ///
  /// Migrations are not applied. If the file may be older than the program, bring it up to date first, by opening and
  /// closing it with the migrations: `try Database(path, migrations: all).close()`.
  ///
  /// - Parameters:
  ///   - path: a database of the same page size and text encoding, with the same key if it is encrypted.
  ///   - pagesPerStep: pages (of 4 KiB, usually) between two reports, at least 1.
  ///   - progress: called after each step on this thread; what it throws ends the restoring and is thrown, and the database
  ///     stays as it was, unless no page remained.
  /// - Throws: ``StoreError``: `notAllowed` if changes are tracked or synced, since the log would be gone too; `cannotOpen`,
  ///   `notADatabase`, `corrupt` for the file; `unsupportedFeature` for another page size or encoding; `busy`, `diskFull`,
  ///   `readOnly`, `interrupted`. The database is then as it was.
  public func restore(
    from path: String, pagesPerStep: Int = 256, progress: (BackupProgress) throws -> Void = { _ in }
  ) throws {
    try checkNotNested(operation: "restore")
    try checkRestorable()
    try writer.run { try $0.restore(from: path, pagesPerStep: pagesPerStep, progress) }
  }

  /// As the synchronous form, on a thread of the database's own. Cancelling the task leaves the database as it was and throws
  /// `CancellationError`, unless all was copied by then.
  public func restore(
    from path: String, pagesPerStep: Int = 256,
    progress: @escaping @Sendable (BackupProgress) throws -> Void = { _ in }
  ) async throws {
    try checkRestorable()
    try await writer.run { try $0.restore(from: path, pagesPerStep: pagesPerStep, progress) }
  }

  private func checkRestorable() throws {
    guard configuration.extensions.isEmpty else {
      throw StoreError(
        .notAllowed, operation: "restore", message: "The database's changes are tracked.",
        hint: """
          Close the database and open the backup in its place; or open the backup beside it, and copy the rows that are \
          wanted, so that they are tracked.
          """)
    }
    guard !configuration.isReadOnly else {
      throw StoreError(
        .readOnly, operation: "restore", message: "The database was opened to read only.",
        hint: "Open it without Configuration.isReadOnly.")
    }
  }
}

extension Connection {
  fileprivate func restore(
    from path: String, pagesPerStep: Int, _ progress: (BackupProgress) throws -> Void
  ) throws {
    var plain = Configuration()
    plain.isReadOnly = true
    plain.encryptionKey = configuration.encryptionKey
    plain.busyTimeout = configuration.busyTimeout
    let place = try DatabasePlace(path)
    let source = try Connection(place: place, role: .reader, configuration: plain, commits: CommitHub())
    try source.setUp()
    defer { source.close() }
    // Cancelling stops the reading and the checking, too.
    source.interruption.flag = interruption.flag
    source.interruption.stop = interruption.stop
    for setting in ["page_size", "encoding"] {
      let (found, wanted) = (try source.pragma(setting), try pragma(setting))
      guard found == wanted else {
        throw StoreError(
          .unsupportedFeature, operation: "restore",
          message: "The file's \(setting) is \(found), the database's \(wanted).",
          hint: "Copy the rows; or close the database and open the file in its place.")
      }
    }
    var isCommitted = false
    defer { if isCommitted { didReplaceEverything() } }
    try source.copyAll(to: self, pagesPerStep: Int32(clamping: max(1, pagesPerStep)), isChecked: true) { step in
      isCommitted = step.remainingPageCount == 0
      try progress(step)
    }
  }

  private func didReplaceEverything() {
    // Own work: not to be taken for another program's later.
    do { try inSingleRead { _ = try commits.readDataVersion(on: $0) } } catch { isBroken = true }
    commits.deliver(CommitEvent(isExternal: true, changesSchema: true))
  }
}
