import DimpleChangelog
import DimpleStore
import DimpleTestSupport
import Testing

@Suite("Following the log", .timeLimit(.minutes(10)))
struct ChangeFeedTests {
  private static let schema = "CREATE TABLE IF NOT EXISTS A(id INTEGER PRIMARY KEY, x)"

  private func numbers(_ feed: ChangeFeed, count: Int) async throws -> [Int64] {
    var numbers: [Int64] = []
    if count == 0 { return [] }
    for try await transaction in feed {
      numbers.append(transaction.number)
      if numbers.count == count { break }
    }
    return numbers
  }

  @Test func whatIsThereComesFirstThenWhatCommits() async throws {
    let t = try TrackedDatabase(Self.schema)
    try t.script("INSERT INTO A VALUES (1, 'a')")
    var feed = try t.changelog.follow().makeAsyncIterator()
    #expect(try await feed.next()?.changes.map(describe) == ["insert A[1] x='a'"])
    try t.script("UPDATE A SET x = 'b'; INSERT INTO A VALUES (2, 'c')")
    let second = try await feed.next()
    #expect(second?.number == 2)
    #expect(second?.changes.map(describe) == ["update A[1] x='b'", "insert A[2] x='c'"])
  }

  @Test func beginsBehindTheGivenNumber() async throws {
    let t = try TrackedDatabase(Self.schema)
    for id in 1...5 { try t.script("INSERT INTO A VALUES (\(id), 0)") }
    #expect(try await numbers(t.changelog.follow(after: 3), count: 2) == [4, 5])
    #expect(try await numbers(t.changelog.follow(after: -3), count: 5) == [1, 2, 3, 4, 5])
  }

  @Test func whatDoesNotMatchIsPassedOver() async throws {
    let t = try TrackedDatabase(Self.schema + "; CREATE TABLE B(id INTEGER PRIMARY KEY)")
    var feed = try t.changelog.follow(matching: ChangeFilter(tables: ["B"])).makeAsyncIterator()
    for id in 1...3 { try t.script("INSERT INTO A VALUES (\(id), 0)") }
    try t.script("INSERT INTO A VALUES (9, 0); INSERT INTO B VALUES (1)")
    let found = try await feed.next()
    #expect(found?.number == 4)
    #expect(found?.changes.map(describe) == ["insert B[1]"])
  }

  @Test func moreThanAPageIsReadPageByPage() async throws {
    let t = try TrackedDatabase(Self.schema)
    for batch in 0..<5 {
      try await t.database.write { connection in
        for id in 0..<700 { try connection.execute("INSERT INTO A VALUES (\(batch * 700 + id), 0)") }
      }
    }
    for id in 0..<30 { try t.script("INSERT INTO A VALUES (\(10_000 + id), 0)") }
    var changes = 0
    var seen: [Int64] = []
    for try await transaction in try t.changelog.follow() {
      seen.append(transaction.number)
      changes += transaction.changes.count
      if transaction.number == 35 { break }
    }
    #expect(seen == Array(1...35) && changes == 3530)
  }

  @Test func cancellingEndsAFeedThatWaits() async throws {
    let t = try TrackedDatabase(Self.schema)
    try t.script("INSERT INTO A VALUES (1, 'a')")
    let feed = try t.changelog.follow()
    let (began, continuation) = AsyncStream<Void>.makeStream()
    let task = Task {
      var count = 0
      for try await _ in feed {
        count += 1
        continuation.yield()
      }
      return count
    }
    for await _ in began { break }
    task.cancel()
    #expect(try await task.value == 1)
  }

  @Test func aRolledBackTransactionDoesNotCome() async throws {
    struct Stop: Error {}
    let t = try TrackedDatabase(Self.schema)
    var feed = try t.changelog.follow().makeAsyncIterator()
    await #expect(throws: Stop.self) {
      try await t.database.write { connection in
        try connection.execute("INSERT INTO A VALUES (1, 'a')")
        throw Stop()
      }
    }
    try t.script("INSERT INTO A VALUES (2, 'b')")
    #expect(try await feed.next()?.changes.map(describe) == ["insert A[2] x='b'"])
  }

  @Test func aSuspensionIsWaitedOut() async throws {
    let file = try TemporaryFile()
    let t = try TrackedDatabase(Self.schema, path: file.path)
    try t.script("INSERT INTO A VALUES (1, 'a')")
    var feed = try t.changelog.follow().makeAsyncIterator()
    #expect(try await feed.next()?.number == 1)
    try t.script("INSERT INTO A VALUES (2, 'b')")
    try t.database.suspend()
    let resuming = Task { t.database.resume() }
    #expect(try await feed.next()?.number == 2)
    await resuming.value
  }

  @Test func aClosedDatabaseIsAnError() async throws {
    let t = try TrackedDatabase(Self.schema)
    try t.script("INSERT INTO A VALUES (1, 'a')")
    var feed = try t.changelog.follow().makeAsyncIterator()
    try await t.database.close()
    let error = await #expect(throws: StoreError.self) { _ = try await feed.next() }
    #expect(error?.code == .closed)
  }

  /// Two databases on one file, as two processes have it; readers on both while both write.
  @Test(arguments: [1, 2, 3] as [UInt64])
  func nothingIsLostOrDoubledWhileOthersCommit(seed: UInt64) async throws {
    let file = try TemporaryFile()
    let one = try TrackedDatabase(Self.schema, path: file.path)
    let two = try TrackedDatabase(path: file.path)
    let count = 120
    let feeds = [try one.changelog.follow(), try two.changelog.follow(), try one.changelog.follow(after: 40)]
    let seen = try await withThrowingTaskGroup(of: (Int, [Int64], Set<Int64>).self) { group in
      for (index, feed) in feeds.enumerated() {
        group.addTask {
          var numbers: [Int64] = []
          var keys: Set<Int64> = []
          for try await transaction in feed {
            numbers.append(transaction.number)
            for case .integer(let key) in transaction.changes.flatMap(\.key) { keys.insert(key) }
            if numbers.last == Int64(2 * count) { break }
          }
          return (index, numbers, keys)
        }
      }
      for (index, t) in [one, two].enumerated() {
        group.addTask {
          var random = SeededRandom(seed: seed &+ UInt64(index))
          for id in 0..<count {
            if random.oneIn(3) { await Task.yield() }
            try await t.database.write { try $0.execute("INSERT INTO A VALUES (\(2 * id + index), 0)") }
          }
          return (-1, [], [])
        }
      }
      var seen: [Int: ([Int64], Set<Int64>)] = [:]
      for try await (index, numbers, keys) in group { seen[index] = (numbers, keys) }
      return seen
    }
    for index in 0...1 {
      #expect(seen[index]?.0 == Array(1...Int64(2 * count)))
      #expect(seen[index]?.1 == Set(0..<Int64(2 * count)))
    }
    #expect(seen[2]?.0 == Array(41...Int64(2 * count)))
  }
}
