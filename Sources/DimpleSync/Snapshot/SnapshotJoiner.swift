internal import DimpleChangelog
internal import DimpleStore

/// Merges rows of a snapshot into tables that have rows: each as the writes that its state is made of, which the merge takes
/// like any others.
final class SnapshotJoiner {
  private static let batchSize = 20_000
  /// Of large values, in bytes, unless a single one is larger.
  private static let batchBytes = 32 << 20

  private let merge: Merge
  private var shape = SnapshotShape(table: "", columns: [])
  private var table: Int64 = 0
  private var columns: [Int64] = []
  private var writes: [ReplicaID: [PackChange]] = [:]
  private var count = 0
  private var bytes = 0

  init(_ merge: Merge) { self.merge = merge }

  /// The rows that follow are of this table.
  func begin(_ shape: SnapshotShape) throws {
    self.shape = shape
    (table, columns) = try merge.numbers(ofTable: shape.table, columns: shape.columns)
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
      bytes += BigReference.byteCount(of: value)
    }
    if let inserted = row.inserted {
      add(.insert, row.key, columns.removeValue(forKey: inserted) ?? [], at: inserted)
    }
    if let deleted = row.deleted { add(.delete, row.key, [], at: deleted) }
    for (stamp, columns) in columns { add(.update, row.key, columns, at: stamp) }
    if count >= Self.batchSize || bytes >= Self.batchBytes { try flush() }
  }

  private func add(_ operation: Change.Operation, _ key: [SQLValue], _ columns: [ColumnValue], at stamp: Stamp) {
    writes[stamp.replica, default: []].append(
      PackChange(time: stamp.time, table: shape.table, key: key, operation: operation, columns: columns))
    count += 1
  }

  private func flush() throws {
    let batch = ChangeBatch()
    for (replica, changes) in writes { try merge.append(changes, by: replica, to: batch) }
    try merge.add(batch)
    writes = [:]
    (count, bytes) = (0, 0)
  }

  func finish() throws -> MergeCount {
    try flush()
    return try merge.finish()
  }
}
