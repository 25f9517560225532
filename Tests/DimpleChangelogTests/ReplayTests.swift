import DimpleChangelog
import DimpleStore
import DimpleTestSupport
import Foundation
import Testing

/// `DIMPLE_REPLAY_RUNS` says how many sequences (40 by default), `DIMPLE_REPLAY_SEED` where the seeds begin (anywhere).
@Suite("Replaying the log into an empty copy gives the database")
struct ReplayTests {
  @Test("For random operations on every kind of table")
  func randomOperations() throws {
    let environment = ProcessInfo.processInfo.environment
    let first = environment["DIMPLE_REPLAY_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 0...UInt64.max)
    for number in 0..<(environment["DIMPLE_REPLAY_RUNS"].flatMap { Int($0) } ?? 40) {
      try run(seed: first &+ UInt64(number))
    }
  }

  private func run(seed: UInt64) throws {
    var operations = RandomOperations(seed: seed)
    let t = try TrackedDatabase(RandomOperations.schema)
    try t.database.write { connection in
      try connection.script(SQL(raw: RandomOperations.triggers))
      if seed % 2 == 0 { try connection.script(SQL(raw: RandomOperations.failingTriggers)) }
    }
    for _ in 0..<40 {
      t.clock.advance(milliseconds: Int64(operations.random.below(3)) - 1)
      try operations.transaction(t.database)
    }
    var configuration = Configuration()
    configuration.foreignKeys = false
    let copy = try Database.inMemory(configuration: configuration)
    try copy.write { connection in
      try connection.script(SQL(raw: RandomOperations.schema))
      let changes = try t.changes()
      for change in changes where try replay(change, t, connection) != 1 {
        // A row that refers to itself: the foreign key's action on it comes before its own new key.
        let isAnticipated = changes.contains {
          $0.operation == .insert && $0.stamp > change.stamp && $0.transaction == change.transaction
            && $0.table == change.table && $0.key == change.key
        }
        #expect(isAnticipated && change.operation == .update, "seed \(seed): \(describe(change))")
      }
    }
    for table in RandomOperations.tables {
      let order = try t.table(table).keyColumns.map { SQL.quoted(identifier: $0.name) }.joined(separator: ", ")
      let sql = SQL(raw: "SELECT * FROM \(table) ORDER BY \(order)")
      let expected = try t.database.read { try $0.rows(sql).map(values) }
      let replayed = try copy.read { try $0.rows(sql).map(values) }
      #expect(replayed == expected, "table \(table), seed \(seed)")
    }
    let changes = try t.changes()
    #expect(zip(changes, changes.dropFirst()).allSatisfy { $0.stamp < $1.stamp }, "seed \(seed)")
    let numbers = changes.map(\.transaction)
    #expect(numbers.last.map { Set(numbers) == Set(1...$0) && numbers == numbers.sorted() } ?? true, "seed \(seed)")
  }

  private func values(_ row: Row) -> [SQLValue] { row.columnNames.indices.map { row[$0] } }

  /// As plainly as it can be said: what a change means for its table.
  ///
  /// - Returns: How many rows it changed.
  private func replay(_ change: Change, _ t: TrackedDatabase, _ connection: Connection) throws -> Int {
    let table = try t.table(change.table)
    let key = zip(table.keyColumns, change.key).map { ColumnValue(name: $0.name, value: $1) }
    let isRow = key.map { "\(SQL.quoted(identifier: $0.name)) = ?" }.joined(separator: " AND ")
    let name = SQL.quoted(identifier: change.table)
    switch change.operation {
    case .insert:
      let all = key + change.columns
      let names = all.map { SQL.quoted(identifier: $0.name) }.joined(separator: ", ")
      let marks = all.map { _ in "?" }.joined(separator: ", ")
      return try connection.execute(
        SQL(raw: "INSERT INTO \(name)(\(names)) VALUES (\(marks))", bindings: all.map(\.value)))
    case .update:
      let set = change.columns.map { "\(SQL.quoted(identifier: $0.name)) = ?" }.joined(separator: ", ")
      let bindings = (change.columns + key).map(\.value)
      return try connection.execute(SQL(raw: "UPDATE \(name) SET \(set) WHERE \(isRow)", bindings: bindings))
    case .delete:
      return try connection.execute(SQL(raw: "DELETE FROM \(name) WHERE \(isRow)", bindings: key.map(\.value)))
    }
  }
}
