import DimpleStore
import DimpleSync

/// Compares what a database shows and holds with the reckoning: nothing is lost, nothing appears that nobody wrote, and
/// whatever differs has its reason.
struct ReckoningCheck {
  let reckoning: Reckoning
  let schema: SimulatedSchema
  /// What the newest version of the app shows: values by column, by table and key.
  private var shown: [Reckoning.RowID: [String: SQLValue]] = [:]
  private var held: [Reckoning.RowID: HeldRow.Reason] = [:]
  private var fallbacks: [String: SQLValue] = [:]

  init(_ reckoning: Reckoning, _ schema: SimulatedSchema, _ database: Database) throws {
    self.reckoning = reckoning
    self.schema = schema
    for row in try database.heldRows() {
      held[Reckoning.RowID(table: schema.original(row.table), key: row.key)] = row.reason
    }
    for table in schema.tables {
      for column in table.columns {
        let literal = column.fallback ?? "NULL"
        fallbacks["\(table.name).\(column.name)"] = try database.rows("SELECT \(raw: literal)").first?[0] ?? .null
      }
      let name = schema.spelled(table.name, in: SimulatedSchema.newestVersion)
      for row in try database.rows("SELECT * FROM \(raw: name)") {
        let key = (0..<table.keyCount).map { row[table.columns[$0].name] }
        let values = row.dictionary.map { (schema.original($0), $1) }
        shown[Reckoning.RowID(table: table.name, key: key)] = Dictionary(values) { first, _ in first }
      }
    }
  }

  var rowCount: Int { shown.count }

  func run() throws {
    for table in schema.tables {
      for (id, row) in reckoning.rows where id.table == table.name && row.isAlive { try checkAlive(id, row, table) }
    }
    for (id, values) in shown {
      guard let table = schema.tables.first(where: { $0.name == id.table }) else { continue }
      guard let row = reckoning.rows[id] else { throw SimulationFailure("a row that nobody wrote", "\(id)") }
      if !row.isAlive { try checkKept(id, values, table) }
    }
    for (id, reason) in held where reckoning.rows[id]?.isAlive != true {
      throw SimulationFailure("a row is held that does not live", "\(id): \(reason)")
    }
  }

  // MARK: - The living

  private func checkAlive(
    _ id: Reckoning.RowID, _ row: Reckoning.Row, _ table: SimulatedSchema.Table
  ) throws {
    let wish = wish(id, row, table)
    guard let values = shown[id] else {
      guard let reason = held[id] else { throw SimulationFailure("a row is lost", "\(id): \(row)") }
      guard explains(reason, id, row, wish, table) else {
        throw SimulationFailure("a row is held for no reason", "\(id): \(reason); \(wish)")
      }
      return
    }
    if let reason = held[id] { throw SimulationFailure("a row is shown and held", "\(id): \(reason)") }
    for column in table.columns.dropFirst(table.keyCount) {
      let (value, expected) = (values[column.name] ?? .null, wish[column.name] ?? .null)
      if value == expected || isNulled(column.name, value, wish, table) { continue }
      throw SimulationFailure("a value is lost", "\(id).\(column.name) is \(value), was written as \(expected)")
    }
  }

  private func wish(
    _ id: Reckoning.RowID, _ row: Reckoning.Row, _ table: SimulatedSchema.Table
  ) -> [String: SQLValue] {
    var wish: [String: SQLValue] = [:]
    for (index, column) in table.columns.enumerated() {
      guard index >= table.keyCount else {
        wish[column.name] = id.key[index]
        continue
      }
      let fallback = fallbacks["\(table.name).\(column.name)"] ?? .null
      let value = row.value(column.name) ?? fallback
      wish[column.name] = value == .null && column.isNotNull ? fallback : value
    }
    return wish
  }

  /// A SET NULL reference whose parent is not shown.
  private func isNulled(
    _ column: String, _ value: SQLValue, _ wish: [String: SQLValue], _ table: SimulatedSchema.Table
  ) -> Bool {
    value == .null
      && table.foreignKeys.contains { key in
        key.onDelete == "SET NULL" && key.columns.contains { table.columns[$0].name == column }
          && !hasParent(key, wish, table)
      }
  }

  private func hasParent(
    _ key: SimulatedSchema.ForeignKey, _ values: [String: SQLValue], _ table: SimulatedSchema.Table
  ) -> Bool {
    let parent = schema.tables[key.parent]
    return shown.contains { id, row in
      id.table == parent.name && refers(key, values, table, to: row, in: parent)
    }
  }

  private func refers(
    _ key: SimulatedSchema.ForeignKey, _ values: [String: SQLValue], _ table: SimulatedSchema.Table,
    to row: [String: SQLValue], in parent: SimulatedSchema.Table
  ) -> Bool {
    zip(key.columns, key.parentColumns).allSatisfy { child, target in
      let column = parent.columns[target]
      return equal(values[table.columns[child].name] ?? .null, row[column.name] ?? .null, column.collation)
    }
  }

  /// As SQLite's `=`.
  private func equal(_ left: SQLValue, _ right: SQLValue, _ collation: String?) -> Bool {
    switch (left, right) {
    case (.null, _), (_, .null): return false
    case (.integer(let a), .real(let b)): return Double(a) == b
    case (.real(let a), .integer(let b)): return a == Double(b)
    case (.real(let a), .real(let b)): return a == b
    case (.text(let a), .text(let b)): return fold(a, collation) == fold(b, collation)
    default: return left == right
    }
  }

  private func fold(_ text: String, _ collation: String?) -> String {
    switch collation {
    case "NOCASE": return text.lowercased()
    case "RTRIM":
      var text = text
      while text.hasSuffix(" ") { text.removeLast() }
      return text
    default: return text
    }
  }

  // MARK: - Reasons

  private func explains(
    _ reason: HeldRow.Reason, _ id: Reckoning.RowID, _ row: Reckoning.Row, _ wish: [String: SQLValue],
    _ table: SimulatedSchema.Table
  ) -> Bool {
    switch reason {
    case .missingValue: return table.columns.contains { $0.isNotNull && wish[$0.name] == .null }
    case .checkFailed: return table.columns.contains { $0.check != nil }
    case .notUnique: return hasEarlierRival(id, row, wish, table)
    case .missingParent:
      return table.foreignKeys.contains { key in
        key.columns.allSatisfy { wish[table.columns[$0].name] != .null } && !hasParent(key, wish, table)
      }
    default: return false
    }
  }

  /// A row that may claim the value first: alive and inserted earlier.
  private func hasEarlierRival(
    _ id: Reckoning.RowID, _ row: Reckoning.Row, _ values: [String: SQLValue], _ table: SimulatedSchema.Table
  ) -> Bool {
    let keys = [Array(0..<table.keyCount)] + table.uniques
    return reckoning.rows.contains { other, rival in
      guard other.table == id.table, other != id, rival.isAlive, let theirs = rival.inserted, let mine = row.inserted,
        theirs <= mine
      else { return false }
      let wish = wish(other, rival, table)
      let isSame = keys.contains { columns in
        columns.allSatisfy { index in
          let column = table.columns[index]
          return equal(values[column.name] ?? .null, wish[column.name] ?? .null, column.collation)
        }
      }
      return isSame || table.uniqueIndexes.contains { meet(values, wish, in: $0, table) }
    }
  }

  private func meet(
    _ values: [String: SQLValue], _ others: [String: SQLValue], in index: SimulatedSchema.UniqueIndex,
    _ table: SimulatedSchema.Table
  ) -> Bool {
    if let absent = index.absent {
      let name = table.columns[absent].name
      guard values[name] == .null, others[name] == .null else { return false }
    }
    let column = table.columns[index.column]
    // What a function returns has no collation, and these are lower-case letters.
    let collation = index.isFolded ? "NOCASE" : column.collation
    return equal(values[column.name] ?? .null, others[column.name] ?? .null, collation)
  }

  // MARK: - The dead

  /// A dead row may be shown only while a shown row refers to it in a way that would have forbidden its delete.
  private func checkKept(
    _ id: Reckoning.RowID, _ values: [String: SQLValue], _ table: SimulatedSchema.Table
  ) throws {
    guard let position = schema.tables.firstIndex(where: { $0.name == id.table }) else { return }
    for child in schema.tables {
      for key in child.foreignKeys where key.parent == position && ["NO ACTION", "RESTRICT"].contains(key.onDelete) {
        let isReferredTo = shown.contains { other, row in
          other.table == child.name && other != id && refers(key, row, child, to: values, in: table)
        }
        if isReferredTo { return }
      }
    }
    throw SimulationFailure("a deleted row is shown", "\(id)")
  }
}
