import Testing

@testable import DimpleStore

/// Neither side waits for the other, however many wait on one of them.
@Suite(.timeLimit(.minutes(10))) struct ProgressTests {
  private func open() throws -> Database {
    var configuration = Configuration()
    configuration.readerCount = 2
    return try Database.temporary(configuration: configuration, migrations: [Todo.migration])
  }

  /// Reads at once; how many have finished.
  private func read(_ db: Database, times: Int, _ body: @escaping @Sendable () -> Void = {}) -> Task<Int, any Error> {
    Task {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<times {
          group.addTask {
            try await db.read { connection in
              body()
              _ = try connection.queryOne(Int.self, "SELECT count(*) FROM Todo")
            }
          }
        }
        return try await group.reduce(into: 0) { count, _ in count += 1 }
      }
    }
  }

  @Test func writesGoOnWhileAllReadersAreBusyAndAThousandReadsWait() async throws {
    let db = try open()
    let gate = Gate()
    let held = read(db, times: 2) { gate.wait() }
    while !db.readers.isBusy { await Task.yield() }
    let waiting = read(db, times: 1000)
    while db.readers.waitingCount < 1000 { await Task.yield() }
    for number in 0..<50 { try await db.save(Todo(text: "\(number)")) }
    #expect(db.readers.waitingCount == 1000)
    for _ in 0..<2 { gate.open() }
    #expect(try await held.value == 2)
    #expect(try await waiting.value == 1000)
    #expect(try await db.queryOne(Int.self, "SELECT count(*) FROM Todo") == 50)
  }

  @Test func aThousandReadsFinishWhileAWriteIsOpen() async throws {
    let db = try open()
    let gate = Gate()
    let (started, signal) = AsyncStream.makeStream(of: Void.self)
    async let writing: Void = db.write { connection in
      try connection.save(Todo(text: "open"))
      signal.finish()
      gate.wait()
    }
    for await _ in started {}
    #expect(try await read(db, times: 1000).value == 1000)
    #expect(db.writer.isBusy)
    gate.open()
    try await writing
  }
}
