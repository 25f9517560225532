import DimpleMutex
import Foundation
import Testing

@testable import DimpleStore

@Suite(.timeLimit(.minutes(10))) struct ConcurrencyTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A database with a function `started()` that tells the test that a statement is being run.
  private func open(readers: Int = 2) throws -> (Database, AsyncStream<Void>) {
    let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
    var configuration = Configuration()
    configuration.readerCount = readers
    configuration.extensions = [
      RecordingExtension([
        .open: { connection in
          try connection.createFunction("started", argumentCount: 0, deterministic: false) { call in
            continuation.yield()
            call.setResult(int64: 1)
          }
        }
      ])
    ]
    return (try Database(folder.path(), configuration: configuration, migrations: [Todo.migration]), stream)
  }

  private static let endless: SQL =
    "WITH RECURSIVE n (i) AS (SELECT started() UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"

  private func expectUsable(_ db: Database, count: Int) async throws {
    // More reads at once than there are connections: every one of them is used.
    try await withThrowingTaskGroup(of: Int?.self) { group in
      for _ in 0..<8 { group.addTask { try await db.read { try $0.queryOne(Int.self, "SELECT count(*) FROM Todo") } } }
      for try await found in group { #expect(found == count) }
    }
    try await db.save(Todo(text: "usable"))
    try await db.execute("DELETE FROM Todo WHERE text = 'usable'")
  }

  @Test func aCancelledReadIsInterruptedAndTheConnectionsStayUsable() async throws {
    let (db, started) = try open()
    var iterator = started.makeAsyncIterator()
    for _ in 0..<6 {
      let task = Task { try await db.rows(Self.endless) }
      await iterator.next()
      task.cancel()
      await #expect(throws: CancellationError.self) { try await task.value }
    }
    try await expectUsable(db, count: 0)
  }

  @Test func aCancelledWriteIsRolledBackAndTheWriterStaysUsable() async throws {
    let (db, started) = try open()
    var iterator = started.makeAsyncIterator()
    for _ in 0..<3 {
      let task = Task {
        try await db.write { connection in
          try connection.save(Todo(text: "must not stay"))
          _ = try connection.rows(Self.endless)
        }
      }
      await iterator.next()
      task.cancel()
      await #expect(throws: CancellationError.self) { try await task.value }
    }
    try await expectUsable(db, count: 0)
  }

  @Test func aWriteCancelledBetweenItsStatementsIsRolledBack() async throws {
    let (db, _) = try open()
    let (started, signal) = AsyncStream.makeStream(of: Void.self)
    let gate = Gate()
    let task = Task {
      try await db.write { connection in
        try connection.save(Todo(text: "must not stay"))
        signal.finish()
        gate.wait()
      }
    }
    for await _ in started {}
    task.cancel()
    gate.open()
    await #expect(throws: CancellationError.self) { try await task.value }
    try await expectUsable(db, count: 0)
  }

  @Test func aTaskCancelledWhileItWaitsItsTurnNeverRuns() async throws {
    let (db, _) = try open()
    let gate = Gate()
    let (started, signal) = AsyncStream.makeStream(of: Void.self)
    async let first: Void = db.write { _ in
      signal.finish()
      gate.wait()
    }
    for await _ in started {}
    let waiting = (0..<20).map { number in Task { try await db.save(Todo(text: "\(number)")) } }
    for task in waiting { task.cancel() }
    for task in waiting { await #expect(throws: CancellationError.self) { try await task.value } }
    gate.open()
    try await first
    try await expectUsable(db, count: 0)
  }

  @Test func aTaskThatIsCancelledAlreadyDoesNotWrite() async throws {
    let (db, _) = try open()
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      try await db.save(Todo(text: "must not stay"))
    }
    await #expect(throws: CancellationError.self) { try await task.value }
    try await expectUsable(db, count: 0)
  }

  @Test func aWaitForAnotherProgramsLockIsCancelled() async throws {
    let (db, _) = try open()
    let other = try Database(folder.path())
    let gate = Gate()
    let (locked, signal) = AsyncStream.makeStream(of: Void.self)
    async let holding: Void = other.write { _ in
      signal.finish()
      gate.wait()
    }
    for await _ in locked {}
    let task = Task { try await db.save(Todo(text: "must not stay")) }
    while !db.writer.isBusy { await Task.yield() }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    gate.open()
    try await holding
    try await expectUsable(db, count: 0)
  }

  @Test func writersAreServedInTheOrderTheyCame() async throws {
    let (db, _) = try open()
    let gate = Gate()
    let order = NumberLog()
    let (started, signal) = AsyncStream.makeStream(of: Void.self)
    async let first: Void = db.write { _ in
      signal.finish()
      gate.wait()
    }
    for await _ in started {}
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<10 {
        group.addTask { try await db.write { _ in order.append(number) } }
        while db.writer.waitingCount <= number { await Task.yield() }
      }
      gate.open()
      try await group.waitForAll()
    }
    try await first
    #expect(order.numbers == Array(0..<10))
  }

  @Test func readersReadWhileAWriteIsUnderway() async throws {
    let (db, _) = try open()
    let gate = Gate()
    let (started, signal) = AsyncStream.makeStream(of: Void.self)
    async let write: Todo = db.write { connection in
      let todo = try connection.save(Todo(text: "a"))
      signal.finish()
      gate.wait()
      return todo
    }
    for await _ in started {}
    #expect(try await db.queryOne(Int.self, "SELECT count(*) FROM Todo") == 0)
    gate.open()
    _ = try await write
    #expect(try await db.queryOne(Int.self, "SELECT count(*) FROM Todo") == 1)
  }

  @Test func aThousandTasksAndSomeThreadsShareFewConnections() async throws {
    let (db, _) = try open(readers: 3)
    let threads = 4
    let done = (0..<threads).map { _ in AsyncStream.makeStream(of: Void.self) }
    for thread in 0..<threads {
      Thread.detachNewThread {
        for number in 0..<50 { _ = try? db.save(Todo(text: "thread \(thread) \(number)")) }
        done[thread].continuation.finish()
      }
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<1000 {
        group.addTask {
          if number % 4 == 0 {
            try await db.save(Todo(text: "task \(number)"))
          } else {
            try await db.read { connection throws in
              let before = try connection.queryOne(Int.self, "SELECT count(*) FROM Todo")
              let after = try connection.queryOne(Int.self, "SELECT count(*) FROM Todo")
              #expect(before == after)
            }
          }
        }
      }
      try await group.waitForAll()
    }
    for (stream, _) in done { for await _ in stream {} }
    #expect(try await db.queryOne(Int.self, "SELECT count(*) FROM Todo") == 450)
    #expect(try await db.queryOne(String.self, "PRAGMA integrity_check") == "ok")
  }

  @Test func aWriteIsReadBackAtOnce() async throws {
    let (db, _) = try open()
    for number in 0..<100 {
      let todo = try await db.save(Todo(text: "\(number)"))
      #expect(try await db.find(Todo.self, id: todo.id) == todo)
    }
  }
}

/// Numbers in the order they came.
private final class NumberLog: Sendable {
  private let log = Mutex<[Int]>([])
  var numbers: [Int] { log.withLock { $0 } }
  func append(_ number: Int) { log.withLock { $0.append(number) } }
}
