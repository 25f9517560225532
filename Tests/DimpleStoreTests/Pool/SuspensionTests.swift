import DimpleStore
import Foundation
import Testing

@Suite(.timeLimit(.minutes(10))) struct SuspensionTests {
  private static let endless: SQL =
    "WITH RECURSIVE n (i) AS (SELECT started() UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"

  private func open() throws -> (Database, AsyncStream<Void>) {
    let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
    var configuration = Configuration()
    configuration.functions = [
      SQLFunction("started", argumentCount: 0, deterministic: false) { _ in
        continuation.yield()
        return .integer(1)
      }
    ]
    return (try Database.temporary(configuration: configuration, migrations: [Todo.migration]), stream)
  }

  /// The open files of this process that belong to the database.
  private func openFiles(_ db: Database) throws -> [String] {
    let descriptors = "/proc/self/fd"
    return try FileManager.default.contentsOfDirectory(atPath: descriptors).compactMap {
      try? FileManager.default.destinationOfSymbolicLink(atPath: "\(descriptors)/\($0)")
    }.filter { $0.hasPrefix(db.path) }
  }

  @Test func suspendedItHoldsNoFileAndRefusesAndResumedItServes() async throws {
    let (db, _) = try open()
    try await db.save(Todo(text: "before"))
    let snapshot = try db.snapshot()
    #if os(Linux)
      #expect(try !openFiles(db).isEmpty)
    #endif
    try db.suspend()
    #expect(db.isSuspended)
    #if os(Linux)
      #expect(try openFiles(db).isEmpty)
    #endif
    let error = await storeError { try await db.save(Todo(text: "no")) }
    #expect(error?.code == .suspended)
    #expect(error?.isRetryable == true)
    #expect(error?.hint.contains("resume") == true)
    #expect(await storeError { _ = try await db.rows("SELECT 1") }?.code == .suspended)
    #expect(storeError { _ = try db.snapshot() }?.code == .suspended)
    db.resume()
    try await db.save(Todo(text: "after"))
    #expect(try await db.query(String.self, "SELECT text FROM Todo ORDER BY text") == ["after", "before"])
    #expect(await storeError { _ = try await snapshot.read { try $0.rows("SELECT 1") } } != nil)
    #expect(try await db.integrityCheck().isEmpty)
  }

  @Test func whatRunsIsStoppedAndRolledBack() async throws {
    let (db, started) = try open()
    var iterator = started.makeAsyncIterator()
    let write = Task {
      try await db.write { connection in
        try connection.save(Todo(text: "half"))
        _ = try connection.rows(Self.endless)
      }
    }
    await iterator.next()
    let waiting = Task { try await db.save(Todo(text: "waiting")) }
    try await Task.detached { try db.suspend() }.value
    #expect(await storeError { try await write.value }?.code == .suspended)
    #expect(await storeError { _ = try await waiting.value }?.code == .suspended)
    db.resume()
    #expect(try await db.queryOne(Int.self, "SELECT count(*) FROM Todo") == 0)
  }

  @Test func inMemoryTheDataStays() throws {
    let db = try Database.inMemory(migrations: [Todo.migration])
    try db.save(Todo(text: "a"))
    try db.suspend()
    #expect(storeError { _ = try db.rows("SELECT 1") }?.code == .suspended)
    db.resume()
    #expect(try db.queryOne(Int.self, "SELECT count(*) FROM Todo") == 1)
  }

  @Test func suspendedItCanBeClosed() throws {
    let (db, _) = try open()
    try db.suspend()
    try db.close()
    #expect(storeError { _ = try db.rows("SELECT 1") }?.code == .closed)
  }

  @Test func observersLookAgainAfterResuming() throws {
    let (db, _) = try open()
    let log = EventLog()
    let observation = db.observeCommits { log.append($0) }
    try db.suspend()
    db.resume()
    #expect(log.taken().contains { $0.isExternal })
    observation.cancel()
  }

  @Test func insideAClosureItIsRefused() throws {
    let (db, _) = try open()
    try db.read { _ in #expect(storeError { try db.suspend() }?.code == .nestedTransaction) }
  }

  @Test func interruptStopsWhatRunsAndNothingElse() async throws {
    let (db, started) = try open()
    var iterator = started.makeAsyncIterator()
    let read = Task { try await db.rows(Self.endless) }
    await iterator.next()
    db.interrupt()
    #expect(await storeError { _ = try await read.value }?.code == .interrupted)
    db.interrupt()
    try await db.save(Todo(text: "a"))
    #expect(try await db.queryOne(Int.self, "SELECT count(*) FROM Todo") == 1)
  }
}
