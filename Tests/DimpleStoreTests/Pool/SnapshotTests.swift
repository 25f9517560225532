import DimpleStore
import Testing

@Suite(.timeLimit(.minutes(10))) struct SnapshotTests {
  private func count(_ connection: Connection) throws -> Int {
    try connection.queryOne(Int.self, "SELECT count(*) FROM Todo") ?? -1
  }

  private func open(_ configuration: Configuration = Configuration()) throws -> Database {
    try Database.temporary(configuration: configuration, migrations: [Todo.migration])
  }

  @Test func aSnapshotReadsItsMomentUntilReleased() async throws {
    let db = try open()
    try await db.save(Todo(text: "before"))
    let snapshot = try db.snapshot()
    try await db.save(Todo(text: "after"))
    try await db.checkpoint()
    #expect(try await snapshot.read { try self.count($0) } == 1)
    #expect(try await db.snapshot().read { try self.count($0) } == 2)
    try await db.execute("DELETE FROM Todo")
    #expect(try await snapshot.read { try self.count($0) } == 1)
    try snapshot.release()
    try snapshot.release()
    #expect(await storeError { _ = try await snapshot.read { try self.count($0) } }?.code == .closed)
  }

  @Test func aSnapshotCannotWriteAndSurvivesAFailure() throws {
    let db = try open()
    let snapshot = try db.snapshot()
    let error = storeError { try snapshot.read { _ = try $0.execute("DELETE FROM Todo") } }
    #expect(error?.code == .readOnly)
    try db.save(Todo(text: "later"))
    #expect(try snapshot.read(count) == 0)
  }

  @Test func theLimitIsAnErrorAndAReleasedOneMakesRoom() throws {
    var configuration = Configuration()
    configuration.maximumSnapshotCount = 2
    configuration.readerCount = 1
    let db = try open(configuration)
    let first = try db.snapshot()
    var second: DatabaseSnapshot? = try db.snapshot()
    let error = storeError { _ = try db.snapshot() }
    #expect(error?.code == .tooManySnapshots)
    #expect(error?.hint.isEmpty == false)
    // Snapshots take no reader from the pool.
    #expect(try db.read(count) == 0)
    #expect(try second?.read(count) == 0)
    second = nil
    #expect(try db.snapshot().read(count) == 0)
    try first.release()
  }

  @Test func nestingIsAnErrorAndWritingBesideIsNot() throws {
    let db = try open()
    let snapshot = try db.snapshot()
    try snapshot.read { connection in
      #expect(storeError { _ = try snapshot.read(count) }?.code == .nestedTransaction)
      #expect(storeError { try snapshot.release() }?.code == .nestedTransaction)
      try db.save(Todo(text: "a"))
      #expect(try count(connection) == 0)
    }
    #expect(try db.read(count) == 1)
  }

  @Test func theDatabaseCannotEndInsideASnapshotsClosure() throws {
    let db = try open()
    let snapshot = try db.snapshot()
    try snapshot.read { (connection: Connection) throws in
      #expect(storeError { try db.close() }?.code == .nestedTransaction)
      #expect(storeError { try db.suspend() }?.code == .nestedTransaction)
      #expect(try count(connection) == 0)
    }
    try db.close()
  }

  @Test func closingEndsSnapshots() throws {
    let db = try open()
    let snapshot = try db.snapshot()
    try db.close()
    #expect(storeError { _ = try snapshot.read(count) }?.code == .closed)
    #expect(storeError { _ = try db.snapshot() }?.code == .closed)
  }

  @Test func aCancelledReadLeavesTheSnapshotUsable() async throws {
    let db = try open()
    let snapshot = try db.snapshot()
    try await db.save(Todo(text: "later"))
    let task = Task {
      try await snapshot.read {
        _ = try $0.rows("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n")
      }
    }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(try await snapshot.read { try self.count($0) } == 0)
  }

  @Test func inMemoryThereAreNone() throws {
    #expect(storeError { _ = try Database.inMemory().snapshot() }?.code == .unsupportedFeature)
  }
}
