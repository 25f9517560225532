import DimpleMutex
import Foundation
import Testing

@testable import DimpleStore

@Suite(.timeLimit(.minutes(10))) struct ExternalCommitWatcherTests {
  let folder: TemporaryFolder
  let db: Database

  init() throws {
    folder = try TemporaryFolder()
    db = try Database(folder.path(), migrations: [Todo.migration])
  }

  private func events(of db: Database) -> (AsyncStream<CommitEvent>, CommitObservation) {
    let (stream, continuation) = AsyncStream.makeStream(of: CommitEvent.self)
    return (stream, db.observeCommits { continuation.yield($0) })
  }

  @Test func anotherDatabaseOfTheSameFileIsNoticedWithoutAnythingBeingDoneHere() async throws {
    let (stream, observation) = events(of: db)
    let other = try Database(folder.path())
    try await other.save(Todo(text: "from elsewhere"))
    var iterator = stream.makeAsyncIterator()
    let event = try #require(await iterator.next())
    #expect(event.isExternal)
    #expect(try await db.query(String.self, "SELECT text FROM Todo") == ["from elsewhere"])
    observation.cancel()
  }

  @Test func everyLaterCommitIsNoticedToo() async throws {
    let (stream, observation) = events(of: db)
    let other = try Database(folder.path())
    var iterator = stream.makeAsyncIterator()
    for number in 0..<20 {
      try await other.save(Todo(text: "\(number)"))
      // Two looks may fall on one commit, never none: each event is waited for until the row is there.
      var count = 0
      while count <= number {
        #expect(await iterator.next()?.isExternal == true)
        count = try await db.queryOne(Int.self, "SELECT count(*) FROM Todo") ?? 0
      }
    }
    observation.cancel()
  }

  @Test func ownCommitsAreNotTakenForForeignOnes() async throws {
    let (stream, observation) = events(of: db)
    for number in 0..<200 { try await db.save(Todo(text: "\(number)")) }
    let other = try Database(folder.path())
    try await other.save(Todo(text: "last"))
    var own = 0
    for await event in stream {
      if event.isExternal { break }
      own += 1
    }
    #expect(own == 200)
    observation.cancel()
  }

  @Test func aForeignCommitIsToldBeforeTheNextOwnOne() throws {
    let log = EventLog()
    let observation = db.observeCommits { log.append($0) }
    let other = try Database(folder.path())
    try other.save(Todo(text: "foreign"))
    try db.save(Todo(text: "own"))
    #expect(log.taken().map(\.isExternal).prefix(2) == [true, false])
    observation.cancel()
  }

  @Test func anotherProcessIsNoticed() async throws {
    let (stream, observation) = events(of: db)
    let process = Process()
    process.executableURL = StoreClient.url
    process.arguments = [folder.path()]
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    // It creates its table first, and then writes: each is a commit of its own.
    for await event in stream {
      #expect(event.isExternal)
      let tables = try await db.query(String.self, "SELECT name FROM sqlite_schema WHERE name = 'Note'")
      guard !tables.isEmpty else { continue }
      if try await db.query(String.self, "SELECT text FROM Note") == ["from a client"] { break }
    }
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    observation.cancel()
  }

  @Test func theWatcherGoesWithTheLastObservation() throws {
    #expect(db.watcherBox.withLock { $0.watcher == nil })
    do {
      let first = db.observeCommits { _ in }
      let second = db.observeCommits { _ in }
      #expect(db.watcherBox.withLock { $0.watcher != nil })
      withExtendedLifetime((first, second)) {}
    }
    #expect(db.watcherBox.withLock { $0.watcher == nil })
    #expect(try Database.inMemory().watcher() == nil)
  }
}
