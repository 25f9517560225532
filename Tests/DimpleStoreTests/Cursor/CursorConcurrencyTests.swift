import Testing

@testable import DimpleStore

/// Cursors beside others, and what they give back.
@Suite(.timeLimit(.minutes(10))) struct CursorConcurrencyTests {
  private struct Stop: Error {}

  private static let limit = 3

  private func open(_ count: Int = 100) throws -> CountedRows {
    try CountedRows(count) { $0.maximumSnapshotCount = Self.limit }
  }

  private func cursor(_ rows: CountedRows) -> RowCursor<Int> {
    rows.db.cursor(Int.self, CountedRows.query, batchSize: 5)
  }

  /// As many cursors can be open as ever.
  private func expectAllPlacesFree(_ rows: CountedRows) async throws {
    #expect(rows.db.snapshots.count == 0)
    var iterators = (0..<Self.limit).map { _ in cursor(rows).makeAsyncIterator() }
    for index in iterators.indices { #expect(try await iterators[index].next() == 1) }
    #expect(rows.db.snapshots.count == Self.limit)
    let error = await storeError { for try await _ in cursor(rows) {} }
    #expect(error?.code == .tooManySnapshots)
    #expect(error?.isRetryable == true)
    #expect(storeError { _ = try rows.db.snapshot() }?.code == .tooManySnapshots)
    // Each is still at its own place.
    for index in iterators.indices { for number in 2...12 { #expect(try await iterators[index].next() == number) } }
  }

  @Test func leavingTheLoopGivesTheConnectionBack() async throws {
    let rows = try open()
    for _ in 0..<10 {
      for try await number in cursor(rows) where number == 7 { break }
      #expect(rows.db.snapshots.count == 0)
      await #expect(throws: Stop.self) { for try await _ in cursor(rows) { throw Stop() } }
      #expect(rows.db.snapshots.count == 0)
    }
    try await expectAllPlacesFree(rows)
  }

  @Test func lettingTheIteratorGoGivesTheConnectionBack() async throws {
    let rows = try open()
    for _ in 0..<10 {
      var iterator: RowCursor<Int>.AsyncIterator? = cursor(rows).makeAsyncIterator()
      #expect(try await iterator?.next() == 1)
      #expect(rows.db.snapshots.count == 1)
      iterator = nil
      #expect(rows.db.snapshots.count == 0)
    }
    try await expectAllPlacesFree(rows)
  }

  @Test func theLastRowGivesTheConnectionBackBeforeItIsConsumed() async throws {
    let rows = try open(3)
    var iterator = cursor(rows).makeAsyncIterator()
    #expect(try await iterator.next() == 1)
    #expect(rows.db.snapshots.count == 0)
    #expect(try await iterator.next() == 2)
    #expect(try await iterator.next() == 3)
    #expect(try await iterator.next() == nil)
  }

  @Test func cancellingAndFailingGiveTheConnectionBack() async throws {
    let rows = try open()
    for _ in 0..<10 {
      let task = Task {
        for try await number in cursor(rows) where number == 7 { withUnsafeCurrentTask { $0?.cancel() } }
      }
      await #expect(throws: CancellationError.self) { try await task.value }
      #expect(await storeError { for try await _ in rows.db.cursor(Int.self, "SELECT * FROM Missing") {} } != nil)
      #expect(await storeError { for try await _ in rows.db.cursor(Int.self, "SELECT NULL") {} } != nil)
    }
    try await expectAllPlacesFree(rows)
  }

  @Test func aCursorThatIsLetGoKeepsNoStatementOfItsSnapshot() async throws {
    let rows = try open()
    let snapshot = try rows.db.snapshot()
    for _ in 0..<5 {
      for try await number in snapshot.cursor(Int.self, CountedRows.query, batchSize: 5) where number == 7 { break }
    }
    // Its turn comes after what the cursors left to do.
    #expect(try await snapshot.read { $0.cursors.count + $0.activeStatements } == 0)
    #expect(try await snapshot.read { try $0.queryOne(Int.self, CountedRows.query) } == 1)
  }

  @Test func cursorsAndReadsOnOneSnapshotTakeTurns() async throws {
    let rows = try open(50)
    let snapshot = try rows.db.snapshot()
    try await rows.db.execute("DELETE FROM Number WHERE number > 10")
    var first = snapshot.cursor(Int.self, CountedRows.query, batchSize: 4).makeAsyncIterator()
    // The same SQL: each has a statement of its own.
    var second = snapshot.cursor(Int.self, CountedRows.query, batchSize: 7).makeAsyncIterator()
    var third = snapshot.cursor(Int.self, "SELECT -number FROM Number ORDER BY 1", batchSize: 1).makeAsyncIterator()
    for number in 1...50 {
      #expect(try await first.next() == number)
      #expect(try await snapshot.queryOne(Int.self, CountedRows.query) == 1)
      #expect(try await second.next() == number)
      #expect(try await third.next() == number - 51)
      // One left in the middle, with rows of its own.
      try await snapshot.read { connection in
        try connection.forEach(Int.self, "SELECT number FROM Number") { $0 < 3 }
      }
    }
    #expect(try await first.next() == nil)
    #expect(try await second.next() == nil)
    #expect(try await third.next() == nil)
    #expect(try await snapshot.queryOne(Int.self, "SELECT count(*) FROM Number") == 50)
    #expect(try await snapshot.read { $0.cursors.count + $0.activeStatements } == 0)
  }

  @Test func aFailedReadLeavesTheSnapshotsCursorsWhereTheyAre() async throws {
    let rows = try open(20)
    let snapshot = try rows.db.snapshot()
    var iterator = snapshot.cursor(Int.self, CountedRows.query, batchSize: 2).makeAsyncIterator()
    for number in 1...20 {
      #expect(try await iterator.next() == number)
      #expect(await storeError { _ = try await snapshot.query(Int.self, "SELECT abs(-9223372036854775808)") } != nil)
      #expect(await storeError { try await snapshot.read { _ = try $0.execute("DELETE FROM Number") } } != nil)
    }
    #expect(try await iterator.next() == nil)
  }

  @Test func aCancelledCursorLeavesItsNeighboursWhereTheyAre() async throws {
    let rows = try open(20)
    let snapshot = try rows.db.snapshot()
    var neighbour = snapshot.cursor(Int.self, CountedRows.query, batchSize: 2).makeAsyncIterator()
    #expect(try await neighbour.next() == 1)
    let (reached, signal) = AsyncStream.makeStream(of: Void.self)
    rows.counter.onRow(-1) { signal.finish() }
    let task = Task {
      let query: SQL = "WITH RECURSIVE n (i) AS (SELECT counted(-1) UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
      for try await _ in snapshot.cursor(Int.self, query) {}
    }
    for await _ in reached {}
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    for number in 2...20 { #expect(try await neighbour.next() == number) }
    #expect(try await neighbour.next() == nil)
  }

  @Test func aCursorKeepsItsSnapshotAndItsDatabase() async throws {
    var rows: CountedRows? = try open(20)
    let folder = rows?.folder
    var own = try #require(rows).db.cursor(Int.self, CountedRows.query, batchSize: 2).makeAsyncIterator()
    var shared = try #require(rows).db.snapshot().cursor(Int.self, CountedRows.query, batchSize: 2).makeAsyncIterator()
    rows = nil
    for number in 1...20 {
      #expect(try await own.next() == number)
      #expect(try await shared.next() == number)
    }
    withExtendedLifetime(folder) {}
  }

  @Test func manyCursorsAtOnceReadAllOrAreRefused() async throws {
    let rows = try open(200)
    let outcomes = try await withThrowingTaskGroup(of: Int?.self) { group in
      for number in 0..<60 {
        group.addTask {
          var sum = 0
          do {
            for try await value in cursor(rows) {
              sum += value
              if number % 10 == 0, value == 50 { try await rows.db.execute("UPDATE Number SET label = ''") }
            }
            return sum
          } catch let error as StoreError where error.code == .tooManySnapshots { return nil }
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(outcomes.count == 60)
    #expect(outcomes.contains(20_100))
    #expect(outcomes.allSatisfy { $0 == nil || $0 == 20_100 })
    try await expectAllPlacesFree(rows)
  }

  @Test func manyTasksShareASnapshotByCursors() async throws {
    let rows = try open(200)
    let snapshot = try rows.db.snapshot()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<40 {
        group.addTask {
          var last = 0
          for try await value in snapshot.cursor(Int.self, CountedRows.query, batchSize: 1 + number % 7) {
            #expect(value == last + 1)
            last = value
            if number % 3 == 0, value == 100 { break }
          }
          #expect(last == (number % 3 == 0 ? 100 : 200))
        }
      }
      try await group.waitForAll()
    }
    #expect(try await snapshot.read { $0.cursors.count + $0.activeStatements } == 0)
  }

  @Test func closingWhileManyAreOpenEndsThemAll() async throws {
    let rows = try open(1)
    let endless: SQL = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"
    let (started, signal) = AsyncStream.makeStream(of: Void.self)
    let tasks = (0..<Self.limit).map { _ in
      Task {
        for try await _ in rows.db.cursor(Int.self, endless, batchSize: 5) { signal.yield() }
      }
    }
    var iterator = started.makeAsyncIterator()
    await iterator.next()
    try await rows.db.close()
    for task in tasks { #expect(await storeError { try await task.value }?.code == .closed) }
    #expect(rows.db.snapshots.count == 0)
  }
}
