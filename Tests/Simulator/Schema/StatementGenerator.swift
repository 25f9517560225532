import DimpleTestSupport

/// Random statements for a schema: plain ones, such as meet each other on the same keys and unique values, and such as fail.
struct StatementGenerator {
  let schema: SimulatedSchema

  /// SQL that an app of that version may run.
  func statement(version: Int, _ random: inout SeededRandom) -> String {
    schema.spelled(plainStatement(version: version, &random), in: version)
  }

  private func plainStatement(version: Int, _ random: inout SeededRandom) -> String {
    let known = schema.tables.filter { $0.version <= version }
    guard let table = random.pick(known) else { return "SELECT 1" }
    switch random.below(24) {
    case 0...6: return insert("INSERT", table, version, &random)
    case 7: return insert("INSERT OR REPLACE", table, version, &random)
    case 8: return insert("INSERT OR IGNORE", table, version, &random)
    case 9, 10: return upsert(table, version, &random)
    case 11...16: return update("UPDATE", table, version, &random) + " WHERE " + row(table, &random)
    case 17: return update("UPDATE OR REPLACE", table, version, &random) + " WHERE " + row(table, &random)
    case 18:
      return update("UPDATE OR IGNORE", table, version, &random)
        + (random.oneIn(2) ? "" : " WHERE " + any(table, version, &random))
    case 19: return rekey(table, &random)
    case 20: return "DELETE FROM \(table.name) WHERE \(any(table, version, &random))"
    default: return "DELETE FROM \(table.name) WHERE \(row(table, &random))"
    }
  }

  /// Many rows in one statement.
  func bulk(version: Int, rows: Int, _ random: inout SeededRandom) -> String {
    let tables = schema.tables.filter { $0.version <= version && $0.hasIntegerKey }
    guard let table = random.pick(tables) else { return statement(version: version, &random) }
    let first = 1000 + random.below(3) * 20
    let columns = table.columns(in: version).dropFirst().filter { column in
      table.columns[column].isNotNull && table.columns[column].fallback == nil || random.oneIn(2)
    }
    let names = ([0] + columns).map { table.columns[$0].name }.joined(separator: ", ")
    let values = (["i"] + columns.map { literal(table.columns[$0], &random) }).joined(separator: ", ")
    let sql = """
      INSERT OR IGNORE INTO \(table.name)(\(names)) WITH RECURSIVE n(i) AS \
      (VALUES (\(first)) UNION ALL SELECT i + 1 FROM n WHERE i < \(first + rows)) SELECT \(values) FROM n
      """
    return schema.spelled(sql, in: version)
  }

  private func insert(
    _ verb: String, _ table: SimulatedSchema.Table, _ version: Int, _ random: inout SeededRandom
  ) -> String {
    let columns = table.columns(in: version).filter { $0 < table.keyCount || !random.oneIn(5) }
    let names = schema.names(columns, in: table)
    let values = columns.map { literal(table.columns[$0], isKey: $0 < table.keyCount, &random) }
    return "\(verb) INTO \(table.name)(\(names)) VALUES (\(values.joined(separator: ", ")))"
  }

  private func upsert(_ table: SimulatedSchema.Table, _ version: Int, _ random: inout SeededRandom) -> String {
    let key = schema.names(Array(0..<table.keyCount), in: table)
    let rest = table.columns(in: version).filter { $0 >= table.keyCount }
    let column = random.pick(rest).map { table.columns[$0] }
    let action = column.map { "UPDATE SET \($0.name) = \(literal($0, &random))" } ?? "NOTHING"
    return insert("INSERT", table, version, &random) + " ON CONFLICT (\(key)) DO \(action)"
  }

  private func update(
    _ verb: String, _ table: SimulatedSchema.Table, _ version: Int, _ random: inout SeededRandom
  ) -> String {
    var columns = table.columns(in: version).filter { $0 >= table.keyCount }
    columns.shuffle(using: &random)
    let chosen = columns.prefix(1 + random.below(2)).map { table.columns[$0] }
    if chosen.isEmpty { return "\(verb) \(table.name) SET \(table.columns[0].name) = \(table.columns[0].name)" }
    let assignments = chosen.map { "\($0.name) = \(literal($0, &random))" }
    return "\(verb) \(table.name) SET \(assignments.joined(separator: ", "))"
  }

  private func rekey(_ table: SimulatedSchema.Table, _ random: inout SeededRandom) -> String {
    let column = table.columns[random.below(table.keyCount)]
    return "UPDATE OR IGNORE \(table.name) SET \(column.name) = \(literal(column, isKey: true, &random)) WHERE "
      + row(table, &random)
  }

  // MARK: - Conditions and values

  private func row(_ table: SimulatedSchema.Table, _ random: inout SeededRandom) -> String {
    (0..<table.keyCount).map { index in
      "\(table.columns[index].name) = \(literal(table.columns[index], isKey: true, &random))"
    }.joined(separator: " AND ")
  }

  private func any(_ table: SimulatedSchema.Table, _ version: Int, _ random: inout SeededRandom) -> String {
    guard let index = random.pick(table.columns(in: version)) else { return "1" }
    return "\(table.columns[index].name) = \(literal(table.columns[index], isKey: true, &random))"
  }

  private func literal(
    _ column: SimulatedSchema.Column, isKey: Bool = false, _ random: inout SeededRandom
  ) -> String {
    if !isKey, random.oneIn(column.isNotNull ? 20 : 6) { return "NULL" }
    return random.pick(column.values) ?? "NULL"
  }
}
