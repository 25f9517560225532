internal import DimpleStore

/// What rows were at a moment.
///
/// Found backwards from the present: a row, or a column of it, that nobody has written since the moment is what its table
/// shows; what was written since, is what the history up to the moment says. So the history is needed only for what has
/// changed, and what is missing from it is known to be missing.
struct PastRows {
  /// A row at the moment.
  struct Past {
    /// The columns, by id; a column that is missing here had its default.
    var values: [Int64: Value] = [:]
  }

  enum Value {
    case known(SQLValue)
    case unknown(HistoryGap)
  }

  /// What happened to a row since.
  struct Since {
    /// It was inserted, without having been deleted since the moment: it was not there.
    var wasAbsent = false
    var wasDeleted = false
    /// Written before it was deleted, if it was.
    var written: Set<Int64> = []
    /// What the delete said of columns.
    var last: [Int64: SQLValue] = [:]

    mutating func take(_ event: HistoryEvent) {
      if wasAbsent || wasDeleted { return }
      switch event.operation {
      case .insert: wasAbsent = true
      case .update: written.formUnion(event.cells.map(\.column))
      case .delete:
        wasDeleted = true
        for cell in event.cells { last[cell.column] = cell.value }
      }
    }

    /// What the history up to the moment must tell; `nil` for the whole row.
    var needed: Set<Int64>? { wasAbsent || wasDeleted ? nil : written }
  }

  let reader: HistoryReader
  let point: HistoryPoint
  /// Rows that have changed since the moment.
  private(set) var since: [RowID: Since] = [:]
  private var before: [RowID: RowBefore] = [:]

  /// - Parameters:
  ///   - isWanted: Which rows are asked for.
  /// - Throws: ``ChangelogError``: `.foreignHistoryUnknown`, `.historyRemoved`, `.damagedLog`; `StoreError`.
  init(_ reader: HistoryReader, at point: HistoryPoint, where isWanted: (RowID) -> Bool) throws {
    self.reader = reader
    self.point = point
    let first = try reader.firstTransaction()
    guard point.position.transaction >= first - 1 else {
      throw HistoryGap.removed.error(HistoryPoint.operation, "that moment")
    }
    var since: [RowID: Since] = [:]
    try reader.forEach(after: point.position.transaction - 1) { step, position in
      if point.includes(step, at: position) { return true }
      switch step {
      case .event(let event):
        if isWanted(event.row) { since[event.row, default: Since()].take(event) }
      case .unknownMerges: throw HistoryGap.foreign.error(HistoryPoint.operation, "the database since that moment")
      }
      return true
    }
    self.since = since
    before = try PastSearch(reader: reader, point: point, first: first).run(since.mapValues(\.needed))
  }

  /// The row at the moment; `nil` where there was none.
  ///
  /// - Parameters:
  ///   - columns: Those wanted, by id.
  ///   - current: What its table shows of those now.
  func past(_ row: RowID, columns: [Int64], current: [Int64: SQLValue]?) -> Past? {
    guard let since = since[row] else {
      return current.map { Past(values: $0.mapValues(Value.known)) }
    }
    let before = before[row] ?? RowBefore()
    // Without a delete in between, it was there all along: a table that was untracked for a while was adopted again.
    if since.wasAbsent, before.life != .alive { return nil }
    var past = Past()
    for column in columns {
      let isCurrent = !since.wasAbsent && !since.wasDeleted && !since.written.contains(column)
      if isCurrent, let value = current?[column] {
        past.values[column] = .known(value)
      } else if !since.written.contains(column), let value = since.last[column] {
        past.values[column] = .known(value)
      } else if let value = before.values[column] {
        past.values[column] = value.map(Value.known) ?? .unknown(.foreign)
      } else if before.life != .alive {
        past.values[column] = .unknown(before.gap)
      }
    }
    return past
  }
}
