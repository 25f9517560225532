import DimpleMutex
import DimpleStore
import Foundation
import Testing

@Suite(.timeLimit(.minutes(10))) struct RestoreTests {
  private struct Enough: Error {}
  let folder: TemporaryFolder
  let db: Database

  init() throws {
    folder = try TemporaryFolder()
    db = try Database(folder.path(), migrations: [Todo.migration])
    try db.save(Todo(text: "now"))
  }

  /// A database of a column more and so many rows, in a file of its own.
  private func backup(count: Int = 2000) throws -> String {
    let path = folder.path("backup.db")
    let other = try Database(path, migrations: [Todo.migration])
    try other.write { connection in
      try connection.execute("ALTER TABLE Todo ADD COLUMN note TEXT")
      for number in 0..<count { try connection.save(Todo(text: "number \(number)")) }
    }
    try other.close()
    return path
  }

  private func texts(_ db: Database) throws -> [String] { try db.query(String.self, "SELECT text FROM Todo") }

  @Test func everyConnectionSeesTheBackupAndServesOn() async throws {
    let path = try backup()
    // Statements are compiled, and kept, on the reader and the writer.
    let old = try #require(try await db.queryOne(Todo.self, "SELECT * FROM Todo"))
    try await db.save(old)
    let snapshot = try db.snapshot()
    let steps = Mutex<[BackupProgress]>([])
    try await db.restore(from: path, pagesPerStep: 8) { step in steps.withLock { $0.append(step) } }
    #expect(steps.withLock { $0.count } > 5)
    #expect(steps.withLock { $0.last?.fraction } == 1)
    #expect(try texts(db).count == 2000)
    #expect(try await db.find(Todo.self, id: old.id) == nil)
    #expect(try await db.rows("SELECT * FROM Todo LIMIT 1").first?.columnNames.contains("note") == true)
    try await db.save(old)
    #expect(try await db.find(Todo.self, id: old.id) == old)
    #expect(try await db.queryOne(String.self, "PRAGMA journal_mode") == "wal")
    #expect(try await db.integrityCheck().isEmpty)
    #expect(try await snapshot.read { try $0.queryOne(Int.self, "SELECT count(*) FROM Todo") } == 1)
    // The backup is as it was.
    #expect(try texts(Database(path)).count == 2000)
  }

  @Test func readersSeeTheOldStateUntilItIsDone() throws {
    let path = try backup()
    var seen: Set<Int> = []
    try db.restore(from: path, pagesPerStep: 8) { step in
      guard step.remainingPageCount > 0 else { return }
      // Another program's connection: this thread has the writer.
      seen.insert(try Database(folder.path()).queryOne(Int.self, "SELECT count(*) FROM Todo") ?? -1)
    }
    #expect(seen == [1])
  }

  @Test func endedHalfWayItLeavesTheDatabaseAsItWas() async throws {
    let path = try backup()
    let db = db
    #expect(throws: Enough.self) {
      try db.restore(from: path, pagesPerStep: 8) { step in
        if step.fraction > 0.5 { throw Enough() }
      }
    }
    let started = AsyncStream.makeStream(of: Void.self)
    let gate = Gate()
    let task = Task {
      try await db.restore(from: path, pagesPerStep: 8) { _ in
        started.continuation.finish()
        gate.wait()
        gate.open()
      }
    }
    for await _ in started.stream {}
    task.cancel()
    gate.open()
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(try texts(db) == ["now"])
    #expect(try await db.integrityCheck().isEmpty)
    try await db.save(Todo(text: "later"))
    try await db.restore(from: path)
    #expect(try texts(db).count == 2000)
  }

  @Test func aSourceThatIsNoSoundDatabaseIsRefused() throws {
    func code(_ path: String) -> StoreError.Code? { storeError { try db.restore(from: path) }?.code }
    #expect(code(folder.path("missing.db")) == .cannotOpen)
    #expect(!FileManager.default.fileExists(atPath: folder.path("missing.db")))
    let noise = Data((0..<8192).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ 7) })
    try noise.write(to: folder.url.appendingPathComponent("noise.db"))
    #expect(code(folder.path("noise.db")) == .notADatabase)
    // Half of the pages overwritten, the header left alone.
    let path = try backup()
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    for position in (bytes.count / 2)..<bytes.count { bytes[position] = 0xA5 }
    try bytes.write(to: URL(fileURLWithPath: path))
    #expect(code(path) == .corrupt)
    #expect(try texts(db) == ["now"])
    try db.save(Todo(text: "later"))
  }

  @Test(arguments: [("page_size = 8192", "page_size"), ("encoding = 'UTF-16le'", "encoding")])
  func anotherShapeOfFileIsRefused(setting: String, name: String) throws {
    let path = folder.path("other.db")
    var configuration = Configuration()
    configuration.journalMode = .delete
    configuration.prepareConnection = { connection in
      try connection.script(SQL(raw: "PRAGMA \(setting)"))
    }
    let other = try Database(path, configuration: configuration, migrations: [Todo.migration])
    let found = try #require(try other.rows(SQL(raw: "PRAGMA \(name)")).first?[0])
    try #require(found != .text("UTF-8") && found != .integer(4096))
    try other.close()
    let error = storeError { try db.restore(from: path) }
    #expect(error?.code == .unsupportedFeature)
    #expect(error?.message.contains(name) == true)
    #expect(try texts(db) == ["now"])
  }

  @Test func observersHearOnceThatEverythingMayHaveChanged() throws {
    let path = try backup(count: 3)
    let log = EventLog()
    let observation = db.observeCommits { log.append($0) }
    defer { _ = observation }
    try db.restore(from: path)
    #expect(log.taken() == [CommitEvent(isExternal: true, changesSchema: true)])
    try db.execute("UPDATE Todo SET text = 'own'")
    #expect(log.taken().map(\.isExternal) == [false])
  }

  @Test func trackedOrReadOnlyItIsRefused() throws {
    let path = try backup(count: 3)
    var configuration = Configuration()
    configuration.extensions = [RecordingExtension()]
    let tracked = try Database(folder.path("tracked.db"), configuration: configuration)
    let error = storeError { try tracked.restore(from: path) }
    #expect(error?.code == .notAllowed)
    #expect(error?.hint.isEmpty == false)
    var readOnly = Configuration()
    readOnly.isReadOnly = true
    #expect(storeError { try Database(folder.path(), configuration: readOnly).restore(from: path) }?.code == .readOnly)
    try db.read { _ in #expect(storeError { try db.restore(from: path) }?.code == .nestedTransaction) }
  }

  @Test func inMemoryItWorksToo() throws {
    let memory = try Database.inMemory(migrations: [Todo.migration])
    try memory.restore(from: try backup(count: 3))
    #expect(try texts(memory).count == 3)
  }
}
