import Testing

@testable import DimpleStore

/// Why write transactions take the write lock at their beginning: docs/decisions/0009-write-transactions-are-immediate.md.
@Suite(.timeLimit(.minutes(10))) struct WriteLockTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func open() throws -> Database {
    try Database(
      folder.path(),
      migrations: [
        Migration("counter", "CREATE TABLE Counter (n INTEGER NOT NULL)"),
        Migration("zero", "INSERT INTO Counter VALUES (0)"),
      ])
  }

  @Test func aDeferredTransactionThatReadFirstCannotWriteAfterAnothersCommit() throws {
    let (db, other) = (try open(), try open())
    try db.writer.run { connection in
      connection.access = .write
      try connection.executeControl("BEGIN DEFERRED")
      #expect(try connection.queryOne(Int.self, "SELECT n FROM Counter") == 0)
      try other.execute("UPDATE Counter SET n = n + 1")
      // Trying again, or waiting, is of no use: only the transaction as a whole can be run again.
      for _ in 0..<2 {
        let error = storeError { try connection.execute("UPDATE Counter SET n = n + 1") }
        #expect(error?.code == .busy)
        #expect(error?.isRetryable == true)
        // SQLITE_BUSY_SNAPSHOT
        #expect(error?.extendedCode == 517)
      }
      connection.rollBack()
    }
    #expect(try db.write { try $0.execute("UPDATE Counter SET n = n + 1") } == 1)
    #expect(try other.queryOne(Int.self, "SELECT n FROM Counter") == 2)
  }

  @Test func whatAWriteHasReadStaysTrueUntilItCommits() async throws {
    let databases = [try open(), try open()]
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<60 {
        let db = databases[number % 2]
        group.addTask {
          try await db.write { connection in
            let n = try connection.queryOne(Int.self, "SELECT n FROM Counter") ?? 0
            try connection.execute("UPDATE Counter SET n = \(n + 1)")
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(try await databases[0].queryOne(Int.self, "SELECT n FROM Counter") == 60)
  }

  @Test func whatIsReadFirstTakesNoLockAndIsLookedAtAgain() throws {
    let (db, other) = (try open(), try open())
    let isNeeded = try db.read { connection in
      // Nobody is kept from writing by a read, however long it takes.
      try other.execute("UPDATE Counter SET n = 5")
      return try connection.queryOne(Int.self, "SELECT n FROM Counter") == 5
    }
    try #require(isNeeded)
    let changed = try db.write { try $0.execute("UPDATE Counter SET n = 0 WHERE n = 5") }
    #expect(changed == 1)
    // Another was faster: the condition in the statement says so.
    #expect(try other.write { try $0.execute("UPDATE Counter SET n = 0 WHERE n = 5") } == 0)
  }
}
