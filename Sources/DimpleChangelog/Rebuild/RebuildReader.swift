internal import DimpleStore

/// Compares a table with its copies, while both are there.
struct RebuildReader {
  let connection: Connection

  /// - Returns: `nil` if none of `copies` looks like one.
  func rebuild(of original: TrackedTable, copies: [TrackedTable]) throws -> Rebuild? {
    var found: [Int64: Rebuild.Copy] = [:]
    for copy in copies {
      let comparison = Comparison(original, copy)
      guard let comparison, try isCopy(comparison) else { continue }
      let differences = try writtenRows(comparison) + missingRows(comparison)
      found[copy.id] = Rebuild.Copy(table: copy, differences: differences)
    }
    return found.isEmpty ? nil : Rebuild(original: original, copies: found)
  }

  /// At least half of the original's rows are in a copy, by their keys.
  private func isCopy(_ comparison: Comparison) throws -> Bool {
    let statement = try connection.prepare(comparison.count)
    defer { statement.reset() }
    return try statement.step() && statement.int64(1) * 2 >= statement.int64(0)
  }

  private func writtenRows(_ comparison: Comparison) throws -> [Rebuild.Difference] {
    let statement = try connection.prepare(comparison.written)
    defer { statement.reset() }
    var differences: [Rebuild.Difference] = []
    while try statement.step() {
      var index: Int32 = 0
      func take(_ count: Int) -> [SQLValue] {
        defer { index += Int32(count) }
        return (0..<count).map { statement.value(index + Int32($0)) }
      }
      let keyCount = comparison.keys.count
      let (newKey, oldKey) = (take(keyCount), take(keyCount))
      let (new, old) = (take(comparison.shared.count), take(comparison.shared.count))
      let (added, isDefault) = (take(comparison.added.count), take(comparison.added.count))
      let shared = zip(comparison.shared, new).map { ColumnValue(name: $0.name, value: $1) }
      let extra = zip(comparison.added, added).map { ColumnValue(name: $0.name, value: $1) }
      if newKey == oldKey {
        let changed =
          zip(shared, old).filter { $0.value != $1 }.map(\.0)
          + zip(extra, isDefault).filter { $1 != .integer(1) }.map(\.0)
        if !changed.isEmpty { differences.append(.init(operation: .update, key: newKey, columns: changed)) }
      } else {
        // Only the collation took the two keys for one.
        if oldKey.first != .null { differences.append(.init(operation: .delete, key: oldKey, columns: [])) }
        differences.append(.init(operation: .insert, key: newKey, columns: shared + extra))
      }
    }
    return differences
  }

  private func missingRows(_ comparison: Comparison) throws -> [Rebuild.Difference] {
    let statement = try connection.prepare(comparison.missing)
    defer { statement.reset() }
    var differences: [Rebuild.Difference] = []
    while try statement.step() {
      let key = comparison.keys.indices.map { statement.value(Int32($0)) }
      let columns = comparison.kept.enumerated().map { index, column in
        ColumnValue(name: column.name, value: statement.value(Int32(key.count + index)))
      }
      differences.append(.init(operation: .delete, key: key, columns: columns))
    }
    return differences
  }
}

/// The queries that compare a table with a copy of it.
private struct Comparison {
  /// The key's columns, which have the same names in both.
  let keys: [TrackedColumn]
  /// The copy's columns that the original has, and those it has not.
  let shared: [TrackedColumn]
  let added: [TrackedColumn]
  /// What a delete logs of the original.
  let kept: [TrackedColumn]
  private let original: String
  private let copy: String

  /// - Returns: `nil` for tables with different keys, which are different tables.
  init?(_ original: TrackedTable, _ copy: TrackedTable) {
    guard original.keyColumns.map({ SQLName($0.name) }) == copy.keyColumns.map({ SQLName($0.name) }) else { return nil }
    let names = Set(original.columns.map { SQLName($0.name) })
    keys = copy.keyColumns
    shared = copy.columns.filter { names.contains(SQLName($0.name)) }
    added = copy.columns.filter { !names.contains(SQLName($0.name)) }
    kept = original.keepsDeletedValues ? original.columns : []
    self.original = SQL.quoted(identifier: original.name)
    self.copy = SQL.quoted(identifier: copy.name)
  }

  private var isSameKey: String { keys.map { "\(column("b", $0)) = \(column("a", $0))" }.joined(separator: " AND ") }

  private func column(_ table: String, _ column: TrackedColumn) -> String {
    "\(table).\(SQL.quoted(identifier: column.name))"
  }

  /// The original's rows, and how many of them are in the copy.
  var count: String {
    """
    SELECT (SELECT count(*) FROM \(original)), \
    (SELECT count(*) FROM \(original) AS a JOIN \(copy) AS b ON \(isSameKey))
    """
  }

  /// Keys new and old, shared columns new and old, added columns and whether they have their default.
  var written: String {
    let values =
      keys.map { column("b", $0) } + keys.map { column("a", $0) } + shared.map { column("b", $0) }
      + shared.map { column("a", $0) } + added.map { column("b", $0) }
      + added.map { "\(column("b", $0)) COLLATE BINARY IS (\($0.defaultSQL ?? "NULL"))" }
    return "SELECT \(values.joined(separator: ", ")) FROM \(copy) AS b LEFT JOIN \(original) AS a ON \(isSameKey)"
  }

  /// Keys and kept columns of the rows that the copy lacks.
  var missing: String {
    let values = (keys + kept).map { column("a", $0) }.joined(separator: ", ")
    return "SELECT \(values) FROM \(original) AS a WHERE NOT EXISTS (SELECT 1 FROM \(copy) AS b WHERE \(isSameKey))"
  }
}
