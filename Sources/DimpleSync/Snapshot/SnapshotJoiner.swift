internal import DimpleChangelog
internal import DimpleStore

/// Merges rows of a snapshot into tables that have rows: each as the writes that its state is made of, which the merge takes
/// like any others.
final class SnapshotJoiner {
  private static let batchSize = 20_000

  private let merge: Merge
  private var shape = SnapshotShape(table: "", columns: [])
  private var table: Int64 = 0
  private var columns: [Int64] = []
  private var writes: [ReplicaID: [PackChange]] = [:]
  private var count = 0

  init(_ merge: Merge) { self.merge = merge }

  /// The rows that follow are of this table.
  func begin(_ shape: SnapshotShape, _ table: Int64, _ columns: [Int64]) throws {
    try merge.readNames()
    self.shape = shape
    self.table = table
    self.columns = columns
  }

  func join(_ row: SnapshotRow) throws {
    if row.cells.contains(where: { $0 != nil && $0?.value == nil }) {
      merge.join(row.state(columns), into: RowKey(table: table, key: KeyCodec.encode(row.key)))
      return
    }
    var columns: [Stamp: [ColumnValue]] = [:]
    for (name, cell) in zip(shape.columns, row.cells) {
      guard let cell, let value = cell.value else { continue }
      columns[cell.stamp, default: []].append(ColumnValue(name: name, value: value))
    }
    if let inserted = row.inserted {
      add(.insert, row.key, columns.removeValue(forKey: inserted) ?? [], at: inserted)
    }
    if let deleted = row.deleted { add(.delete, row.key, [], at: deleted) }
    for (stamp, columns) in columns { add(.update, row.key, columns, at: stamp) }
    if count >= Self.batchSize { try flush() }
  }

  private func add(_ operation: Change.Operation, _ key: [SQLValue], _ columns: [ColumnValue], at stamp: Stamp) {
    writes[stamp.replica, default: []].append(
      PackChange(time: stamp.time, table: shape.table, key: key, operation: operation, columns: columns))
    count += 1
  }

  private func flush() throws {
    let transactions = writes.map { replica, changes in
      ForeignTransaction(
        replica: replica, transaction: PackTransaction(number: 0, time: HybridTime(rawValue: 0), changes: changes))
    }
    try merge.add(transactions[...])
    writes = [:]
    count = 0
  }

  func finish() throws -> MergeCount {
    try flush()
    return try merge.finish()
  }
}
