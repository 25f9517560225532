internal import DimpleStore

/// What must be written to undo some steps, decided before anything is: the steps are taken back one by one, the last first,
/// from what the rows are now.
struct UndoPlan {
  enum Write {
    case delete(RowID)
    case insert(RowID, [Int64: SQLValue])
    case update(RowID, [Int64: SQLValue])
    case rekey(from: RowID, to: RowID, [Int64: SQLValue])
  }

  private(set) var writes: [Write] = []
  private(set) var conflicts: [UndoConflict] = []
  /// What the rows are in the end; `nil` where they are not.
  private(set) var rows: [RowID: [Int64: SQLValue]?]

  private let tables: [Int64: TrackedTable]
  private let history: UndoHistory

  /// - Parameter current: The rows that the steps concern, as they are.
  /// - Throws: ``ChangelogError``: `.historyRemoved`, `.foreignHistoryUnknown` where an old value is not known.
  init(_ history: UndoHistory, current: [RowID: [Int64: SQLValue]?], _ tables: [Int64: TrackedTable]) throws {
    self.history = history
    self.tables = tables
    rows = current
    var index = history.steps.count - 1
    while index >= 0 {
      let step = history.steps[index]
      if index > 0, step.isRekey(after: history.steps[index - 1]), try takeBackRekey(step, history.steps[index - 1]) {
        index -= 2
      } else {
        try takeBack(step)
        index -= 1
      }
    }
  }

  private func row(_ id: RowID) -> [Int64: SQLValue]? { rows[id] ?? nil }

  private mutating func takeBack(_ step: UndoStep) throws {
    switch (step.before, step.after) {
    case (nil, let after?):
      guard let now = row(step.row) else { return }
      noteChanges(step.row, now, since: after)
      rows[step.row] = .some(nil)
      writes.append(.delete(step.row))
    case (let before?, nil):
      let values = try known(before, step.row)
      if let now = row(step.row) {
        note(step.row, nil, .rowInserted)
        rows[step.row] = now.merging(values) { $1 }
        writes.append(.update(step.row, values))
      } else {
        rows[step.row] = .some(values)
        writes.append(.insert(step.row, values))
      }
    case (let before?, let after?): try takeBackUpdate(step, before, after)
    case (nil, nil): break
    }
  }

  private mutating func takeBackUpdate(_ step: UndoStep, _ before: UndoRow, _ after: UndoRow) throws {
    guard var now = row(step.row) else { return note(step.row, nil, .rowDeleted) }
    let written = Set(step.written)
    let values = try known(before.filter { written.contains($0.key) }, step.row)
    for (column, value) in after where written.contains(column) && values[column] != nil {
      if case .known(let left) = value, now[column] != left { note(step.row, column, .columnChanged) }
    }
    now.merge(values) { $1 }
    rows[step.row] = .some(now)
    if !values.isEmpty { writes.append(.update(step.row, values)) }
  }

  /// A row whose key was changed gets its old one by an UPDATE, so that what refers to it follows.
  ///
  /// - Returns: `false` where that cannot be done in one.
  private mutating func takeBackRekey(_ insert: UndoStep, _ delete: UndoStep) throws -> Bool {
    guard let now = row(insert.row), let after = insert.after, let before = delete.before, row(delete.row) == nil
    else { return false }
    noteChanges(insert.row, now, since: after)
    let values = try known(before, delete.row)
    rows[insert.row] = .some(nil)
    rows[delete.row] = .some(now.merging(values) { $1 })
    writes.append(.rekey(from: insert.row, to: delete.row, values))
    return true
  }

  private mutating func noteChanges(_ id: RowID, _ now: [Int64: SQLValue], since after: UndoRow) {
    for column in tables[id.table]?.columns ?? [] {
      if case .known(let left) = after[column.id], now[column.id] != left { note(id, column.id, .columnChanged) }
    }
  }

  private mutating func note(_ id: RowID, _ column: Int64?, _ reason: UndoConflict.Reason) {
    guard let table = tables[id.table] else { return }
    conflicts.append(
      UndoConflict(
        table: table.name, key: id.key, column: table.columns.first { $0.id == column }?.name, reason: reason,
        stamp: history.laterStamp(id, column)))
  }

  /// The values of the columns that are there now.
  private func known(_ row: UndoRow, _ id: RowID) throws -> [Int64: SQLValue] {
    var values: [Int64: SQLValue] = [:]
    for column in tables[id.table]?.columns ?? [] {
      switch row[column.id] {
      case .known(let value): values[column.id] = value
      case .unknown(let gap):
        throw gap.error("undo", "column “\(column.name)” of a row of “\(tables[id.table]?.name ?? "")”")
      case nil: break
      }
    }
    return values
  }
}
