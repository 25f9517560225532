import DimpleChangelog
import DimpleStore

/// What all commits together must come to, computed from the devices' own logs in the plainest way, with none of the
/// engine's code: per row a life, per column the last write.
struct Reckoning {
  struct RowID: Hashable {
    var table: String
    var key: [SQLValue]
  }

  struct Row {
    var inserted: Stamp?
    var deleted: Stamp?
    var cells: [String: (stamp: Stamp, value: SQLValue)] = [:]
    /// A write outlives a delete that is older than it.
    var updateRevives = false

    var isAlive: Bool {
      guard let inserted else { return false }
      guard let deleted, inserted < deleted else { return true }
      return updateRevives && cells.values.contains { deleted < $0.stamp }
    }

    /// What a column holds; `nil` where nobody wrote it in this life.
    func value(_ column: String) -> SQLValue? {
      guard let cell = cells[column] else { return nil }
      if let inserted, let deleted, deleted < inserted, cell.stamp < deleted { return nil }
      return cell.value
    }
  }

  private(set) var rows: [RowID: Row] = [:]
  /// Everything that anybody ever wrote, by table and column.
  private(set) var written: [String: Set<SQLValue>] = [:]

  private let reviving: Set<String>

  /// - Parameter reviving: The tables in which a write outlives an older delete.
  init(_ changes: [Change], reviving: Set<String>) {
    self.reviving = reviving
    for change in changes { take(change) }
  }

  private mutating func take(_ change: Change) {
    var row = rows[RowID(table: change.table, key: change.key)] ?? Row(updateRevives: reviving.contains(change.table))
    switch change.operation {
    case .insert: row.inserted = row.inserted.map { max($0, change.stamp) } ?? change.stamp
    case .delete: row.deleted = row.deleted.map { max($0, change.stamp) } ?? change.stamp
    case .update: break
    }
    if change.operation != .delete {
      for column in change.columns {
        written["\(change.table).\(column.name)", default: []].insert(column.value)
        if let cell = row.cells[column.name], change.stamp < cell.stamp { continue }
        row.cells[column.name] = (change.stamp, column.value)
      }
    }
    rows[RowID(table: change.table, key: change.key)] = row
  }
}
