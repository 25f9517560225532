import DimpleChangelog
import DimpleStore
import DimpleTestSupport
import Testing

/// What the triggers pack and the log unpacks, for tables of random shape and rows of random values: inserts, updates,
/// changed keys and deletes come back to the bit.
@Suite("Packed and unpacked, a row is what it was")
struct PackPropertyTests {
  private struct Table {
    var key: [String]
    var columns: [String]
    var declaration: String

    init(_ random: inout SeededRandom) {
      let isStrict = random.oneIn(3)
      let types =
        isStrict ? ["ANY"] : ["", "TEXT", "INTEGER", "REAL", "BLOB", "NUMERIC", "TEXT COLLATE NOCASE", "VARCHAR(9)"]
      key = (0..<1 + random.below(random.oneIn(8) ? 31 : 4)).map { "k\($0)" }
      columns = (0..<random.below(random.oneIn(4) ? 260 : 9)).map { "c\($0)" }
      // `INTEGER` alone would be the rowid, which takes integers only.
      let keyTypes = types.filter { $0 != "INTEGER" }
      var parts = key.map { "\($0) \(random.pick(keyTypes) ?? "") NOT NULL" }
      for column in columns {
        let type = random.pick(types) ?? ""
        // Where nothing else follows, a generated column must not shift the others.
        if random.oneIn(12) { parts.append("g_\(column) \(isStrict ? "ANY" : "") AS (k0 || 'x')") }
        parts.append("\"\(column)\" \(type)\(random.oneIn(5) ? " DEFAULT 'd'" : "")")
      }
      let options = [isStrict ? "STRICT" : nil, random.oneIn(2) ? "WITHOUT ROWID" : nil].compactMap { $0 }
      declaration =
        "CREATE TABLE T(\(parts.joined(separator: ", ")), PRIMARY KEY (\(key.joined(separator: ", "))))"
        + options.joined(separator: ", ")
    }
  }

  @Test("For random tables and rows", arguments: 1...25 as ClosedRange<UInt64>)
  func randomTables(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let table = Table(&random)
    let t = try TrackedDatabase(table.declaration)
    let all = table.key + table.columns
    let names = all.map { "\"\($0)\"" }.joined(separator: ", ")
    var row = try insert(&random, t, all, table)
    for _ in 0..<12 {
      let before = try t.lastTransaction
      switch random.below(4) {
      case 0:
        try t.database.execute("DELETE FROM T")
        #expect(try t.changes(after: before).map(\.operation) == [.delete], "seed \(seed)")
        row = try insert(&random, t, all, table)
      case 1:
        // Another key, most likely.
        try t.database.execute(SQL(raw: "UPDATE T SET k0 = ?", bindings: [value(&random, isKey: true)]))
        row = try check(t, names, table, from: row, after: before, "seed \(seed)")
      default:
        guard let column = random.pick(table.columns) else { continue }
        let (other, new) = (random.pick(table.columns) ?? column, (value(&random), value(&random)))
        try t.database.execute(
          SQL(raw: "UPDATE T SET \"\(column)\" = ?, \"\(other)\" = ?", bindings: [new.0, new.1]))
        row = try check(t, names, table, from: row, after: before, "seed \(seed)")
      }
    }
  }

  private func insert(
    _ random: inout SeededRandom, _ t: TrackedDatabase, _ all: [String], _ table: Table
  ) throws -> [SQLValue] {
    let before = try t.lastTransaction
    let bindings = table.key.map { _ in value(&random, isKey: true) } + table.columns.map { _ in value(&random) }
    let names = all.map { "\"\($0)\"" }.joined(separator: ", ")
    // A statement takes more parameters than a function takes arguments.
    let marks = all.map { _ in "?" }.joined(separator: ", ")
    try t.database.execute(SQL(raw: "INSERT INTO T(\(names)) VALUES (\(marks))", bindings: bindings))
    let row = try current(t, names)
    let change = try #require(t.changes(after: before).first)
    #expect(change.operation == .insert && change.key == Array(row.prefix(table.key.count)))
    #expect(change.columns.map(\.name) == table.columns)
    #expect(change.columns.map(\.value) == Array(row.dropFirst(table.key.count)))
    return row
  }

  /// The log's changes made to the row of before are the row of now.
  private func check(
    _ t: TrackedDatabase, _ names: String, _ table: Table, from old: [SQLValue], after before: Int64, _ comment: Comment
  ) throws -> [SQLValue] {
    let row = try current(t, names)
    let changes = try t.changes(after: before)
    var key = Array(old.prefix(table.key.count))
    var values = Dictionary(uniqueKeysWithValues: zip(table.columns, old.dropFirst(table.key.count)))
    for change in changes {
      if change.operation != .insert { #expect(change.key == key, comment) }
      if change.operation == .insert { (key, values) = (change.key, [:]) }
      for column in change.columns where change.operation != .delete {
        #expect(
          change.operation == .insert || values[column.name] != column.value, "\(comment): logged without a change")
        values[column.name] = column.value
      }
    }
    #expect(key + table.columns.compactMap { values[$0] } == row, comment)
    #expect(changes.isEmpty == (old == row), comment)
    return row
  }

  private func current(_ t: TrackedDatabase, _ names: String) throws -> [SQLValue] {
    let rows = try t.database.rows(SQL(raw: "SELECT \(names) FROM T"))
    #expect(rows.count == 1)
    return rows[0].columnNames.indices.map { rows[0][$0] }
  }

  private func value(_ random: inout SeededRandom, isKey: Bool = false) -> SQLValue {
    switch random.below(isKey ? 8 : 9) {
    case 0: .integer(Int64(bitPattern: random.next()) >> Int64(random.below(64)))
    case 1: .integer(Int64(random.below(3)))
    case 2: .real(Double(bitPattern: random.next()).isNaN ? 0.5 : Double(random.below(1000)) / 7)
    case 3: .real(random.pick([-0.0, 0, 1, .infinity, -.infinity, .greatestFiniteMagnitude]) ?? 0)
    case 4: .text(String(repeating: random.pick(["a", "é", "\0", "😀"]) ?? "", count: random.below(40)))
    case 5: .blob((0..<random.below(300)).map { _ in UInt8(truncatingIfNeeded: random.next()) })
    case 6: .invalidText([0xFF, UInt8(truncatingIfNeeded: random.next() | 0x80)])
    case 7:
      .text(random.pick(["01931f3a-7c4e-7abc-8000-000000000005", "01931F3A-7C4E-7ABC-8000-000000000005", "007"]) ?? "")
    default: .null
    }
  }
}
