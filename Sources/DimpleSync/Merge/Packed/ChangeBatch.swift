internal import DimpleChangelog
internal import DimpleStore

/// Row changes on their way into the merged state, by numbers (``NameTable``, ``ReplicaTable``), in a few flat buffers.
final class ChangeBatch {
  /// One row's write. Offsets are into the batch's bytes.
  struct Entry {
    var time: Int64
    /// Who wrote it.
    var author: Int64
    var key: Int
    var keyLength: Int32
    var operation: Operation
    /// In ``ChangeBatch/cells``, ascending by column.
    var firstCell: Int
    var cellCount: Int
  }

  struct Cell {
    var column: Int64
    /// Where the value is in the batch's bytes; of one that lies elsewhere, less than 0.
    var value: Int
    var length: Int32
  }

  enum Operation: UInt8 {
    case insert = 1
    case update = 2
    case delete = 3

    init(_ operation: Change.Operation) {
      self =
        switch operation {
        case .insert: .insert
        case .update: .update
        case .delete: .delete
        }
    }

    var changeOperation: Change.Operation {
      switch self {
      case .insert: .insert
      case .update: .update
      case .delete: .delete
      }
    }
  }

  @exclusivity(unchecked) var bytes = PackedWriter(capacity: 1 << 16)
  @exclusivity(unchecked) private(set) var cells: [Cell] = []
  @exclusivity(unchecked) private var tables: [(id: Int64, entries: [Entry])] = []
  /// Changes mostly have the table of the one before.
  @exclusivity(unchecked) private var last = 0
  @exclusivity(unchecked) private(set) var count = 0
  /// Large values, which are not copied once more: `~value` of a cell is its place here.
  @exclusivity(unchecked) private var outside: [UnsafePointer<UInt8>] = []
  private var owned: [PackedBytes] = []
  /// Whether it has values that belong to somebody else.
  private(set) var borrows = false

  var isEmpty: Bool { count == 0 }

  /// Those that are written to.
  var tableIDs: [Int64] { tables.map(\.id) }

  /// Adds a change.
  ///
  /// - Parameter large: The values of its large columns, by the columns' numbers.
  func append(
    _ change: PackChange, table: Int64, columns: [Int64], large: [(column: Int64, value: PackedBytes)] = [],
    by author: Int64
  ) {
    let key = bytes.count
    for value in change.key { bytes.value(value) }
    let keyLength = bytes.count - key
    let firstCell = cells.count
    for (column, cell) in zip(columns, change.columns) {
      let start = bytes.count
      bytes.value(cell.value)
      append(Cell(column: column, value: start, length: Int32(bytes.count - start)), from: firstCell)
    }
    for (column, value) in large { append(value, column: column, from: firstCell) }
    append(
      Entry(
        time: change.time.rawValue, author: author, key: key, keyLength: Int32(keyLength),
        operation: Operation(change.operation), firstCell: firstCell, cellCount: cells.count - firstCell),
      to: table)
  }

  /// Adds a cell whose packed value stays where it is, which somebody else sees to.
  func append(borrowed value: UnsafePointer<UInt8>, count: Int, column: Int64, from firstCell: Int) {
    borrows = true
    outside.append(value)
    append(Cell(column: column, value: ~(outside.count - 1), length: Int32(count)), from: firstCell)
  }

  private func append(_ value: PackedBytes, column: Int64, from firstCell: Int) {
    owned.append(value)
    outside.append(UnsafePointer(value.start))
    append(Cell(column: column, value: ~(outside.count - 1), length: Int32(value.count)), from: firstCell)
  }

  /// Keeps the cells of a change, which begin at `firstCell`, ascending: they mostly come so.
  func append(_ cell: Cell, from firstCell: Int) {
    var index = cells.count
    while index > firstCell, cells[index - 1].column > cell.column { index -= 1 }
    if index > firstCell, cells[index - 1].column == cell.column {
      // Two columns of one name: the last counts.
      cells[index - 1] = cell
    } else if index == cells.count {
      cells.append(cell)
    } else {
      cells.insert(cell, at: index)
    }
  }

  func append(_ entry: Entry, to table: Int64) {
    if last >= tables.count || tables[last].id != table {
      last = tables.firstIndex { $0.id == table } ?? tables.count
      if last == tables.count { tables.append((table, [])) }
    }
    tables[last].entries.append(entry)
    count += 1
  }

  /// How far a batch has grown.
  struct Mark {
    fileprivate var bytes: Int
    fileprivate var cells: Int
    fileprivate var count: Int
  }

  var mark: Mark { Mark(bytes: bytes.count, cells: cells.count, count: count) }

  /// Takes back what was added since.
  func removeAll(after mark: Mark) {
    if count > mark.count {
      for index in tables.indices {
        while let entry = tables[index].entries.last, entry.key >= mark.bytes { tables[index].entries.removeLast() }
      }
      tables.removeAll { $0.entries.isEmpty }
      count = mark.count
    }
    cells.removeLast(cells.count - mark.cells)
    bytes.truncate(to: mark.bytes)
  }

  /// The entries of a table in the order of their keys, then as they came.
  func sortedEntries(of table: Int64) -> [Entry] {
    guard let entries = tables.first(where: { $0.id == table })?.entries else { return [] }
    let base = UnsafePointer(bytes.start)
    func precedes(_ left: Entry, _ right: Entry) -> Bool {
      KeyBytes.compare(base + left.key, Int(left.keyLength), base + right.key, Int(right.keyLength)) < 0
    }
    var isSorted = true
    for index in entries.indices.dropFirst() where precedes(entries[index], entries[index - 1]) {
      isSorted = false
      break
    }
    if isSorted { return entries }
    let prefixes = entries.enumerated().map { index, entry in
      (prefix: KeyBytes.prefix(base + entry.key, Int(entry.keyLength)), index: index)
    }
    return prefixes.sorted { left, right in
      if left.prefix != right.prefix { return left.prefix < right.prefix }
      let (a, b) = (entries[left.index], entries[right.index])
      let order = KeyBytes.compare(base + a.key, Int(a.keyLength), base + b.key, Int(b.keyLength))
      return order == 0 ? left.index < right.index : order < 0
    }.map { entries[$0.index] }
  }

  /// Cuts sorted entries into those of one row each.
  func rows(of entries: [Entry]) -> [Range<Int>] {
    var rows: [Range<Int>] = []
    rows.reserveCapacity(entries.count)
    let base = UnsafePointer(bytes.start)
    var first = 0
    for index in entries.indices.dropFirst() {
      let (one, next) = (entries[first], entries[index])
      if KeyBytes.compare(base + one.key, Int(one.keyLength), base + next.key, Int(next.keyLength)) != 0 {
        rows.append(first..<index)
        first = index
      }
    }
    if !entries.isEmpty { rows.append(first..<entries.count) }
    return rows
  }

  /// The rows that are written to.
  var rowKeys: [RowKey] {
    tables.flatMap { table, entries in
      entries.map { RowKey(table: table, key: [UInt8](key(of: $0))) }
    }
  }

  /// Where a value lies; good until the batch grows.
  func value(of cell: Cell) -> PackedValue {
    let start = cell.value >= 0 ? UnsafePointer(bytes.start) + cell.value : outside[~cell.value]
    return PackedValue(start: start, count: Int(cell.length))
  }

  func key(of entry: Entry) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: bytes.start + entry.key, count: Int(entry.keyLength))
  }

  func cells(of entry: Entry) -> ArraySlice<Cell> { cells[entry.firstCell..<entry.firstCell + entry.cellCount] }
}

/// Comparing encoded keys as SQLite compares blobs.
enum KeyBytes {
  static func compare(
    _ left: UnsafePointer<UInt8>, _ leftCount: Int, _ right: UnsafePointer<UInt8>, _ rightCount: Int
  ) -> Int {
    let count = min(leftCount, rightCount)
    for index in 0..<count where left[index] != right[index] { return Int(left[index]) - Int(right[index]) }
    return leftCount - rightCount
  }

  /// The first eight bytes as a number, for want of bytes with zeros behind: what differs in it orders the keys.
  static func prefix(_ key: UnsafePointer<UInt8>, _ count: Int) -> UInt64 {
    if count >= 8 { return UnsafeRawPointer(key).loadUnaligned(as: UInt64.self).bigEndian }
    var prefix: UInt64 = 0
    for index in 0..<count { prefix |= UInt64(key[index]) << UInt64(56 - 8 * index) }
    return prefix
  }
}
