import DimpleStore
import Testing

/// How a cursor ends before its last row.
@Suite(.timeLimit(.minutes(10))) struct RowCursorErrorsTests {
  /// The rows before the error, and its code.
  private func consume<Element>(_ cursor: RowCursor<Element>) async -> (rows: [Element], code: StoreError.Code?) {
    var rows: [Element] = []
    let error = await storeError { for try await row in cursor { rows.append(row) } }
    return (rows, error?.code)
  }

  @Test(arguments: [1, 3, 4, 5, 9])
  func anErrorInARowComesAfterTheRowsBeforeIt(row: Int) async throws {
    let rows = try CountedRows(10)
    try await rows.db.execute("UPDATE Number SET label = NULL WHERE number = \(row)")
    let cursor = rows.db.cursor(NumberRow.self, CountedRows.query, batchSize: 4)
    let (numbers, code) = await consume(cursor)
    #expect(numbers.map(\.number) == Array(1..<row))
    #expect(code == .typeMismatch)
    let snapshot = try rows.db.snapshot()
    let (again, sameCode) = await consume(snapshot.cursor(NumberRow.self, CountedRows.query, batchSize: 4))
    #expect(again == numbers)
    #expect(sameCode == .typeMismatch)
    #expect(try await snapshot.queryOne(Int.self, "SELECT count(*) FROM Number") == 10)
  }

  @Test func theErrorNamesTheRowOfTheWholeResult() async throws {
    let rows = try CountedRows(10)
    try await rows.db.execute("UPDATE Number SET label = NULL WHERE number = 7")
    let error = await storeError {
      for try await _ in rows.db.cursor(NumberRow.self, CountedRows.query, batchSize: 2) {}
    }
    #expect(error?.operation.contains("row 7") == true)
  }

  @Test(arguments: [1, 4, 5, 9], [true, false])
  func aFunctionThatThrowsEndsItAfterTheRowsBefore(row: Int, inMemory: Bool) async throws {
    struct Refused: Error {}
    let rows = try CountedRows(10, inMemory: inMemory)
    rows.counter.onRow(Int64(row)) { throw Refused() }
    var iterator = rows.db.cursor(Int.self, CountedRows.query, batchSize: 4).makeAsyncIterator()
    for number in 1..<row { #expect(try await iterator.next() == number) }
    let error = await storeError { _ = try await iterator.next() }
    #expect(error?.code == .functionFailed)
    #expect(error?.underlying is Refused)
    #expect(try await iterator.next() == nil)
    #expect(rows.counter.count == row)
  }

  @Test func wrongSQLIsToldByTheFirstRow() async throws {
    let counted = try CountedRows(1)
    let db = counted.db
    #expect(await consume(db.cursor(Int.self, "SELECT * FROM Missing")).code == .sqlError)
    #expect(await consume(db.cursor(Int.self, "DELETE FROM Number RETURNING number")).code == .readOnly)
    #expect(await consume(db.cursor(Int.self, SQL(raw: "SELECT ?"))).code == .wrongArgumentCount)
    #expect(try await db.queryOne(Int.self, "SELECT count(*) FROM Number") == 1)
  }

  @Test func cancellingWhileRowsAreReadInterruptsTheQuery() async throws {
    let rows = try CountedRows(4)
    let (reached, signal) = AsyncStream.makeStream(of: Void.self)
    // From the second batch on, there is no end to it.
    rows.counter.onRow(3) { signal.finish() }
    let query: SQL = """
      SELECT counted(number) FROM Number WHERE number < 3 UNION ALL
      SELECT * FROM (WITH RECURSIVE n (i) AS (SELECT counted(3) UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n)
      """
    let task = Task {
      var seen: [Int] = []
      do {
        for try await number in rows.db.cursor(Int.self, query, batchSize: 2) { seen.append(number) }
      } catch is CancellationError { return (seen, true) }
      return (seen, false)
    }
    for await _ in reached {}
    task.cancel()
    let (seen, isCancelled) = try await task.value
    #expect(seen == [1, 2])
    #expect(isCancelled)
  }

  @Test func cancellingBetweenTwoRowsDropsThoseAtHand() async throws {
    for inMemory in [true, false] {
      let rows = try CountedRows(10, inMemory: inMemory)
      let db = rows.db
      let task = Task { () async throws in
        var iterator = db.cursor(Int.self, CountedRows.query, batchSize: 10).makeAsyncIterator()
        #expect(try await iterator.next() == 1)
        withUnsafeCurrentTask { $0?.cancel() }
        await #expect(throws: CancellationError.self) { _ = try await iterator.next() }
        #expect(try await iterator.next() == nil)
      }
      try await task.value
    }
  }

  @Test func closingMeanwhileEndsItAfterTheRowsAtHand() async throws {
    let rows = try CountedRows(10)
    let snapshot = try rows.db.snapshot()
    var own = rows.db.cursor(Int.self, CountedRows.query, batchSize: 2).makeAsyncIterator()
    var shared = snapshot.cursor(Int.self, CountedRows.query, batchSize: 2).makeAsyncIterator()
    #expect(try await own.next() == 1)
    #expect(try await shared.next() == 1)
    try await rows.db.close()
    #expect(try await own.next() == 2)
    #expect(try await shared.next() == 2)
    #expect(await storeError { _ = try await own.next() }?.code == .closed)
    #expect(await storeError { _ = try await shared.next() }?.code == .closed)
    #expect(try await own.next() == nil)
    #expect(await consume(rows.db.cursor(Int.self, CountedRows.query)).code == .closed)
  }

  @Test func suspendingMeanwhileEndsItAndItCanBeIteratedAgainLater() async throws {
    let rows = try CountedRows(10)
    let snapshot = try rows.db.snapshot()
    let cursor = rows.db.cursor(Int.self, CountedRows.query, batchSize: 2)
    var own = cursor.makeAsyncIterator()
    var shared = snapshot.cursor(Int.self, CountedRows.query, batchSize: 2).makeAsyncIterator()
    var late = cursor.makeAsyncIterator()
    _ = try await (own.next(), own.next(), shared.next(), shared.next(), late.next(), late.next())
    try rows.db.suspend()
    let error = await storeError { _ = try await own.next() }
    #expect(error?.code == .suspended)
    #expect(error?.hint.isEmpty == false)
    #expect(await consume(cursor).code == .suspended)
    rows.db.resume()
    // Asked only now: its moment is gone all the same.
    #expect(await storeError { _ = try await late.next() }?.code == .suspended)
    #expect(await storeError { _ = try await shared.next() }?.code == .suspended)
    #expect(await consume(cursor).rows == Array(1...10))
  }

  @Test func suspendingStopsRowsThatAreBeingRead() async throws {
    let rows = try CountedRows(1)
    let (reached, signal) = AsyncStream.makeStream(of: Void.self)
    rows.counter.onRow(1) { signal.finish() }
    let task = Task {
      let query: SQL = "WITH RECURSIVE n (i) AS (SELECT counted(1) UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
      return await consume(rows.db.cursor(Int.self, query)).code
    }
    for await _ in reached {}
    try rows.db.suspend()
    #expect(await task.value == .suspended)
  }

  @Test func aReleasedSnapshotEndsItsCursors() async throws {
    let rows = try CountedRows(10)
    let snapshot = try rows.db.snapshot()
    var iterator = snapshot.cursor(Int.self, CountedRows.query, batchSize: 1).makeAsyncIterator()
    #expect(try await iterator.next() == 1)
    try snapshot.release()
    #expect(await storeError { _ = try await iterator.next() }?.code == .closed)
  }
}
