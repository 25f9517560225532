internal import DimpleMutex
package import DimpleStore

extension Changelog {
  /// Removes from the log, and from the record of merges, what ``Options/retention`` does not keep.
  ///
  /// It is done by itself too, after the first commit and now and then, beside the app's work. Each step is a write
  /// transaction of its own of well under a millisecond, but for one in a hundred that meets a checkpoint, and writes that
  /// wait come in between. Stopping it at any point does no harm. Moments before what is kept are ``ChangelogError`` `.historyRemoved` from then on, for `asOf`, undo and
  /// ``follow(after:matching:)``.
  ///
  /// - Throws: ``ChangelogError``: `.notAttached`, `.damagedLog`. `StoreError`.
  @discardableResult
  public func trim() throws -> TrimReport {
    var report = TrimReport()
    while try trimStep(&report) {}
    return report
  }

  /// As the synchronous form, on a thread of the database's own. It pauses between steps, so that other processes get their
  /// turn, too. Cancelling the task ends it.
  @discardableResult
  public func trim() async throws -> TrimReport {
    var report = TrimReport()
    while true {
      let before = report
      let (hasMore, after) = try await database(for: "trim the log").write { connection in
        var report = before
        let hasMore = try connection.withInternalAccess {
          try LogTrimmer(changelog: self, connection: connection).step(&report)
        }
        return (hasMore, report)
      }
      report = after
      guard hasMore else { return report }
      try await Task.sleep(for: Self.pause)
    }
  }

  /// Longer than a step.
  private static let pause = Duration.milliseconds(5)

  /// One step of ``trim()``.
  ///
  /// - Returns: Whether there is more to do.
  package func trimStep(_ report: inout TrimReport) throws -> Bool {
    var progress = report
    let hasMore = try database(for: "trim the log").write { connection in
      try connection.withInternalAccess { try LogTrimmer(changelog: self, connection: connection).step(&progress) }
    }
    report = progress
    return hasMore
  }

  /// The first transaction that an undo stack of this process may still undo.
  var heldTransaction: Int64? { state.withLock { $0.undoHolds.values.min() } }

  /// Keeps the log from a transaction on, as long as an undo stack may need it; `nil` ends that.
  func hold(_ stack: ObjectIdentifier, from transaction: Int64?) {
    state.withLock { $0.undoHolds[stack] = transaction }
  }

  // MARK: - For sync

  /// Says, in the running transaction, that sync does not need the log up to a transaction any more: 0 for all of it.
  ///
  /// Before this was first called, nothing is kept for sync's sake.
  package func setNeeded(after transaction: Int64, _ connection: Connection) throws {
    if try MetaValue.needed.get(connection) == transaction { return }
    try MetaValue.needed.set(transaction, connection)
  }

  /// Prepares the log for sync, in a write transaction, once: where it has been trimmed without regard to it, all rows are to
  /// become changes again, by ``adopt(progress:)``.
  ///
  /// - Returns: Whether there is something to adopt.
  package func beginSync(_ connection: Connection) throws -> Bool {
    guard try MetaValue.needed.get(connection) == nil else { return false }
    guard try keptTransaction(connection) > 1 else {
      try MetaValue.needed.set(0, connection)
      return false
    }
    // A row's second insert would look like its first where that is gone.
    let last = try lastTransaction(connection)
    try LogTrimmer(changelog: self, connection: connection).begin(at: last + 1)
    try MetaValue.needed.set(last, connection)
    let schema = try writerSchema(connection)
    var catalog = schema.catalog
    for table in schema.tables { catalog.adoptAgain(table.id) }
    try CatalogTables(connection: connection).save(catalog, over: schema.catalog)
    state.withLock { state in
      state.schema = TrackedSchema(version: schema.version, snapshot: schema.snapshot, catalog: catalog)
      // A rollback must forget this.
      state.changes.hasChanged = true
    }
    return true
  }
}
