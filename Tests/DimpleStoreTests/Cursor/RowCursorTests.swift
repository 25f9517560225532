import DimpleStore
import Testing

/// What a cursor delivers.
@Suite(.timeLimit(.minutes(10))) struct RowCursorTests {
  private static let batch = 4

  @Test(arguments: [0, 1, batch - 1, batch, batch + 1, 3 * batch + 1])
  func allRowsComeOnceAndInOrder(count: Int) async throws {
    let rows = try CountedRows(count)
    var numbers: [Int] = []
    for try await row in rows.db.cursor(NumberRow.self, CountedRows.query, batchSize: Self.batch) {
      #expect(row.label == "label \(row.number)")
      numbers.append(row.number)
    }
    #expect(numbers == Array(1..<(count + 1)))
    #expect(rows.counter.count == count)
  }

  @Test func noMoreThanABatchIsReadAhead() async throws {
    let rows = try CountedRows(1000)
    for try await row in rows.db.cursor(NumberRow.self, CountedRows.query, batchSize: 10) where row.number == 1 {
      break
    }
    #expect(rows.counter.count == 10)
  }

  @Test func theNextRowsAreReadWhenThoseBeforeAreUsedUp() async throws {
    let rows = try CountedRows(1000)
    var iterator = rows.db.cursor(NumberRow.self, CountedRows.query, batchSize: 10).makeAsyncIterator()
    #expect(rows.counter.count == 0)
    for number in 1...35 {
      #expect(try await iterator.next()?.number == number)
      #expect(rows.counter.count == (number + 9) / 10 * 10)
    }
  }

  @Test func theUsualBatchIsOf256Rows() async throws {
    let rows = try CountedRows(300)
    var iterator = rows.db.cursor(NumberRow.self, CountedRows.query).makeAsyncIterator()
    _ = try await iterator.next()
    #expect(rows.counter.count == 256)
  }

  @Test func aBatchHasAtLeastOneRow() async throws {
    let rows = try CountedRows(3)
    var iterator = rows.db.cursor(Int.self, CountedRows.query, batchSize: 0).makeAsyncIterator()
    #expect(try await iterator.next() == 1)
    #expect(rows.counter.count == 1)
    #expect(try await iterator.next() == 2)
  }

  @Test func rowsAreMadeInEachOfTheWays() async throws {
    struct ByHand: RowDecodable, Sendable {
      let text: String
      init(row: borrowing RowReader) throws { text = try row["label"] }
    }
    struct BothWays: RowDecodable, Decodable, Sendable {
      let text: String
      init(row: borrowing RowReader) throws { text = "by hand " + (try row[1] as String) }
      init(from decoder: any Decoder) throws { text = "decoded" }
    }
    let counted = try CountedRows(5)
    let db = counted.db
    let snapshot = try db.snapshot()
    let query = CountedRows.query
    let labels = (1...5).map { "label \($0)" }
    #expect(try await all(db.cursor(ByHand.self, query, batchSize: 2)).map(\.text) == labels)
    #expect(try await all(snapshot.cursor(ByHand.self, query, batchSize: 2)).map(\.text) == labels)
    #expect(try await all(db.cursor(BothWays.self, query)).map(\.text) == labels.map { "by hand \($0)" })
    #expect(try await all(snapshot.cursor(BothWays.self, query)).map(\.text) == labels.map { "by hand \($0)" })
    #expect(try await all(db.cursor((Int, String).self, query, batchSize: 2)).map(\.1) == labels)
    #expect(try await all(snapshot.cursor((Int, String).self, query, batchSize: 2)).map(\.0) == Array(1...5))
    #expect(try await all(db.cursor(query, batchSize: 2)).map(\.["label"]) == labels.map { .text($0) })
    #expect(try await all(snapshot.cursor(query, batchSize: 2)).map(\.["label"]) == labels.map { .text($0) })
    #expect(try await all(snapshot.cursor(NumberRow.self, query, batchSize: 2)).map(\.label) == labels)
    let some: SQL = "SELECT number FROM Number WHERE number > \(2) AND number IN \([1, 3, 5])"
    #expect(try await all(db.cursor(Int.self, some, batchSize: 1)) == [3, 5])
  }

  @Test func eachIterationIsANewRunOnANewMoment() async throws {
    let counted = try CountedRows(3)
    let db = counted.db
    let cursor = db.cursor(Int.self, "SELECT number FROM Number ORDER BY number", batchSize: 2)
    #expect(try await all(cursor) == [1, 2, 3])
    try await db.execute("INSERT INTO Number (number) VALUES (4)")
    #expect(try await all(cursor) == [1, 2, 3, 4])
    var first = cursor.makeAsyncIterator()
    #expect(try await first.next() == 1)
    try await db.execute("DELETE FROM Number WHERE number < 3")
    var second = cursor.makeAsyncIterator()
    #expect(try await second.next() == 3)
    #expect(try await first.next() == 2)
    #expect(try await first.next() == 3)
  }

  @Test func theConsumerWritesBetweenRowsAndDoesNotSeeIt() async throws {
    let rows = try CountedRows(20) { $0.readerCount = 1 }
    var seen: [Int] = []
    for try await number in rows.db.cursor(Int.self, CountedRows.query, batchSize: 3) {
      seen.append(number)
      try await rows.db.execute("INSERT INTO Number (number) VALUES (\(number + 1000))")
      try await rows.db.execute("DELETE FROM Number WHERE number = \(number + 1)")
      #expect(try await rows.db.count("SELECT 1 FROM Number WHERE number > 1000") == number)
    }
    #expect(seen == Array(1...20))
  }

  @Test func aMainActorsConsumerStaysOnIt() async throws {
    let rows = try CountedRows(10)
    try await sumOnMainActor(rows.db)
  }

  @MainActor private func sumOnMainActor(_ db: Database) async throws {
    var sum = 0
    for try await number in db.cursor(Int.self, CountedRows.query, batchSize: 3) {
      MainActor.assertIsolated()
      sum += number
    }
    #expect(sum == 55)
  }

  @Test func theEndIsTheEnd() async throws {
    let rows = try CountedRows(2)
    var iterator = rows.db.cursor(Int.self, CountedRows.query).makeAsyncIterator()
    _ = try await iterator.next()
    _ = try await iterator.next()
    #expect(try await iterator.next() == nil)
    #expect(try await iterator.next() == nil)
    #expect(rows.counter.count == 2)
  }

  @Test(arguments: [true, false])
  func withOneConnectionAllRowsAreReadAtOnce(inMemory: Bool) async throws {
    let rows = try CountedRows(10, inMemory: inMemory) { if !inMemory { $0.journalMode = .delete } }
    var seen: [Int] = []
    for try await number in rows.db.cursor(Int.self, CountedRows.query, batchSize: 2) {
      seen.append(number)
      #expect(rows.counter.count == 10)
      try await rows.db.execute("INSERT INTO Number (number) VALUES (\(number + 1000))")
    }
    #expect(seen == Array(1...10))
    #expect(try await rows.db.count("SELECT 1 FROM Number") == 20)
  }

  private func all<Element>(_ cursor: RowCursor<Element>) async throws -> [Element] {
    var result: [Element] = []
    for try await element in cursor { result.append(element) }
    return result
  }
}
