internal import DimpleStore

/// Writes a plan, as any write of the app's: tracked, and under the schema's constraints.
struct UndoWriter {
  /// A trigger of the app's that writes the same rows is answered so many times.
  private static let rounds = 3

  let connection: Connection
  let tables: [Int64: TrackedTable]

  func run(_ plan: UndoPlan) throws {
    // A reference may be broken until all is written: https://sqlite.org/pragma.html#pragma_defer_foreign_keys
    try connection.withInternalAccess { try connection.script("PRAGMA defer_foreign_keys = ON") }
    for write in plan.writes { try run(write) }
    for _ in 0..<Self.rounds {
      if try settle(plan) { return }
    }
  }

  /// Makes the rows what they should be, where a foreign key's action or a trigger has changed them.
  ///
  /// - Returns: Whether they were.
  private func settle(_ plan: UndoPlan) throws -> Bool {
    var isSettled = true
    for (id, wanted) in plan.rows {
      guard let table = tables[id.table] else { continue }
      let now = try CurrentRow(table, connection).values(id.key)
      switch (now, wanted) {
      case (nil, nil): continue
      case (nil, let wanted?): try run(.insert(id, wanted))
      case (_?, nil): try run(.delete(id))
      case (let now?, let wanted?):
        let changed = wanted.filter { now[$0.key] != $0.value }
        if changed.isEmpty { continue }
        try run(.update(id, changed))
      }
      isSettled = false
    }
    return isSettled
  }

  private func run(_ write: UndoPlan.Write) throws {
    switch write {
    case .delete(let id):
      try execute(id) { table in SQL(raw: "DELETE FROM \(name(table))") + key(id, table) }
    case .insert(let id, let values):
      try execute(id) { table in
        let columns = table.columns.filter { values[$0.id] != nil }
        let bindings = id.key + columns.compactMap { values[$0.id] }
        return SQL(raw: PastTable(table).insertion(table.keyColumns + columns), bindings: bindings)
      }
    case .update(let id, let values):
      if values.isEmpty { return }
      try execute(id) { table in update(table, assignments(values, table)) + key(id, table) }
    case .rekey(let from, let to, let values):
      try execute(from) { table in
        let keys = zip(table.keyColumns, to.key).map { column, value in assignment(column, value) }
        return update(table, keys + assignments(values, table)) + key(from, table)
      }
    }
  }

  private func execute(_ id: RowID, _ sql: (TrackedTable) -> SQL) throws {
    guard let table = tables[id.table] else { return }
    try connection.execute(sql(table))
  }

  private func name(_ table: TrackedTable) -> String { SQL.quoted(identifier: table.name) }

  private func update(_ table: TrackedTable, _ assignments: [SQL]) -> SQL {
    SQL(raw: "UPDATE \(name(table)) SET ") + assignments.joined(separator: ", ")
  }

  private func assignments(_ values: [Int64: SQLValue], _ table: TrackedTable) -> [SQL] {
    table.columns.compactMap { column in values[column.id].map { assignment(column, $0) } }
  }

  private func assignment(_ column: TrackedColumn, _ value: SQLValue) -> SQL {
    SQL(raw: "\(SQL.quoted(identifier: column.name)) = ?", bindings: [value])
  }

  private func key(_ id: RowID, _ table: TrackedTable) -> SQL {
    let conditions = zip(table.keyColumns, id.key).map { column, value in assignment(column, value) }
    return " WHERE " + conditions.joined(separator: " AND ")
  }
}
