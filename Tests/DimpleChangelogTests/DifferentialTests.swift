import DimpleChangelog
import DimpleStore
import DimpleTestSupport
import Foundation
import Testing

/// Everything at once, by seed: random writes to every kind of table through two connections on one file, cascades and
/// triggers, parts undone, columns added, tables rebuilt, files closed and opened again, clocks that jump, undo and redo; now
/// and then, and in the end, against what must hold.
///
/// `DIMPLE_DIFFERENTIAL_SECONDS` says for how long new seeds are tried (three runs without it), `DIMPLE_DIFFERENTIAL_SEED`
/// which is the first.
@Suite("Random operations of every kind against the log", .timeLimit(.minutes(60)))
struct DifferentialTests {
  @Test("The log says what the tables say, now and at every moment before")
  func random() throws {
    let environment = ProcessInfo.processInfo.environment
    var seed = environment["DIMPLE_DIFFERENTIAL_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 0...(.max >> 1))
    let start = ContinuousClock.now
    let length = environment["DIMPLE_DIFFERENTIAL_SECONDS"].flatMap { Int($0) }.map { Duration.seconds($0) }
    var runs = 0
    while length.map({ ContinuousClock.now - start < $0 }) ?? (runs < 3) {
      var run = try DifferentialRun(seed: seed)
      do { try run.run() } catch { throw Failed(seed: seed, error: error) }
      runs += 1
      seed += 1
    }
    if length != nil { print("\(runs) runs, up to seed \(seed - 1)") }
  }

  private struct Failed: Error {
    let seed: UInt64
    let error: any Error
  }
}

private struct DifferentialRun {
  let seed: UInt64
  private var operations: RandomOperations
  private let file: TemporaryFile
  private let clocks = [ManualClock(), ManualClock(milliseconds: 1_800_000_000_000 - 60_000)]
  private var open: [TrackedDatabase]
  private var undo: UndoStack
  private var columns = 0
  /// What all tables showed after a transaction, by its number, and by which columns.
  private var moments: [Int64: [String: [String]]] = [:]

  private var comment: Comment { "seed \(seed)" }

  init(seed: UInt64) throws {
    self.seed = seed
    operations = RandomOperations(seed: seed)
    file = try TemporaryFile()
    open = [try TrackedDatabase(RandomOperations.schema, path: file.path, clock: clocks[0])]
    try open[0].script(RandomOperations.triggers)
    open.append(try TrackedDatabase(path: file.path, clock: clocks[1]))
    undo = try UndoStack(open[0].database)
  }

  mutating func run() throws {
    for number in 0..<60 {
      try step(number)
      if operations.random.oneIn(6) { try remember() }
    }
    let changes = try open[0].changes()
    #expect(try open[1].changes() == changes, comment)
    let schema = try open[0].database.query(
      String.self, "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'dimple%'")
    try LogReplay(open[0], schema: schema.joined(separator: ";")).run(comment)
    for (number, tables) in moments {
      let past = try open[1].database.asOf(.transaction(number))
      for (sql, rows) in tables {
        let found = try past.rows(SQL(raw: sql)).map(line)
        #expect(found == rows, "\(comment), transaction \(number): \(sql)")
      }
    }
    for t in open { try t.database.close() }
  }

  private mutating func step(_ number: Int) throws {
    let index = operations.random.below(2)
    clocks[index].advance(milliseconds: Int64(operations.random.below(5)) - 2)
    switch operations.random.below(24) {
    case 0: clocks[index].advance(milliseconds: Int64(operations.random.below(7_200_000)) - 3_600_000)
    case 1:
      try open[index].database.close()
      open[index] = try TrackedDatabase(path: file.path, clock: clocks[index])
      if index == 0 { undo = try UndoStack(open[0].database) }
    case 2:
      columns += 1
      let table = operations.random.pick(RandomOperations.tables) ?? "plain"
      // A STRICT table wants a type.
      try open[index].script("ALTER TABLE \(table) ADD COLUMN added\(columns) TEXT DEFAULT 'd'")
      // Refused by a trigger where it finds a row of its own.
      do {
        try open[index].script("UPDATE OR IGNORE \(table) SET added\(columns) = 'x' WHERE \(key(of: table)) % 2")
      } catch let error as StoreError where error.code.isConstraint {}
    case 3: try rebuild(open[index])
    case 4: try open[index].database.vacuum()
    case 5:
      try open[index].database.suspend()
      open[index].database.resume()
    case 6, 7: try takeBack()
    case 8, 9: try operations.transaction(open[0].database, through: undo)
    default: try operations.transaction(open[index].database)
    }
  }

  private func key(of table: String) -> String {
    switch table {
    case "texts", "rowless": "length(k)"
    case "composite": "length(k1)"
    default: "id"
    }
  }

  /// As migrations do it, with the order of the columns as it was.
  private func rebuild(_ t: TrackedDatabase) throws {
    let sql = try t.database.querySingle(
      String.self, "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = 'rowless'")
    let definition = sql.drop { $0 != "(" }
    try t.script(
      """
      CREATE TABLE rebuilt\(definition); INSERT INTO rebuilt SELECT * FROM rowless; DROP TABLE rowless;
      ALTER TABLE rebuilt RENAME TO rowless;
      """)
  }

  /// Refused where the other connection has written since, or a constraint says no.
  private mutating func takeBack() throws {
    do {
      if operations.random.oneIn(2), undo.canUndo {
        try undo.undo()
      } else if undo.canRedo {
        try undo.redo()
      }
    } catch let error as ChangelogError {
      #expect(error.code == .undoConflict, "\(comment): \(error)")
      undo.removeAll()
    } catch is StoreError { undo.removeAll() }
  }

  private mutating func remember() throws {
    let t = open[0]
    var tables: [String: [String]] = [:]
    for table in try t.database.read({ try t.changelog.trackedTables($0) }) {
      let names = (table.keyColumns + table.columns).map { SQL.quoted(identifier: $0.name) }.joined(separator: ", ")
      let order = table.keyColumns.map { SQL.quoted(identifier: $0.name) }.joined(separator: ", ")
      let sql = "SELECT \(names) FROM \(SQL.quoted(identifier: table.name)) ORDER BY \(order)"
      tables[sql] = try t.database.rows(SQL(raw: sql)).map(line)
    }
    moments[try t.lastTransaction] = tables
  }

  private func line(_ row: Row) -> String { row.columnNames.indices.map { describe(row[$0]) }.joined(separator: " ") }
}
