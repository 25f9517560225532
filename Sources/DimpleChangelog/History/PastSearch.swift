internal import DimpleStore

/// What the history up to a moment says of a row.
struct RowBefore {
  enum Life { case unknown, alive, dead }

  /// Known once its last insert or delete was found.
  var life = Life.unknown
  /// What was written since then; `nil` for a value that was not kept.
  var values: [Int64: SQLValue?] = [:]
  /// Why there is no more.
  var gap = HistoryGap.removed
  /// Nothing before this counts, or is known.
  var isComplete = false

  mutating func take(_ event: HistoryEvent) {
    switch event.operation {
    case .insert:
      self = RowBefore(life: .alive, isComplete: true)
      fallthrough
    case .update:
      for cell in event.cells { values[cell.column] = .some(cell.value) }
    case .delete: self = RowBefore(life: .dead, isComplete: true)
    }
  }

  /// Adds what an earlier part of the history says.
  mutating func extend(back earlier: RowBefore) {
    guard !isComplete else { return }
    values.merge(earlier.values) { later, _ in later }
    (life, gap, isComplete) = (earlier.life, earlier.gap, earlier.isComplete)
  }

  func has(_ needed: Set<Int64>?) -> Bool {
    isComplete || needed.map { $0.allSatisfy { values[$0] != nil } } ?? false
  }
}

/// Searches the history from a moment back, in ever larger steps, until all that is needed is found: what was written lately
/// is found quickly however long the log is.
struct PastSearch {
  private static let firstStep: Int64 = 64

  let reader: HistoryReader
  let point: HistoryPoint
  /// The first transaction that the log has.
  let first: Int64

  /// - Parameter needed: Rows, and which of their columns; `nil` for all of a row.
  func run(_ needed: [RowID: Set<Int64>?]) throws -> [RowID: RowBefore] {
    var found: [RowID: RowBefore] = [:]
    var open = needed
    var end = point.position.transaction
    var step = Self.firstStep
    var isWhole = false
    while !open.isEmpty, !isWhole {
      let start = max(end - step, first - 1)
      isWhole = start == first - 1
      // Merges just before the first transaction stand behind the one before it.
      let part = try read(after: isWhole ? start - 1 : start, through: end, open)
      for (row, columns) in open {
        var before = found[row] ?? RowBefore()
        before.extend(back: part.rows[row] ?? RowBefore(gap: part.gap ?? .removed, isComplete: part.gap != nil))
        found[row] = before
        if before.has(columns) { open[row] = nil }
      }
      (end, step) = (start, step * 4)
    }
    return found
  }

  private struct Part {
    var rows: [RowID: RowBefore] = [:]
    /// Somewhere in it, unknown merges were made: what came before does not count.
    var gap: HistoryGap?
  }

  /// - Parameters:
  ///   - start: Merges after this transaction excluded.
  ///   - end: Merges after this transaction included.
  private func read(after start: Int64, through end: Int64, _ wanted: [RowID: Set<Int64>?]) throws -> Part {
    var part = Part()
    try reader.forEach(after: start) { step, position in
      guard position.transaction <= end, point.includes(step, at: position) else { return false }
      switch step {
      case .event(let event):
        guard wanted[event.row] != nil else { return true }
        part.rows[event.row, default: RowBefore(gap: part.gap ?? .removed, isComplete: part.gap != nil)].take(event)
      case .unknownMerges: part = Part(gap: .foreign)
      }
      return true
    }
    return part
  }
}
