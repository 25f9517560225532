import DimpleReactive
import DimpleStore
import DimpleTestSupport
import Foundation
import Testing

@Suite("Live queries")
struct LiveQueryTests {
  struct Todo: Entity, Equatable {
    var id: Int
    var text: String
    var done = false
  }

  private static let migrations = [
    Migration(
      "todo", "CREATE TABLE Todo (id INTEGER PRIMARY KEY, text TEXT NOT NULL, done BOOLEAN NOT NULL DEFAULT 0)"),
    Migration("other", "CREATE TABLE Other (id INTEGER PRIMARY KEY)"),
    Migration("view", "CREATE VIEW Open AS SELECT text FROM Todo WHERE NOT done"),
  ]

  private func database() throws -> Database { try Database.inMemory(migrations: Self.migrations) }

  @Test func theFirstValueComesAtOnceAndLaterOnesAfterCommits() async throws {
    let database = try database()
    var results = database.observe(Todo.self, "SELECT * FROM Todo ORDER BY id").makeAsyncIterator()
    #expect(try await results.next() == [])
    try await database.save(Todo(id: 1, text: "a"))
    #expect(try await results.next() == [Todo(id: 1, text: "a")])
    try await database.execute("UPDATE Todo SET text = 'b'")
    #expect(try await results.next() == [Todo(id: 1, text: "b")])
    try await database.execute("DELETE FROM Todo")
    #expect(try await results.next() == [])
  }

  @Test func aSuspensionIsWaitedOut() async throws {
    let database = try Database.temporary(migrations: Self.migrations)
    var results = database.observe(Todo.self, "SELECT * FROM Todo ORDER BY id").makeAsyncIterator()
    #expect(try await results.next() == [])
    try await database.save(Todo(id: 1, text: "a"))
    try database.suspend()
    database.resume()
    #expect(try await results.next() == [Todo(id: 1, text: "a")])
    var late = database.observe(Todo.self, "SELECT * FROM Todo").makeAsyncIterator()
    #expect(try await late.next()?.count == 1)
  }

  /// Runs `body`, then a commit that must show; what is delivered next must be that, and nothing before it.
  private func expectSilence(
    _ sql: SQL, _ body: (Database) async throws -> Void, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    let database = try database()
    try await database.execute("INSERT INTO Todo (id, text) VALUES (1, 'a')")
    var results = database.observeRows(sql).makeAsyncIterator()
    let first = try await results.next()
    try await body(database)
    try await database.execute("INSERT INTO Todo (id, text) VALUES (99, 'last')")
    let second = try await results.next()
    #expect(second?.count == (first?.count ?? 0) + 1, sourceLocation: sourceLocation)
  }

  @Test func otherTablesDoNotCount() async throws {
    try await expectSilence("SELECT text FROM Todo") { try await $0.execute("INSERT INTO Other VALUES (1)") }
  }

  @Test func columnsThatAreNotReadDoNotCount() async throws {
    try await expectSilence("SELECT text FROM Todo") { try await $0.execute("UPDATE Todo SET done = 1") }
  }

  @Test func aRolledBackTransactionDoesNotCount() async throws {
    struct Changed: Error {}
    try await expectSilence("SELECT text FROM Todo") { database in
      await #expect(throws: Changed.self) {
        try await database.write { connection in
          try connection.execute("DELETE FROM Todo")
          throw Changed()
        }
      }
    }
  }

  @Test func aWriteThatChangesNoResultDoesNotCount() async throws {
    try await expectSilence("SELECT text FROM Todo WHERE id <> 2") { database in
      try await database.execute("INSERT INTO Todo (id, text) VALUES (2, 'hidden')")
      try await database.execute("UPDATE Todo SET text = text")
    }
  }

  @Test func columnPrecisionComesFromSQLiteNotFromTheText() async throws {
    let database = try database()
    let counted = try await database.read { connection in
      let event = CommitEvent(tables: ["Todo": TableChange(updatedColumns: ["done"])])
      return try [
        "SELECT text FROM Todo", "SELECT count(*) FROM Todo", "SELECT * FROM Open", "SELECT id FROM Todo ORDER BY done",
      ]
      .map { event.touches(try connection.readSet(of: "\(raw: $0)")) }
    }
    #expect(counted == [false, false, true, true])
  }

  @Test func triggersAndCascadesCount() async throws {
    let database = try Database.inMemory(migrations: [
      Migration("p", "CREATE TABLE P (id INTEGER PRIMARY KEY)"),
      Migration("c", "CREATE TABLE C (id INTEGER PRIMARY KEY, p REFERENCES P(id) ON DELETE CASCADE)"),
      Migration("l", "CREATE TABLE L (n)"),
      Migration("t", "CREATE TRIGGER T AFTER DELETE ON C BEGIN INSERT INTO L VALUES (OLD.id); END"),
    ])
    try await database.write { connection in
      try connection.execute("INSERT INTO P VALUES (1)")
      try connection.execute("INSERT INTO C VALUES (5, 1)")
    }
    var children = database.observeRows("SELECT * FROM C").makeAsyncIterator()
    var log = database.observeRows("SELECT * FROM L").makeAsyncIterator()
    #expect(try await children.next()?.count == 1)
    #expect(try await log.next()?.count == 0)
    try await database.execute("DELETE FROM P")
    #expect(try await children.next()?.count == 0)
    #expect(try await log.next()?.count == 1)
  }

  @Test func aSlowLoopSkipsToTheNewestResult() async throws {
    let database = try database()
    var results = database.observeOne(Int.self, "SELECT count(*) FROM Todo").makeAsyncIterator()
    #expect(try await results.next() == .some(0))
    for id in 1...50 { try await database.save(Todo(id: id, text: "x")) }
    #expect(try await results.next() == .some(50))
  }

  @Test func aMigrationIsFollowed() async throws {
    let database = try database()
    try await database.save(Todo(id: 1, text: "a"))
    var results = database.observeRows("SELECT * FROM Todo").makeAsyncIterator()
    #expect(try await results.next()?.first?.count == 3)
    try await database.execute("ALTER TABLE Todo ADD COLUMN extra INTEGER DEFAULT 7")
    #expect(try await results.next()?.first?["extra"] == .integer(7))
    try await database.execute("UPDATE Todo SET extra = 8")
    #expect(try await results.next()?.first?["extra"] == .integer(8))
  }

  @Test func cancellationEndsTheLoop() async throws {
    let database = try database()
    let (started, start) = AsyncStream<Void>.makeStream()
    let task = Task {
      var count = 0
      for try await _ in database.observeRows("SELECT * FROM Todo") {
        count += 1
        start.yield()
      }
      return count
    }
    for await _ in started { break }
    task.cancel()
    #expect(try await task.value == 1)
  }

  @Test func wrongSQLIsThrown() async throws {
    var results = try database().observeRows("SELECT * FROM Nothing").makeAsyncIterator()
    await #expect(throws: StoreError.self) { try await results.next() }
  }

  @Test func oneLoopAmongManyWritersMissesNothing() async throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "dimple-live-\(UUID()).db").path()
    defer { for ending in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + ending) } }
    let database = try Database(path, migrations: Self.migrations)
    let writers = 4
    let each = 50
    try await withThrowingTaskGroup(of: Void.self) { group in
      for writer in 0..<writers {
        group.addTask {
          for index in 0..<each { try await database.save(Todo(id: writer * each + index, text: "x")) }
        }
      }
      group.addTask {
        var last = -1
        for try await count in database.observeOne(Int.self, "SELECT count(*) FROM Todo") {
          let count = try #require(count)
          // Ascending: no phantom, no repetition.
          #expect(count > last)
          last = count
          if count == writers * each { return }
        }
      }
      try await group.waitForAll()
    }
    try await database.close()
  }

  @Test func anotherConnectionsCommitIsNoticed() async throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "dimple-live-\(UUID()).db").path()
    defer { for ending in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + ending) } }
    let mine = try Database(path, migrations: Self.migrations)
    let theirs = try Database(path, migrations: Self.migrations)
    var results = mine.observeOne(Int.self, "SELECT count(*) FROM Todo").makeAsyncIterator()
    #expect(try await results.next() == .some(0))
    for count in 1...3 {
      try await theirs.save(Todo(id: count, text: "x"))
      #expect(try await results.next() == .some(count))
    }
    try await mine.close()
    try await theirs.close()
  }
}
