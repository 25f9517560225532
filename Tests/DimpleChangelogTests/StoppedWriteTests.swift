import DimpleChangelog
import DimpleStore
import DimpleTestSupport
import Dispatch
import Foundation
import Testing

/// What stops a write is not the app's doing here, but somebody's who interrupts it, or the disk's. SQLite takes the whole
/// transaction back for some errors, and the statement alone for others: https://sqlite.org/lang_transaction.html
@Suite("A write that is stopped midway leaves its rows and their changes, or neither", .timeLimit(.minutes(10)))
struct StoppedWriteTests {
  private static let schema = """
    CREATE TABLE item(id INTEGER PRIMARY KEY, text, n);
    CREATE TABLE part(id INTEGER PRIMARY KEY, item REFERENCES item ON DELETE CASCADE);
    """
  private static let insertItems = """
    INTO item SELECT i, hex(zeroblob(2000)), 0 FROM
    (WITH n(i) AS (SELECT 101 UNION ALL SELECT i + 1 FROM n WHERE i < 140) SELECT i FROM n)
    """
  private static let updateItems: SQL = "UPDATE item SET text = printf('%0200d', trap(n))"

  private func filled(_ trap: Trap, path: String? = nil, items: Int) throws -> TrackedDatabase {
    let t = try TrackedDatabase(Self.schema, path: path, functions: [trap.function])
    try t.script(
      """
      WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(items))
      INSERT INTO item SELECT i, 'before', i FROM n
      """)
    return t
  }

  /// Where a log is before a write.
  private struct Place {
    let transaction: Int64
    let time: Int64

    init(_ t: TrackedDatabase) throws {
      transaction = try t.lastTransaction
      time = try #require(try t.changes(after: transaction - 1).last).stamp.time.rawValue
    }
  }

  /// The log has what the stopped write left, if anything, and says what the tables say; the next write is logged alone, with
  /// the number and the time that follow.
  private func check(
    _ t: TrackedDatabase, after place: Place, left: [String] = [], part: Int = 1, _ comment: Comment,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    #expect(try t.log(after: place.transaction) == left, comment, sourceLocation: sourceLocation)
    let number = place.transaction + (left.isEmpty ? 0 : 1)
    #expect(try t.lastTransaction == number, comment, sourceLocation: sourceLocation)
    try t.script("INSERT INTO part VALUES (\(part), NULL)")
    let next = try t.changes(after: number)
    #expect(next.map(describe) == ["insert part[\(part)] item=NULL"], comment, sourceLocation: sourceLocation)
    #expect(next.map(\.transaction) == [number + 1], comment, sourceLocation: sourceLocation)
    // The clock stands still: each change takes the next time, and what was undone has given back its own.
    let time = place.time + Int64(left.count) + 1
    #expect(next.map(\.stamp.time.rawValue) == [time], comment, sourceLocation: sourceLocation)
    try LogReplay(t, schema: Self.schema).run(comment)
    #expect(try t.database.integrityCheck() == [], comment, sourceLocation: sourceLocation)
  }

  // MARK: - Stopped by somebody

  @Test(
    "Interrupted, in a savepoint or not, before or after a part of it was logged", arguments: [10, 3000], [false, true])
  func interrupted(row: Int, inSavepoint: Bool) throws {
    let (file, trap) = (try TemporaryFile(), Trap())
    let t = try filled(trap, path: file.path, items: 5000)
    let place = try Place(t)
    trap.set(row) { t.database.interrupt() }
    let error = #expect(throws: StoreError.self) {
      try t.database.write { connection in
        try connection.execute("UPDATE item SET text = 'first' WHERE id = 1")
        if inSavepoint {
          try connection.savepoint { try connection.execute(Self.updateItems) }
        } else {
          try connection.execute(Self.updateItems)
        }
      }
    }
    #expect(error?.code == .interrupted)
    #expect((row..<5000).contains(trap.calls))
    try check(t, after: place, "row \(row)")
    #expect(try t.rows("SELECT count(*) FROM item WHERE text = 'before'") == ["5000"])
  }

  @Test("Whoever passes over an interruption cannot go on in what is left of the transaction")
  func interruptionPassedOver() throws {
    let (file, trap) = (try TemporaryFile(), Trap())
    let t = try filled(trap, path: file.path, items: 5000)
    let place = try Place(t)
    trap.set(3000) { t.database.interrupt() }
    var refused = 0
    #expect(throws: StoreError.self) {
      try t.database.write { connection in
        for sql in [Self.updateItems, "UPDATE item SET text = 'last' WHERE id = 1"] {
          do { try connection.execute(sql) } catch is StoreError { refused += 1 }
        }
      }
    }
    #expect(refused == 2)
    try check(t, after: place, "passed over")
  }

  /// Cancels the task at a call of `trap` in its statement, and waits for its end.
  private func cancel(_ t: TrackedDatabase, _ trap: Trap, at call: Int, of sql: SQL) async {
    let (reached, signal) = AsyncStream.makeStream(of: Void.self)
    let isCancelled = DispatchSemaphore(value: 0)
    trap.set(call) {
      signal.finish()
      isCancelled.wait()
    }
    let task = Task {
      try await t.database.write { connection in
        try connection.execute("UPDATE item SET text = 'first' WHERE id = 1")
        try connection.execute(sql)
      }
    }
    for await _ in reached {}
    task.cancel()
    isCancelled.signal()
    await #expect(throws: CancellationError.self) { try await task.value }
  }

  @Test("A task that is cancelled in the middle of its statement", arguments: [10, 3000])
  func cancelled(row: Int) async throws {
    let (file, trap) = (try TemporaryFile(), Trap())
    let t = try filled(trap, path: file.path, items: 5000)
    let place = try Place(t)
    await cancel(t, trap, at: row, of: Self.updateItems)
    #expect((row..<5000).contains(trap.calls))
    try check(t, after: place, "row \(row)")
  }

  /// What may FAIL writes to the log at once, inside the statement.
  private static let updateAndLog: SQL = "UPDATE OR FAIL item SET n = trap(n + 1)"

  @Test("Interrupted or cancelled in the log's own write inside a statement, it is told as that")
  func stoppedLog() async throws {
    let trap = Trap()
    let t = try filled(trap, items: 2)
    let place = try Place(t)
    trap.set(1) { t.database.interrupt() }
    // Not the asynchronous form: there is no task to be cancelled.
    let write: ((Connection) throws -> Void) throws -> Void = { try t.database.write($0) }
    let error = #expect(throws: StoreError.self) { try write { try $0.execute(Self.updateAndLog) } }
    #expect(error?.code == .interrupted && error?.underlying is StoreError)
    try check(t, after: place, "interrupted")
    let next = try Place(t)
    await cancel(t, trap, at: 1, of: Self.updateAndLog)
    #expect(trap.calls == 1)
    try check(t, after: next, part: 2, "cancelled")
  }

  // MARK: - Stopped by the disk

  private enum FullDisk {
    /// The statement was undone, and the transaction went on.
    case inStatement
    /// The transaction was lost in the statement.
    case inLog
    case atCommit
    case nowhere
  }

  /// Without room for more pages than so many, SQLite reports what it reports of a full disk.
  private func write(_ t: TrackedDatabase, insert: String, room: Int) throws -> FullDisk {
    var outcome = FullDisk.nowhere
    do {
      try t.database.write { connection in
        let pages = try connection.queryOne(Int.self, "PRAGMA page_count") ?? 0
        _ = try connection.rows(SQL(raw: "PRAGMA max_page_count = \(pages + room)"))
        try connection.execute("UPDATE item SET n = \(1000 + room) WHERE id = 1")
        do { try connection.execute(SQL(raw: "\(insert) \(Self.insertItems)")) } catch let error as StoreError {
          #expect(error.code == .diskFull, "room \(room): \(error)")
          outcome = .inLog
          try connection.execute("UPDATE item SET n = \(1000 + room) WHERE id = 2")
          outcome = .inStatement
        }
      }
    } catch let error as StoreError {
      if outcome == .inLog {
        #expect(error.code == .transactionLost, "room \(room): \(error)")
      } else {
        #expect(error.code == .diskFull, "room \(room): \(error)")
        outcome = .atCommit
      }
    }
    try t.database.write { _ = try $0.rows("PRAGMA max_page_count = 1000000") }
    return outcome
  }

  @Test("The disk is full, wherever that is noticed", arguments: ["INSERT", "INSERT OR FAIL"])
  func fullDisk(insert: String) throws {
    let (file, trap) = (try TemporaryFile(), Trap())
    let t = try filled(trap, path: file.path, items: 2)
    var outcomes: Set<FullDisk> = []
    for room in 0..<110 {
      let place = try Place(t)
      let outcome = try write(t, insert: insert, room: room)
      outcomes.insert(outcome)
      let comment: Comment = "room \(room), \(outcome)"
      switch outcome {
      case .inLog, .atCommit: try check(t, after: place, part: room, comment)
      case .inStatement:
        let left = [1, 2].map { "update item[\($0)] n=\(1000 + room)" }
        try check(t, after: place, left: left, part: room, comment)
      case .nowhere:
        let left = try t.log(after: place.transaction)
        #expect(left.count == 41, comment)
        try check(t, after: place, left: left, part: room, comment)
        return #expect(outcomes == [.inStatement, .inLog, .atCommit, .nowhere])
      }
    }
    Issue.record("never room enough: \(outcomes)")
  }

  /// In a process of its own, which the system forbids to let a file grow.
  @Test("The system refuses to write, in a statement or at its commit", arguments: [false, true])
  func failingDisk(spills: Bool) throws {
    var places: Set<String> = []
    for kilobytes in stride(from: 48, to: 640, by: 24) {
      let file = try TemporaryFile()
      let client = try ChangelogClient(["outgrow", file.path, "\(kilobytes * 1024)", spills ? "1" : "0"])
      let end = client.finish()
      let comment: Comment = "\(kilobytes) KiB: \(end.lines)"
      #expect(end.status == 0, comment)
      let words = end.lines.flatMap { $0.split(separator: " ").map(String.init) }
      try #require(words.count == 3, comment)
      places.insert(words[1])
      #expect(words[0] == (words[1] == "nowhere" ? "none" : "ioFailed"), comment)
      let t = try TrackedDatabase(path: file.path)
      // The first transaction filled the table; the second is the one that was stopped.
      let next = try #require(Int64(words[2]))
      #expect(next == (words[1] == "nowhere" ? 3 : 2), comment)
      #expect(try t.log(after: next - 1) == ["update item[1] text='next'"], comment)
      #expect(try t.lastTransaction == next, comment)
      let schema = try t.database.queryOne(String.self, "SELECT sql FROM sqlite_schema WHERE name = 'item'")
      try LogReplay(t, schema: try #require(schema)).run(comment)
      #expect(try t.database.integrityCheck() == [], comment)
      try t.database.close()
    }
    #expect(places == (spills ? ["inStatement", "atCommit", "nowhere"] : ["atCommit", "nowhere"]))
  }
}

/// Does something in the middle of a statement: at a given call of the SQL function `trap`, which returns its argument.
private final class Trap: @unchecked Sendable {  // set between writes, called by the writer
  private(set) var calls = 0
  private var last = 0
  private var spring: () -> Void = {}

  func set(_ last: Int, _ spring: @escaping () -> Void) {
    (calls, self.last, self.spring) = (0, last, spring)
  }

  var function: SQLFunction {
    SQLFunction("trap", argumentCount: 1, deterministic: false) { [self] arguments in
      calls += 1
      if calls == last { spring() }
      return arguments[0]
    }
  }
}
