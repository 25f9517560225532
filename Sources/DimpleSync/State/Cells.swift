internal import DimpleChangelog
internal import DimpleStore

/// A row's registers by column id, ascending: few, and read and written in order far more often than looked up.
struct Cells: Equatable {
  struct Item: Equatable {
    let column: Int64
    var cell: RowState.Cell
  }

  private(set) var items: [Item] = []

  var isEmpty: Bool { items.isEmpty }

  /// The register of a column, if it was ever written.
  subscript(column: Int64) -> RowState.Cell? {
    get {
      let index = lowerBound(column)
      return index < items.count && items[index].column == column ? items[index].cell : nil
    }
    set {
      let index = lowerBound(column)
      let isThere = index < items.count && items[index].column == column
      switch (newValue, isThere) {
      case (let new?, true): items[index].cell = new
      case (let new?, false): items.insert(Item(column: column, cell: new), at: index)
      case (nil, true): items.remove(at: index)
      case (nil, false): break
      }
    }
  }

  /// The later stamp wins.
  mutating func write(_ value: SQLValue?, to column: Int64, at stamp: Stamp) {
    let index = lowerBound(column)
    if index < items.count, items[index].column == column {
      if items[index].cell.stamp < stamp { items[index].cell = RowState.Cell(stamp: stamp, value: value) }
    } else {
      items.insert(Item(column: column, cell: RowState.Cell(stamp: stamp, value: value)), at: index)
    }
  }

  /// Takes in a register under a column that may have one: the later stamp wins, and a value that is known one that is not.
  mutating func add(_ cell: RowState.Cell, to column: Int64) {
    if let mine = self[column], mine.stamp == cell.stamp {
      if let value = cell.value { fill(value, of: column) }
    } else {
      write(cell.value, to: column, at: cell.stamp)
    }
  }

  /// Gives a register that has no value here this one.
  mutating func fill(_ value: SQLValue, of column: Int64) {
    let index = lowerBound(column)
    guard index < items.count, items[index].column == column, items[index].cell.value == nil else { return }
    items[index].cell.value = value
  }

  /// Forgets the values of registers that satisfy the condition; their stamps stay.
  mutating func dropValues(where condition: (Item) -> Bool) {
    for index in items.indices where items[index].cell.value != nil && condition(items[index]) {
      items[index].cell.value = nil
    }
  }

  /// Adds a register behind all others.
  mutating func append(_ cell: RowState.Cell, column: Int64) {
    if let last = items.last, last.column >= column {
      self[column] = cell
    } else {
      items.append(Item(column: column, cell: cell))
    }
  }

  /// Gives every register the stamp that `stamp` makes of its own.
  mutating func mapStamps(_ stamp: (Stamp) -> Stamp) {
    for index in items.indices { items[index].cell.stamp = stamp(items[index].cell.stamp) }
  }

  private func lowerBound(_ column: Int64) -> Int {
    // Most often the next one, or close to the end.
    var index = items.count
    if index > 16 { return binaryLowerBound(column) }
    while index > 0, items[index - 1].column >= column { index -= 1 }
    return index
  }

  private func binaryLowerBound(_ column: Int64) -> Int {
    var (low, high) = (0, items.count)
    while low < high {
      let middle = (low + high) / 2
      if items[middle].column < column { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
