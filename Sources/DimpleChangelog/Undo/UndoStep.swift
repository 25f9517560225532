internal import DimpleStore

/// A row's columns outside the key, by id.
typealias UndoRow = [Int64: PastRows.Value]

/// What rows were before some transactions, by their numbers, kept because the history does not have all of it.
typealias KeptRows = [Int64: [RowID: [Int64: SQLValue]]]

/// One change to be undone: what the row was before and after it; `nil` where it was not there.
struct UndoStep {
  var row: RowID
  var before: UndoRow?
  var after: UndoRow?
  /// The columns it wrote, of a row that was there before and after.
  var written: [Int64] = []
  var time: HybridTime

  /// This step inserted a row under the key that a row deleted just before it now has: a rekey, or as good as one.
  func isRekey(after other: UndoStep) -> Bool {
    row.table == other.row.table && row.key != other.row.key && before == nil && after != nil && other.before != nil
      && other.after == nil && other.time.rawValue + 1 == time.rawValue
  }
}

/// What some transactions did, row by row, and who else wrote to these rows since.
struct UndoHistory {
  private(set) var steps: [UndoStep] = []
  /// The last write of each column by others, and of the row where it came or went.
  private var later: [RowID: [Int64?: Stamp]] = [:]
  /// What the columns of a table hold where nothing was written, as in rows from before a column came.
  private var defaults: [Int64: UndoRow] = [:]
  private let kept: KeptRows

  /// - Throws: ``ChangelogError``: `.noSuchMoment`, `.historyRemoved`, `.foreignHistoryUnknown`, `.unknownTable`.
  init(
    _ transactions: Set<Int64>, _ tables: [Int64: TrackedTable], kept: KeptRows, _ reader: HistoryReader
  ) throws {
    self.kept = kept
    guard let first = transactions.min(), let last = transactions.max() else { return }
    let rows = try Self.rows(of: transactions, reader)
    var point = HistoryPoint(after: first - 1)
    // Merges in between came before it.
    point.position.merge = .max
    let past = try PastRows(reader, at: point) { rows.contains($0) }
    var states: [RowID: UndoRow?] = [:]
    for row in rows {
      guard let table = tables[row.table], table.keyColumns.count == row.key.count else {
        throw ChangelogError(
          .unknownTable, operation: "undo",
          message: "Transaction \(last), or one before it, wrote to a table that is gone.",
          hint: "Drop what can be undone when a migration changes the schema.")
      }
      let defaults = try self.defaults[row.table] ?? Self.defaults(of: table, reader.connection)
      self.defaults[row.table] = defaults
      let current = try CurrentRow(table, reader.connection).values(row.key)
      let before = past.past(row, columns: table.columns.map(\.id), current: current)
      states[row] = .some(before.map { defaults.merging($0.values) { $1 } })
    }
    try reader.forEach(after: first - 1) { step, position in
      if case .event(let event) = step, !point.includes(step, at: position), let state = states[event.row] {
        states[event.row] = .some(take(event, state, isUndone: event.transaction.map(transactions.contains) ?? false))
      }
      return true
    }
  }

  private static func rows(of transactions: Set<Int64>, _ reader: HistoryReader) throws -> Set<RowID> {
    guard let first = transactions.min(), let last = transactions.max() else { return [] }
    let newest = try reader.changelog.lastTransaction(reader.connection)
    guard first > 0, last <= newest else {
      throw ChangelogError(
        .noSuchMoment, operation: "undo", message: "The last transaction is \(newest).",
        hint: "Undo transactions by the numbers that the log gives them.")
    }
    guard try first >= reader.firstTransaction() else {
      throw HistoryGap.removed.error("undo", "the transaction")
    }
    var rows: Set<RowID> = []
    try reader.forEach(after: first - 1) { step, position in
      if case .event(let event) = step, let number = event.transaction, transactions.contains(number) {
        rows.insert(event.row)
      }
      return position.transaction <= last
    }
    return rows
  }

  private static func defaults(of table: TrackedTable, _ connection: Connection) throws -> UndoRow {
    guard !table.columns.isEmpty else { return [:] }
    let values = table.columns.map { "(\($0.defaultSQL ?? "NULL"))" }.joined(separator: ", ")
    let statement = try connection.prepare("SELECT \(values)")
    defer { statement.reset() }
    guard try statement.step() else { return [:] }
    return Dictionary(
      uniqueKeysWithValues: table.columns.enumerated().map { ($1.id, .known(statement.value(Int32($0)))) })
  }

  /// The row after the event.
  private mutating func take(_ event: HistoryEvent, _ before: UndoRow?, isUndone: Bool) -> UndoRow? {
    let before = isUndone ? filled(before, event) : before
    var after = before
    switch event.operation {
    case .insert: after = defaults[event.row.table] ?? [:]
    // The action of a foreign key of the row to itself is logged before the row has the key: that says it all again.
    case .update: if before == nil { return nil }
    case .delete: after = nil
    }
    if event.operation != .delete {
      for cell in event.cells { after?[cell.column] = cell.value.map(PastRows.Value.known) ?? .unknown(.foreign) }
    }
    if isUndone {
      steps.append(
        UndoStep(
          row: event.row, before: before, after: after, written: event.cells.map(\.column), time: event.stamp.time))
    } else {
      let columns: [Int64?] = event.operation == .update ? event.cells.map(\.column) : [nil]
      for column in columns { later[event.row, default: [:]][column] = event.stamp }
    }
    return after
  }

  private func filled(_ row: UndoRow?, _ event: HistoryEvent) -> UndoRow? {
    guard var row, let number = event.transaction, let values = kept[number]?[event.row] else { return row }
    for (column, value) in values {
      if case .unknown = row[column] { row[column] = .known(value) }
    }
    return row
  }

  /// Who wrote the column, or made the row come or go, outside the transactions.
  func laterStamp(_ row: RowID, _ column: Int64?) -> Stamp? { later[row]?[column] ?? later[row]?[nil] }
}
