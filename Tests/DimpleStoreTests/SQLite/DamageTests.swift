import DimpleStore
import Foundation
import Testing

/// Failures of the file and the disk: each a code that says so, and the database intact where SQLite keeps it so.
@Suite struct DamageTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func open(_ configuration: Configuration = Configuration()) throws -> Database {
    try Database(folder.path(), configuration: configuration, migrations: [Todo.migration])
  }

  private func expectIntact(_ db: Database, count: Int) throws {
    #expect(try db.queryOne(String.self, "PRAGMA integrity_check") == "ok")
    #expect(try db.queryOne(Int.self, "SELECT count(*) FROM Todo") == count)
  }

  @Test func aLockedDatabaseIsBusyAfterTheTimeout() throws {
    var impatient = Configuration()
    impatient.busyTimeout = .milliseconds(20)
    let db = try open(impatient)
    let other = try open()
    try other.write { connection throws in
      try connection.save(Todo(text: "a"))
      let error = storeError { try db.save(Todo(text: "b")) }
      #expect(error?.code == .busy)
      #expect(error?.isRetryable == true)
      #expect(error?.hint.isEmpty == false)
    }
    try db.save(Todo(text: "b"))
    try expectIntact(db, count: 2)
  }

  @Test func aLockThatIsReleasedInTimeIsWaitedFor() async throws {
    let db = try open()
    let other = try open()
    let (started, signal) = AsyncStream.makeStream(of: Void.self)
    let gate = Gate()
    async let first: Todo = other.write { connection in
      signal.finish()
      gate.wait()
      return try connection.save(Todo(text: "first"))
    }
    for await _ in started {}
    async let second = db.save(Todo(text: "second"))
    gate.open()
    _ = try await (first, second)
    try expectIntact(db, count: 2)
  }

  @Test func aFullDiskRollsBackAndTheDatabaseStaysUsable() throws {
    let db = try open()
    try db.save(Todo(text: "before"))
    let error = storeError {
      try db.write { connection in
        let pages = try connection.queryOne(Int.self, "PRAGMA page_count") ?? 0
        _ = try connection.rows(SQL(raw: "PRAGMA max_page_count = \(pages + 2)"))
        for number in 0..<1000 { try connection.save(Todo(text: String(repeating: "x", count: number))) }
      }
    }
    #expect(error?.code == .diskFull)
    #expect(error?.hint.contains("space") == true)
    try db.write { _ = try $0.rows("PRAGMA max_page_count = 1000000") }
    try expectIntact(db, count: 1)
    try db.save(Todo(text: "after"))
    try expectIntact(db, count: 2)
  }

  @Test func aFileThatIsNoDatabaseIsToldAtOpening() throws {
    let content = Data(String(repeating: "this is a text file\n", count: 100).utf8)
    try content.write(to: URL(fileURLWithPath: folder.path()))
    let error = storeError { _ = try open() }
    #expect(error?.code == .notADatabase)
    #expect(error?.hint.isEmpty == false)
    #expect(try Data(contentsOf: URL(fileURLWithPath: folder.path())) == content)
  }

  @Test func aDamagedFileIsCorrupt() throws {
    do {
      let db = try open()
      try db.write { connection in
        for number in 0..<2000 { try connection.save(Todo(text: "number \(number)")) }
      }
      try db.close()
    }
    let file = try FileHandle(forUpdating: URL(fileURLWithPath: folder.path()))
    let size = try file.seekToEnd()
    for page in 2..<(size / 4096) {
      try file.seek(toOffset: page * 4096)
      try file.write(contentsOf: Data(repeating: 0xA5, count: 512))
    }
    try file.close()
    let error = storeError { _ = try open().query(Todo.self, "SELECT * FROM Todo ORDER BY text") }
    #expect(error?.code == .corrupt)
    #expect(error?.hint.isEmpty == false)
  }

  @Test func aLogThatIsCutOffFailsToBeReadAndTheDatabaseIsIntactAfterwards() throws {
    // Closed, the table is in the file itself.
    try open().close()
    let again = try open()
    try again.write { connection in
      for number in 0..<500 { try connection.save(Todo(text: "number \(number)")) }
    }
    // Another reader has nothing in its cache, and must go to the log.
    let log = try FileHandle(forUpdating: URL(fileURLWithPath: folder.path() + "-wal"))
    try log.truncate(atOffset: 0)
    try log.close()
    let error = storeError { _ = try again.query(Todo.self, "SELECT * FROM Todo") }
    #expect(error?.code == .ioFailed)
    #expect(error?.hint.isEmpty == false)
    _ = storeError { try again.close() }
    try expectIntact(open(), count: 0)
  }

  @Test func aFolderThatIsMissingCannotBeOpened() {
    let error = storeError { _ = try Database(folder.path("missing/test.db")) }
    #expect(error?.code == .cannotOpen)
  }

  @Test func aValueBeyondSQLitesLimitIsTooBig() throws {
    let db = try open()
    #expect(
      storeError { try db.execute("INSERT INTO Todo (id, text) VALUES ('x', zeroblob(2000000000))") }?.code == .tooBig)
    try expectIntact(db, count: 0)
  }
}
