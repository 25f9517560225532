import DimpleMutex
import DimpleStore
import Foundation
import Testing

@Suite(.timeLimit(.minutes(10))) struct MaintenanceTests {
  private struct Enough: Error {}
  let folder: TemporaryFolder
  let db: Database

  init() throws {
    folder = try TemporaryFolder()
    db = try Database(folder.path(), migrations: [Todo.migration])
    try db.write { connection in
      for number in 0..<2000 { try connection.save(Todo(text: "number \(number)")) }
    }
  }

  private func files() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.url.path).filter { !$0.hasPrefix("test.db") }
  }

  private func expectWhole(_ name: String, count: Int = 2000) throws {
    let copy = try Database(folder.path(name), migrations: [Todo.migration])
    #expect(try copy.integrityCheck().isEmpty)
    #expect(try copy.queryOne(Int.self, "SELECT count(*) FROM Todo") == count)
    try copy.close()
  }

  @Test func aBackupIsOfOneMomentWhileOthersWrite() throws {
    var steps: [BackupProgress] = []
    try db.backup(to: folder.path("copy.db"), pagesPerStep: 8) { progress in
      steps.append(progress)
    }
    #expect(steps.count > 5)
    #expect(steps.last?.fraction == 1)
    #expect(zip(steps, steps.dropFirst()).allSatisfy { $0.remainingPageCount > $1.remainingPageCount })
    try expectWhole("copy.db")
  }

  @Test func writesDuringABackupAreNotInIt() async throws {
    let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
    let gate = Gate()
    let isFirst = Mutex(true)
    let db = db
    let path = folder.path("copy.db")
    async let copying: Void = db.backup(to: path, pagesPerStep: 4) { _ in
      guard
        isFirst.withLock({ first in
          defer { first = false }
          return first
        })
      else { return }
      continuation.finish()
      gate.wait()
    }
    for await _ in stream {}
    try await db.save(Todo(text: "during"))
    gate.open()
    try await copying
    try expectWhole("copy.db")
    #expect(try await db.queryOne(Int.self, "SELECT count(*) FROM Todo") == 2001)
  }

  @Test func aBackupThatIsEndedLeavesNoFile() async throws {
    let db = db
    #expect(throws: Enough.self) {
      try db.backup(to: folder.path("copy.db"), pagesPerStep: 4) { if $0.fraction > 0.3 { throw Enough() } }
    }
    #expect(try files() == [])
    let path = folder.path("copy.db")
    let task = Task {
      try await db.backup(to: path, pagesPerStep: 1)
    }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(try files() == [])
    #expect(try await db.queryOne(Int.self, "SELECT count(*) FROM Todo") == 2000)
  }

  @Test func aFileInTheWayIsLeftAlone() throws {
    try Data("mine".utf8).write(to: URL(fileURLWithPath: folder.path("copy.db")))
    #expect(storeError { try db.backup(to: folder.path("copy.db")) }?.code == .cannotOpen)
    #expect(storeError { try db.vacuum(into: folder.path("copy.db")) }?.code == .cannotOpen)
    #expect(storeError { try db.backup(to: folder.path("missing/copy.db")) }?.code == .cannotOpen)
    #expect(try files() == ["copy.db"])
  }

  @Test func vacuumIntoMakesASmallerCopy() throws {
    try db.execute("DELETE FROM Todo WHERE text LIKE '%7%'")
    let left = try db.queryOne(Int.self, "SELECT count(*) FROM Todo") ?? 0
    let thin = folder.path("it'\u{301}s thin.db")
    try db.vacuum(into: thin)
    try expectWhole("it'\u{301}s thin.db", count: left)
    // The reader that wrote the copy is one that cannot write again.
    #expect(storeError { _ = try db.read { try $0.execute("DELETE FROM Todo") } }?.code == .readOnly)
    #expect(try db.read { try $0.queryOne(Int.self, "PRAGMA query_only") } == 1)
  }

  @Test func vacuumGivesSpaceBack() throws {
    try db.execute("DELETE FROM Todo")
    let before = try db.queryOne(Int.self, "PRAGMA page_count") ?? 0
    try db.vacuum()
    #expect(try db.queryOne(Int.self, "PRAGMA page_count") ?? 0 < before)
    #expect(try db.integrityCheck(quick: true).isEmpty)
  }

  @Test func aCheckpointEmptiesTheLogUnlessASnapshotNeedsIt() throws {
    let snapshot = try db.snapshot()
    try db.save(Todo(text: "after"))
    let held = try db.checkpoint()
    #expect(held.logPageCount > held.checkpointedPageCount)
    try snapshot.release()
    let freed = try db.checkpoint(.truncate)
    #expect(freed.logPageCount == 0 && freed.checkpointedPageCount == 0)
    let size = try FileManager.default.attributesOfItem(atPath: folder.path() + "-wal")[.size] as? Int
    #expect(size == 0)
  }

  @Test func erasedItIsEmptyForEveryReaderAndAsNew() throws {
    try db.write {
      try $0.script(
        """
        CREATE VIRTUAL TABLE doc USING fts5(body); CREATE TABLE p (id INTEGER PRIMARY KEY AUTOINCREMENT);
        CREATE TABLE c (id REFERENCES p NOT NULL); CREATE VIEW v AS SELECT * FROM p; PRAGMA user_version = 7;
        INSERT INTO p DEFAULT VALUES; INSERT INTO c VALUES (1);
        """)
    }
    let snapshot = try db.snapshot()
    try db.erase()
    #expect(try snapshot.read { try $0.queryOne(Int.self, "SELECT count(*) FROM Todo") } == 2000)
    #expect(try db.query(String.self, "SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'") == [])
    #expect(try db.queryOne(Int.self, "PRAGMA user_version") == 0)
    #expect(try db.queryOne(Int.self, "PRAGMA foreign_keys") == 1)
    #expect(try db.integrityCheck().isEmpty)
    try db.close()
    #expect(try Database(folder.path(), migrations: [Todo.migration]).rows("SELECT * FROM Todo").isEmpty)
  }

  @Test func damageIsFound() throws {
    try db.execute("CREATE INDEX todoText ON Todo (text)")
    #expect(try db.integrityCheck().isEmpty)
    try db.write { connection in
      try connection.execute("CREATE TABLE checked (x)")
      try connection.execute("INSERT INTO checked VALUES (1)")
      try connection.execute("ALTER TABLE checked ADD COLUMN y CHECK (x > 0)")
    }
    _ = try db.write { try $0.rows("PRAGMA ignore_check_constraints = ON") }
    try db.execute("UPDATE checked SET x = -1")
    #expect(try db.integrityCheck().count == 1)
    #expect(try db.integrityCheck(quick: true).count == 1)
  }
}
