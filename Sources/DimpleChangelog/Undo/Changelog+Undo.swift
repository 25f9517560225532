internal import DimpleStore

extension Changelog {
  /// Undoes a transaction of this database: by a new one that writes back what it overwrote, deletes what it inserted and
  /// restores what it deleted. So it is tracked and synced like any write, and can be undone itself, which is redo.
  ///
  /// Nothing is written at all where that would lose what somebody wrote later, on this device or another, or where the
  /// schema's constraints refuse it. Triggers and foreign keys work as for any write.
  ///
  /// - Parameters:
  ///   - transaction: Its number, of ``Change/transaction``.
  ///   - force: Undoes even where later changes are lost.
  /// - Returns: The new transaction's number; `nil` if there was nothing to change.
  /// - Throws: ``ChangelogError``: `.undoConflict` with ``ChangelogError/conflicts``; `.noSuchMoment`; `.historyRemoved` and
  ///   `.foreignHistoryUnknown` where old values are not known; `.unknownTable`; `.notAttached`. `StoreError` of a constraint.
  @discardableResult
  public func undo(transaction: Int64, force: Bool = false) throws -> Int64? {
    try undo(transactions: [transaction], force: force)
  }

  /// Undoes several transactions at once, whatever was written between them: all or nothing, in one new transaction.
  ///
  /// - Throws: As ``undo(transaction:force:)``.
  @discardableResult
  public func undo(transactions: Set<Int64>, force: Bool = false) throws -> Int64? {
    try database(for: "undo").write { try undo($0, transactions, force: force) }
  }

  /// As the synchronous form, on a thread of the database's own.
  @discardableResult
  public func undo(transaction: Int64, force: Bool = false) async throws -> Int64? {
    try await undo(transactions: [transaction], force: force)
  }

  /// As the synchronous form, on a thread of the database's own.
  @discardableResult
  public func undo(transactions: Set<Int64>, force: Bool = false) async throws -> Int64? {
    try await database(for: "undo").write { try self.undo($0, transactions, force: force) }
  }

  /// Inside a write transaction that has written nothing yet.
  ///
  /// - Parameter kept: What the history may not have.
  func undo(
    _ connection: Connection, _ transactions: Set<Int64>, kept: KeptRows = [:], force: Bool
  ) throws -> Int64? {
    let last = try lastTransaction(connection)
    guard !transactions.isEmpty, let reader = try HistoryReader(self, connection) else { return nil }
    let tracked = try connection.withInternalAccess { try trackedTables(connection) }
    let tables = Dictionary(tracked.map { ($0.id, $0) }) { first, _ in first }
    let history = try UndoHistory(transactions, tables, kept: kept, reader)
    var current: [RowID: [Int64: SQLValue]?] = [:]
    for id in Set(history.steps.map(\.row)) {
      guard let table = tables[id.table] else { continue }
      current[id] = .some(try CurrentRow(table, connection).values(id.key))
    }
    let plan = try UndoPlan(history, current: current, tables)
    if !force, !plan.conflicts.isEmpty { throw ChangelogError.undoConflict(plan.conflicts) }
    try UndoWriter(connection: connection, tables: tables).run(plan)
    if !force { try checkSideEffects(plan, after: last, tables, reader) }
    let number = try lastTransaction(connection)
    return number > last ? number : nil
  }

  /// What the rows that the running transaction has changed were before it, where others' changes were merged whose values
  /// are not kept, or the log does not reach back far enough: read beside it, since nobody else sees it yet.
  func rowsBefore(_ connection: Connection, after last: Int64, in database: Database) throws -> [RowID: [Int64:
    SQLValue]]
  {
    guard !database.isInMemory, try isForgetful(connection),
      let reader = try HistoryReader(self, connection)
    else { return [:] }
    var rows: Set<RowID> = []
    try reader.forEach(after: last) { step, _ in
      if case .event(let event) = step { rows.insert(event.row) }
      return true
    }
    let tracked = try connection.withInternalAccess { try trackedTables(connection) }
    // Where there can be none now, the write goes on, and undoing it may say that a value is not known.
    guard let snapshot = try? database.snapshot() else { return [:] }
    return try snapshot.read { past in
      var found: [RowID: [Int64: SQLValue]] = [:]
      for table in tracked {
        let current = CurrentRow(table, past)
        for row in rows where row.table == table.id { found[row] = try current.values(row.key) }
      }
      return found
    }
  }

  /// Whether the history may lack old values.
  private func isForgetful(_ connection: Connection) throws -> Bool {
    if try options.retention != .all || keptTransaction(connection) > 1 { return true }
    return try !options.keepsMergedValues && MergeLog.hasMerges(connection)
  }

  /// Rows that were not to be undone must not have been changed by the way. What came in addition loses nothing.
  private func checkSideEffects(
    _ plan: UndoPlan, after last: Int64, _ tables: [Int64: TrackedTable], _ reader: HistoryReader
  ) throws {
    var conflicts: [UndoConflict] = []
    try reader.forEach(after: last) { step, _ in
      if case .event(let event) = step, event.operation != .insert, plan.rows[event.row] == nil {
        conflicts.append(
          UndoConflict(
            table: tables[event.row.table]?.name ?? "", key: event.row.key, column: nil, reason: .sideEffect, stamp: nil
          ))
      }
      return true
    }
    if !conflicts.isEmpty { throw ChangelogError.undoConflict(conflicts) }
  }
}
