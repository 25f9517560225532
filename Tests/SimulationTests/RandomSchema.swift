import DimpleStore
import DimpleTestSupport

/// A random schema with constraints of every kind, and random statements for it. Keys and values come from small pools, so that
/// replicas meet on the same rows, the same unique values and the same parents.
struct RandomSchema {
  struct Column {
    var name: String
    var values: Values
    var declaration: String
  }

  /// Where a column's values come from.
  enum Values {
    case numbers(Int)
    case texts
    case mixed
  }

  struct Table {
    var name: String
    var key: [Column]
    var columns: [Column]
    /// Foreign keys and table constraints.
    var constraints: [String]
    var suffix: String

    var all: [Column] { key + columns }
  }

  private(set) var tables: [Table] = []
  private(set) var indexes: [String] = []
  /// Tables in which updates revive.
  private(set) var revived: Set<String> = []
  private var random: SeededRandom

  init(seed: UInt64) {
    random = SeededRandom(seed: seed)
    for number in 0..<2 + random.below(3) { addTable(number) }
    for index in tables.indices { addReferences(index) }
    for index in tables.indices where random.oneIn(2) { addIndex(index) }
    for table in tables where random.oneIn(4) { revived.insert(table.name) }
  }

  var sql: String {
    let creations = tables.map { table in
      let parts = table.all.map { "\($0.name) \($0.declaration)" } + generated(table) + table.constraints
      return "CREATE TABLE \(table.name) (\(parts.joined(separator: ", ")))\(table.suffix);"
    }
    return (creations + indexes).joined(separator: "\n")
  }

  private func generated(_ table: Table) -> [String] {
    guard let column = table.columns.first, table.name.hasSuffix("1") else { return [] }
    let type = table.suffix.contains("STRICT") ? "TEXT" : ""
    return ["made \(type) GENERATED ALWAYS AS (\(column.name) || '!') VIRTUAL"]
  }

  private mutating func addTable(_ number: Int) {
    let isStrict = random.oneIn(3)
    let isComposite = random.oneIn(3)
    var key: [Column] = []
    for part in 0..<(isComposite ? 2 : 1) {
      let isNumber = random.oneIn(2)
      let collation = !isNumber && random.oneIn(4) ? " COLLATE NOCASE" : ""
      key.append(
        Column(
          name: "k\(part)", values: isNumber ? .numbers(4) : .texts,
          declaration: "\(isNumber ? "INTEGER" : "TEXT") NOT NULL\(collation)"))
    }
    var table = Table(name: "T\(number)", key: key, columns: [], constraints: [], suffix: "")
    table.constraints.append("PRIMARY KEY (\(key.map(\.name).joined(separator: ", ")))")
    for position in 0..<1 + random.below(3) { table.columns.append(column("c\(position)", isStrict)) }
    if random.oneIn(3), table.columns.count > 1 { table.constraints.append("UNIQUE (c0, c1)") }
    table.suffix = [random.oneIn(3) ? "WITHOUT ROWID" : nil, isStrict ? "STRICT" : nil].compactMap { $0 }
      .joined(separator: ", ")
    tables.append(table)
  }

  private mutating func column(_ name: String, _ isStrict: Bool) -> Column {
    let kind = random.below(3)
    let type = ["INTEGER", "TEXT", isStrict ? "ANY" : ""][kind]
    var declaration = type
    if random.oneIn(4) { declaration += " NOT NULL DEFAULT \(kind == 1 ? "'n'" : "1")" }
    if random.oneIn(4) { declaration += " UNIQUE" }
    if random.oneIn(5) { declaration += kind == 1 ? " CHECK (\(name) <> 'c')" : " CHECK (\(name) IS NOT 2)" }
    if kind == 1 { declaration += ["", " COLLATE NOCASE", " COLLATE RTRIM"][random.below(3)] }
    return Column(name: name, values: [.numbers(4), .texts, .mixed][kind], declaration: declaration)
  }

  private mutating func addReferences(_ index: Int) {
    for number in 0..<random.below(3) {
      let parent = tables[random.below(tables.count)]
      var names: [String] = []
      for (part, key) in parent.key.enumerated() {
        let name = "r\(number)\(part)"
        let type = key.declaration.prefix { $0 != " " }
        tables[index].columns.append(Column(name: name, values: key.values, declaration: "\(type) DEFAULT NULL"))
        names.append(name)
      }
      let action = ["", "ON DELETE CASCADE", "ON DELETE SET NULL", "ON DELETE RESTRICT", "ON DELETE SET DEFAULT"]
      let target = parent.key.map(\.name).joined(separator: ", ")
      tables[index].constraints.append(
        "FOREIGN KEY (\(names.joined(separator: ", "))) REFERENCES \(parent.name)(\(target)) "
          + "\(action[random.below(5)]) DEFERRABLE INITIALLY DEFERRED")
    }
  }

  private mutating func addIndex(_ index: Int) {
    let table = tables[index]
    let isUnique = !random.oneIn(3)
    let other = table.all[random.below(table.all.count)].name
    let hasMade = !generated(table).isEmpty
    let terms = [
      "c0", "c0 COLLATE NOCASE DESC", "lower(c0)", "(c0 || coalesce(\(other), '-'))", hasMade ? "made" : "trim(c0)",
      "coalesce(c0, 'none'), \(other)",
    ]
    let conditions = [
      "", "", " WHERE \(other) IS NULL", " WHERE c0 > 'a'", " WHERE \(other) IS NOT NULL AND c0 <> 1",
      " WHERE c0 IN (1, 'a', '1') -- (not all",
    ]
    indexes.append(
      "CREATE \(isUnique ? "UNIQUE " : "")INDEX I\(index) ON \(table.name)(\(terms[random.below(terms.count)]))"
        + "\(conditions[random.below(conditions.count)])\n;")
  }

  // MARK: - Statements

  func statement(_ random: inout SeededRandom) -> SQL {
    let table = tables[random.below(tables.count)]
    let condition = table.key.map { "\($0.name) = \(literal($0.values, &random))" }.joined(separator: " AND ")
    switch random.below(8) {
    case 0, 1, 2: return insert(table, "INSERT", &random)
    case 3: return insert(table, ["INSERT OR REPLACE", "INSERT OR IGNORE"][random.below(2)], &random)
    case 4, 5, 6:
      let column = table.columns[random.below(table.columns.count)]
      let value = literal(column.values, &random)
      return SQL(raw: "UPDATE \(table.name) SET \(column.name) = \(value) WHERE \(condition)")
    default: return SQL(raw: "DELETE FROM \(table.name) WHERE \(condition)")
    }
  }

  private func insert(_ table: Table, _ verb: String, _ random: inout SeededRandom) -> SQL {
    let columns = table.key + table.columns.filter { _ in !random.oneIn(4) }
    let values = columns.map { literal($0.values, &random, isKey: $0.name.hasPrefix("k")) }
    return SQL(
      raw: "\(verb) INTO \(table.name) (\(columns.map(\.name).joined(separator: ", "))) "
        + "VALUES (\(values.joined(separator: ", ")))")
  }

  private func literal(_ values: Values, _ random: inout SeededRandom, isKey: Bool = false) -> String {
    if !isKey, random.oneIn(6) { return "NULL" }
    switch values {
    case .numbers(let count): return String(random.below(count))
    case .texts: return ["'a'", "'A'", "'b'", "'b '", "'c'", "''"][random.below(6)]
    case .mixed: return ["1", "1.0", "'1'", "x'31'", "'a'", "2"][random.below(6)]
    }
  }
}
