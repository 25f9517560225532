import DimpleChangelog
import DimpleStore
import DimpleTestSupport
import Testing

@Suite("The log stays whole while the schema changes")
struct RandomSchemaTests {
  @Test("Random schema changes, rebuilds and writes, parts of them undone: the log folds to the tables")
  func randomChanges() throws {
    let first = UInt64.random(in: 0...UInt64.max)
    for number in 0..<25 { try run(seed: first &+ UInt64(number)) }
  }

  private func run(seed: UInt64) throws {
    let t = try TrackedDatabase()
    try t.beginSync()
    var changes = RandomSchema(seed: seed)
    /// Each transaction as it looked when it was committed.
    var committed: [String] = []
    for _ in 0..<25 {
      let before = changes
      let last = try t.lastTransaction
      do {
        try t.database.write { connection in
          for _ in 0..<1 + changes.random.below(4) {
            let saved = changes
            do {
              try connection.savepoint {
                try changes.step(connection)
                if changes.random.oneIn(6) { throw Stop() }
              }
            } catch is Stop { changes.goBack(to: saved) }
          }
          if changes.random.oneIn(8) { throw Stop() }
        }
      } catch is Stop { changes.goBack(to: before) }
      committed += try t.log(after: last)
    }
    #expect(try t.sent() == committed, "seed \(seed)")
    try compare(t, changes.tables.map(\.name), seed)
    let numbers = try t.changes().map(\.transaction)
    #expect(numbers.last.map { Set(numbers) == Set(1...$0) && numbers == numbers.sorted() } ?? true, "seed \(seed)")
  }

  /// What the log says of every row, against the tables.
  private func compare(_ t: TrackedDatabase, _ tables: [String], _ seed: UInt64) throws {
    var folded: [String: [[SQLValue]: [String: SQLValue]]] = [:]
    for change in try t.changes() {
      let columns = Dictionary(uniqueKeysWithValues: change.columns.map { ($0.name, $0.value) })
      switch change.operation {
      case .insert: folded[change.table, default: [:]][change.key] = columns
      case .update: folded[change.table]?[change.key]?.merge(columns) { $1 }
      case .delete: folded[change.table]?[change.key] = nil
      }
    }
    let tracked = try t.database.read { try t.changelog.trackedTables($0) }
    #expect(tracked.map(\.name) == tables.sorted(), "seed \(seed)")
    for table in tracked {
      let names = table.columns.map { ", " + SQL.quoted(identifier: $0.name) }.joined()
      let rows = try t.database.read { try $0.rows(SQL(raw: "SELECT id\(names) FROM \(table.name)")) }
      let log = folded[table.name] ?? [:]
      #expect(Set(log.keys) == Set(rows.map { [$0[0]] }), "table \(table.name), seed \(seed)")
      for row in rows {
        for (index, column) in table.columns.enumerated() {
          // A column added since has its default, which the log does not repeat.
          let expected = log[[row[0]]]?[column.name] ?? (column.defaultSQL == nil ? .null : .integer(7))
          #expect(row[index + 1] == expected, "\(table.name).\(column.name), seed \(seed)")
        }
      }
    }
  }
}

/// Random changes to a schema of its own, which it remembers. No name is used twice.
private struct RandomSchema {
  struct Table {
    var name: String
    /// With or without `DEFAULT 7`.
    var columns: [(name: String, hasDefault: Bool)]

    var declaration: String {
      "(id PRIMARY KEY" + columns.map { ", \($0.name)" + ($0.hasDefault ? " DEFAULT 7" : "") }.joined() + ")"
    }
  }

  var random: SeededRandom
  private(set) var tables: [Table] = []
  private var names = 0

  init(seed: UInt64) { random = SeededRandom(seed: seed) }

  /// The schema as it was; chance and names go on.
  mutating func goBack(to earlier: RandomSchema) { tables = earlier.tables }

  private mutating func name(_ prefix: String) -> String {
    names += 1
    return "\(prefix)\(names)"
  }

  mutating func step(_ connection: Connection) throws {
    guard !tables.isEmpty, !(tables.count < 4 && random.oneIn(8)) else {
      let table = Table(
        name: name("T"), columns: (0..<random.below(4)).map { _ in (name("c"), random.oneIn(2)) })
      tables.append(table)
      return try connection.script(SQL(raw: "CREATE TABLE \(table.name)\(table.declaration)"))
    }
    let index = random.below(tables.count)
    switch random.below(14) {
    case 0:
      let new = name("T")
      try connection.script(SQL(raw: "ALTER TABLE \(tables[index].name) RENAME TO \(new)"))
      tables[index].name = new
    case 1:
      let column = (name: name("c"), hasDefault: random.oneIn(2))
      tables[index].columns.append(column)
      let suffix = column.hasDefault ? " DEFAULT 7" : ""
      try connection.script(SQL(raw: "ALTER TABLE \(tables[index].name) ADD COLUMN \(column.name)\(suffix)"))
    case 2 where !tables[index].columns.isEmpty:
      let column = random.below(tables[index].columns.count)
      let (old, new) = (tables[index].columns[column].name, name("c"))
      try connection.script(SQL(raw: "ALTER TABLE \(tables[index].name) RENAME COLUMN \(old) TO \(new)"))
      tables[index].columns[column].name = new
    case 3 where !tables[index].columns.isEmpty:
      let column = tables[index].columns.remove(at: random.below(tables[index].columns.count))
      try connection.script(SQL(raw: "ALTER TABLE \(tables[index].name) DROP COLUMN \(column.name)"))
    case 4:
      try connection.script(SQL(raw: "DROP TABLE \(tables.remove(at: index).name)"))
    case 5, 6: try rebuild(index, connection)
    default: try write(tables[index], connection)
    }
  }

  /// With a column less, one more, or other values in one.
  private mutating func rebuild(_ index: Int, _ connection: Connection) throws {
    let old = tables[index]
    var new = old
    if random.oneIn(3), !new.columns.isEmpty { new.columns.removeLast() }
    var values = new.columns.map(\.name)
    if random.oneIn(3), !values.isEmpty { values[0] = "CASE id % 2 WHEN 0 THEN \(values[0]) ELSE 'rebuilt' END" }
    if random.oneIn(3) {
      new.columns.append((name("c"), true))
      values.append("7 + (id = 3)")
    }
    let copy = "SELECT \((["id"] + values).joined(separator: ", ")) FROM"
    let other = name("T")
    if random.oneIn(2) {
      try connection.script(
        SQL(
          raw: """
            CREATE TABLE \(other)\(new.declaration); INSERT INTO \(other) \(copy) \(old.name);
            DROP TABLE \(old.name); ALTER TABLE \(other) RENAME TO \(old.name);
            """))
    } else {
      try connection.script(
        SQL(
          raw: """
            ALTER TABLE \(old.name) RENAME TO \(other); CREATE TABLE \(old.name)\(new.declaration);
            INSERT INTO \(old.name) \(copy) \(other); DROP TABLE \(other);
            """))
    }
    tables[index] = new
  }

  private mutating func write(_ table: Table, _ connection: Connection) throws {
    let id = random.below(8)
    let names = (["id"] + table.columns.map(\.name)).joined(separator: ", ")
    switch random.below(4) {
    case 0: try connection.script(SQL(raw: "DELETE FROM \(table.name) WHERE id = \(id)"))
    case 1:
      try connection.script(SQL(raw: "UPDATE OR REPLACE \(table.name) SET id = \(random.below(8)) WHERE id = \(id)"))
    case 2 where !table.columns.isEmpty:
      let column = table.columns[random.below(table.columns.count)].name
      try connection.script(SQL(raw: "UPDATE \(table.name) SET \(column) = \(random.below(4)) WHERE id >= \(id)"))
    default:
      let values = ([id] + table.columns.map { _ in random.below(9) }).map(String.init).joined(separator: ", ")
      try connection.script(SQL(raw: "REPLACE INTO \(table.name)(\(names)) VALUES (\(values))"))
    }
  }
}
