import DimpleStore
import Foundation
import Testing

@Suite struct DatabaseTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func open(_ configuration: Configuration = Configuration()) throws -> Database {
    try Database(folder.path(), configuration: configuration, migrations: [Todo.migration])
  }

  @Test func theQuickStartWorks() async throws {
    let db = try open()
    let todo = try await db.save(Todo(text: "Build cool app"))
    let changed = try await db.execute("UPDATE Todo SET completed = \(true) WHERE id = \(todo.id)")
    #expect(changed == 1)
    let open = try await db.query(Todo.self, "SELECT * FROM Todo WHERE completed = \(false)")
    #expect(open.isEmpty)
    let all = try await db.read { try $0.query(Todo.self, "SELECT * FROM Todo") }
    #expect(all == [Todo(id: todo.id, text: "Build cool app", completed: true)])
  }

  @Test func everyConnectionIsSetUpAsDocumented() throws {
    func settings(_ connection: Connection) throws -> [String: SQLValue] {
      var found: [String: SQLValue] = [:]
      for name in ["journal_mode", "synchronous", "foreign_keys", "recursive_triggers", "temp_store", "query_only"] {
        found[name] = try connection.rows(SQL(raw: "PRAGMA \(name)")).first?[0]
      }
      return found
    }
    let db = try open()
    let common: [String: SQLValue] = [
      "journal_mode": .text("wal"), "synchronous": .integer(1), "foreign_keys": .integer(1),
      "recursive_triggers": .integer(1),
    ]
    let (file, memory) = (SQLValue.integer(1), SQLValue.integer(2))
    #expect(try db.write(settings) == common.merging(["query_only": .integer(0), "temp_store": file]) { $1 })
    #expect(try db.read(settings) == common.merging(["query_only": .integer(1), "temp_store": memory]) { $1 })
    let inMemory = try Database.inMemory()
    #expect(try inMemory.write { try $0.rows("PRAGMA temp_store").first?[0] } == memory)
    #expect(storeError { _ = try db.rows("SELECT \"no such column\"") }?.code == .sqlError)
  }

  @Test func aWriteThatThrowsLeavesNothing() throws {
    struct Stop: Error {}
    let db = try open()
    #expect(throws: Stop.self) {
      try db.write { connection in
        try connection.save(Todo(text: "a"))
        throw Stop()
      }
    }
    #expect(try db.queryOne(Int.self, "SELECT count(*) FROM Todo") == 0)
    try db.save(Todo(text: "b"))
  }

  @Test func aReadIsOneSnapshotWhateverCommitsMeanwhile() throws {
    let db = try open()
    let other = try Database(folder.path())
    try db.read { connection throws in
      #expect(try connection.queryOne(Int.self, "SELECT count(*) FROM Todo") == 0)
      try other.save(Todo(text: "a"))
      #expect(try connection.queryOne(Int.self, "SELECT count(*) FROM Todo") == 0)
    }
    #expect(try db.queryOne(Int.self, "SELECT count(*) FROM Todo") == 1)
  }

  @Test func aReadMayNotWrite() throws {
    for db in [try open(), try Database.inMemory(migrations: [Todo.migration])] {
      let error = storeError { try db.read { _ = try $0.execute("DELETE FROM Todo") } }
      #expect(error?.code == .readOnly)
      #expect(storeError { _ = try db.rows("DELETE FROM Todo RETURNING *") }?.code == .readOnly)
      try db.save(Todo(text: "a"))
    }
  }

  @Test func usingTheDatabaseInsideItsOwnClosureIsAnErrorAtOnce() throws {
    for db in [try open(), try Database.inMemory(migrations: [Todo.migration])] {
      let nestings: [(Database) throws -> Void] = [
        { db in try db.write { _ in try db.write { _ in } } }, { db in try db.write { _ in try db.read { _ in } } },
        { db in try db.read { _ in try db.write { _ in } } }, { db in try db.read { _ in try db.read { _ in } } },
        { db in try db.write { _ in _ = try db.rows("SELECT 1") } }, { db in try db.read { _ in try db.close() } },
      ]
      for nesting in nestings {
        let error = storeError { try nesting(db) }
        #expect(error?.code == .nestedTransaction)
        #expect(error?.hint.isEmpty == false)
      }
      try db.save(Todo(text: "a"))
    }
  }

  @Test func nestingInsideAnAsyncClosureIsAnErrorToo() async throws {
    let db = try open()
    let error = await storeError {
      try await db.write { _ in
        let blocking: () throws -> Void = { try db.write { _ in } }
        try blocking()
      }
    }
    #expect(error?.code == .nestedTransaction)
  }

  @Test func anotherDatabaseMayBeUsedInsideAClosure() throws {
    let db = try open()
    let other = try Database.inMemory(migrations: [Todo.migration])
    try db.write { _ in _ = try other.save(Todo(text: "a")) }
  }

  @Test func aTaskStartedInAClosureMayUseTheDatabaseAfterwards() async throws {
    let db = try open()
    let task: Task<Todo, any Error> = try await db.write { _ in
      Task { try await db.save(Todo(text: "later")) }
    }
    #expect(try await task.value.text == "later")
  }

  @Test func theConnectionIsOfNoUseAfterItsClosure() throws {
    let db = try open()
    let escaped = try db.write { $0 }
    #expect(storeError { _ = try escaped.rows("SELECT 1") }?.code == .outsideClosure)
    let fromRead = try db.read { $0 }
    #expect(storeError { try fromRead.execute("DELETE FROM Todo") }?.code == .outsideClosure)
  }

  @Test func closedItRefusesEverythingAndClosingAgainIsFine() throws {
    let db = try open()
    let escaped = try db.write { $0 }
    let statement = try db.write { try $0.prepare("SELECT 1") }
    try db.read { _ in }
    try db.close()
    try db.close()
    #expect(storeError { try db.write { _ in } }?.code == .closed)
    #expect(storeError { _ = try escaped.rows("SELECT 1") }?.code == .closed)
    #expect(storeError { _ = try statement.step() }?.code == .closed)
    #expect(try open().queryOne(Int.self, "SELECT count(*) FROM Todo") == 0)
  }

  @Test func closedItRefusesTasksToo() async throws {
    let db = try open()
    try await db.close()
    try await db.close()
    #expect(await storeError { try await db.read { _ in } }?.code == .closed)
    #expect(await storeError { try await db.save(Todo(text: "late")) }?.code == .closed)
  }

  @Test func letGoItIsClosed() throws {
    try open().save(Todo(text: "a"))
    // The last connection to close folds the log into the file and removes it.
    #expect(!FileManager.default.fileExists(atPath: folder.path() + "-wal"))
  }

  @Test func closingWaitsForTheWorkThatRuns() async throws {
    let db = try open()
    let (started, signal) = AsyncStream.makeStream(of: Void.self)
    let release = Gate()
    async let write: Todo = db.write { connection in
      signal.finish()
      release.wait()
      return try connection.save(Todo(text: "last"))
    }
    for await _ in started {}
    async let closing: Void = db.close()
    while await storeError({ _ = try await db.rows("SELECT 1") })?.code != .closed { await Task.yield() }
    release.open()
    #expect(try await write.text == "last")
    try await closing
    #expect(try await open().query(String.self, "SELECT text FROM Todo") == ["last"])
  }

  @Test func aSavepointUndoesItsOwnPartOnly() throws {
    struct Stop: Error {}
    let db = try open()
    try db.write { connection in
      try connection.save(Todo(text: "outer"))
      do {
        try connection.savepoint {
          try connection.save(Todo(text: "inner"))
          try connection.savepoint { _ = try connection.save(Todo(text: "innermost")) }
          throw Stop()
        }
      } catch is Stop {}
      try connection.savepoint { _ = try connection.save(Todo(text: "kept")) }
    }
    #expect(try db.query(String.self, "SELECT text FROM Todo ORDER BY text") == ["kept", "outer"])
    #expect(storeError { try db.read { try $0.savepoint {} } }?.code == .readOnly)
  }

  @Test func actionsForARollbackAreRunForTheirPartOnly() throws {
    struct Stop: Error {}
    let db = try open()
    var undone: [String] = []
    try db.write { connection in
      connection.onRollback { undone.append("transaction") }
      do {
        try connection.savepoint {
          connection.onRollback { undone.append("first") }
          connection.onRollback { undone.append("second") }
          throw Stop()
        }
      } catch is Stop {}
    }
    #expect(undone == ["second", "first"])
    _ = storeError {
      try db.write { connection in
        connection.onRollback { undone.append("next") }
        throw StoreError(.busy, operation: "", message: "")
      }
    }
    #expect(undone == ["second", "first", "next"])
  }

  @Test func anErrorThatIsPassedOverCannotLeaveTheTransactionUnnoticed() throws {
    let db = try open()
    let error = storeError {
      try db.write { connection in
        try connection.save(Todo(text: "a"))
        // OR ROLLBACK ends the transaction from inside.
        let id = UUIDv7()
        for _ in 0..<2 {
          do { try connection.execute("INSERT OR ROLLBACK INTO Todo (id, text) VALUES (\(id), 'b')") } catch {}
        }
        try connection.save(Todo(text: "must not be committed alone"))
      }
    }
    #expect(error?.code == .transactionLost)
    #expect(try db.queryOne(Int.self, "SELECT count(*) FROM Todo") == 0)
    try db.save(Todo(text: "usable"))
  }

  @Test func aDeferredForeignKeyThatFailsAtCommitRollsBack() throws {
    let db = try open()
    try db.execute("CREATE TABLE child (id, todo REFERENCES Todo(id) DEFERRABLE INITIALLY DEFERRED)")
    #expect(storeError { try db.execute("INSERT INTO child VALUES (1, 'none')") }?.code == .foreignKeyConstraint)
    #expect(try db.queryOne(Int.self, "SELECT count(*) FROM child") == 0)
  }

  @Test func readOnlyItReadsAndDoesNotWrite() throws {
    try open().save(Todo(text: "a"))
    var configuration = Configuration()
    configuration.isReadOnly = true
    let db = try Database(folder.path(), configuration: configuration)
    #expect(try db.query(String.self, "SELECT text FROM Todo") == ["a"])
    #expect(storeError { try db.execute("DELETE FROM Todo") }?.code == .readOnly)
    #expect(
      storeError { _ = try Database(folder.path("missing.db"), configuration: configuration) }?.code == .cannotOpen)
  }

  @Test func anEmptyPathIsRefused() {
    #expect(storeError { _ = try Database("") }?.code == .cannotOpen)
  }

  @Test func inMemoryDatabasesAreSeparate() throws {
    let db = try Database.inMemory(migrations: [Todo.migration])
    try db.save(Todo(text: "a"))
    #expect(db.isInMemory)
    #expect(try Database.inMemory(migrations: [Todo.migration]).rows("SELECT * FROM Todo").isEmpty)
  }
}
