internal import DimpleChangelog
internal import DimpleStore

/// A row that a merge looks at: its state, what its table shows of it, and what is decided.
///
/// A class, so that the passes' indexes and queues speak of the same row; confined to one merge.
final class WorkRow {
  let key: RowKey
  /// The key, decoded.
  let keyValues: [SQLValue]
  /// The table's position in the schema.
  let table: Int
  /// What the table showed before the merge, in the order of `allColumns`; `nil` where it had no such row.
  let before: [SQLValue]?
  /// Every register with its value, as far as anybody here knows it.
  var state: RowState
  var storedStatus: RowStatus?

  /// Dead by its state, but alive by a later write, in a table in which that counts.
  var isRevived = false
  /// What the row would show by itself; `nil` while a value is not known here.
  var wish: [SQLValue]?
  /// What it would have in each ``MergeTable/computedUniques``, once somebody asked; NULLs where it is not part of the index.
  var computedValues: [[SQLValue]]?
  /// Why a live row cannot be shown.
  var heldReason: RowStatus?
  /// Dead, but a live row refers to it by a NO ACTION or RESTRICT foreign key.
  var isWanted = false
  /// The references that show NULL for want of a parent, by the positions of their columns.
  private(set) var nulledReferences: [[Int]] = []
  /// All of those.
  private(set) var nulled: Set<Int> = []
  var isVisible = false

  init(
    key: RowKey, keyValues: [SQLValue], table: Int, before: [SQLValue]?, state: RowState, storedStatus: RowStatus?
  ) {
    self.key = key
    self.keyValues = keyValues
    self.table = table
    self.before = before
    self.state = state
    self.storedStatus = storedStatus
  }

  var isAlive: Bool { state.isAlive || isRevived }

  var hasNumberInKey: Bool {
    keyValues.contains { value in
      switch value {
      case .integer, .real: true
      default: false
      }
    }
  }

  /// What the table is to show.
  var shown: [SQLValue]? {
    isVisible ? wish(withNullIn: nulled) : nil
  }

  /// What the row would show with NULL in these columns.
  func wish(withNullIn columns: some Sequence<Int>) -> [SQLValue]? {
    guard var row = wish else { return nil }
    for column in columns { row[column] = .null }
    return row
  }

  func showNull(in columns: [Int]) {
    nulledReferences.append(columns)
    nulled.formUnion(columns)
  }

  /// The order in which rows claim unique values: the living before the kept dead, then the earlier insert, then the key.
  func precedes(_ other: WorkRow) -> Bool {
    if isAlive != other.isAlive { return isAlive }
    if let mine = state.inserted, let theirs = other.state.inserted, mine != theirs { return mine < theirs }
    return key < other.key
  }

  /// The values at `columns` of what the row would show, as something to match; `nil` where one is NULL or not known.
  func match(_ columns: [Int], _ collations: [Collation]) -> MatchKey? {
    wish.flatMap { row in MatchKey(columns.map { row[$0] }, collations) }
  }

  /// What it refers to by `key`, as something to match; `nil` where a value is NULL or not known.
  func reference(by key: ForeignKey) -> MatchKey? {
    wish.flatMap { row in MatchKey(key.compared(key.childColumns.map { row[$0] }), key.collations) }
  }
}

extension RowState {
  /// What the row would show, from the registers that count and the columns' defaults; `nil` while a value is not known
  /// here.
  func wish(_ key: [SQLValue], _ table: MergeTable) -> [SQLValue]? {
    var row = key
    for column in table.columns {
      guard let cell = cells[column.id], counts(cell) else {
        row.append(column.fallback.value(insertedAt: inserted))
        continue
      }
      guard let value = cell.value else { return nil }
      row.append(value == .null && column.isNotNull ? column.fallback.value(insertedAt: inserted) : value)
    }
    return row
  }

  /// Whether the row may be shown, but for a value of the table that is not known here.
  func lacksValue(_ table: MergeTable) -> Bool {
    guard isAlive || table.updateRevives && revivedAt != nil else { return false }
    return cells.items.contains { $0.cell.value == nil && table.columnIDs.contains($0.column) && counts($0.cell) }
  }
}
