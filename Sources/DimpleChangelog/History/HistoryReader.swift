internal import DimpleStore

/// Reads a database's history in the order in which its tables went through it: local transactions, and merges in between.
struct HistoryReader {
  let changelog: Changelog
  let connection: Connection
  private let ids: LogNameHistory

  /// - Returns: `nil` for a database that was never tracked.
  init?(_ changelog: Changelog, _ connection: Connection) throws {
    guard try LogTables.exist(connection) else { return nil }
    self.changelog = changelog
    self.connection = connection
    ids = LogNameHistory(try CatalogTables(connection: connection).load().namedByID)
  }

  /// Calls `body` with what came after a local transaction, merges right after that excluded, until it returns `false`.
  ///
  /// - Parameter transaction: -1 for everything, merges before the first transaction included.
  func forEach(after transaction: Int64, _ body: (HistoryStep, HistoryPosition) throws -> Bool) throws {
    let merges = try MergeCursor(connection, after: transaction)
    defer { merges.end() }
    var goesOn = true
    var last = max(0, transaction)
    try changelog.transactions(connection, after: max(0, transaction), names: ids) { local in
      goesOn = try deliver(merges, before: local.number, body)
      guard goesOn else { return false }
      last = local.number
      for change in local.changes {
        goesOn = try body(.event(event(change)), HistoryPosition(transaction: local.number))
        guard goesOn else { return false }
      }
      return true
    }
    guard goesOn, try deliver(merges, before: .max, body) else { return }
    if try MergeLog.isUnrecorded(connection) {
      _ = try body(.unknownMerges, HistoryPosition(transaction: last, merge: .max))
    }
  }

  private func deliver(
    _ merges: MergeCursor, before transaction: Int64, _ body: (HistoryStep, HistoryPosition) throws -> Bool
  ) throws -> Bool {
    while let merge = try merges.next(before: transaction) {
      let position = HistoryPosition(transaction: merge.transaction, merge: merge.id)
      if merge.followsGap, try !body(.unknownMerges, position) { return false }
      for event in merge.events where try !body(.event(event), position) { return false }
    }
    return true
  }

  private func event(_ change: Change) throws -> HistoryEvent {
    HistoryEvent(
      stamp: change.stamp, transaction: change.transaction,
      row: RowID(table: Int64(change.table) ?? 0, key: change.key), operation: change.operation,
      cells: change.columns.map { HistoryEvent.Cell(column: Int64($0.name) ?? 0, value: $0.value) })
  }

  // MARK: - Bounds

  /// The first transaction that the log still has; one more than the last where it has none.
  func firstTransaction() throws -> Int64 {
    try changelog.firstTransaction(connection)
  }

  /// The last transaction that satisfies a condition, which no later one does where one does not.
  func lastTransaction(where condition: (LocalTransaction) -> Bool) throws -> LocalTransaction? {
    var found: LocalTransaction?
    var low = try firstTransaction() - 1
    var high = try changelog.lastTransaction(connection)
    // low satisfies it, or is before all; what comes after high does not.
    while low < high {
      let middle = low + (high - low + 1) / 2
      var holds = false
      try changelog.transactions(connection, after: middle - 1) { local in
        holds = condition(local)
        if holds { found = local }
        return false
      }
      if holds { low = middle } else { high = middle - 1 }
    }
    return found
  }
}

extension Catalog {
  /// The same tables and columns, named by their ids: a name may have belonged to something else before, an id never.
  var namedByID: Catalog {
    Catalog(
      tables.values.map { table in
        var table = table
        table.name = String(table.id)
        table.columns = table.columns.map { Column(id: $0.id, name: String($0.id), isGone: $0.isGone) }
        return table
      })
  }
}
