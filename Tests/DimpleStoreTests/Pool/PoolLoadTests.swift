import DimpleMutex
import Testing

@testable import DimpleStore

/// More tasks than connections: all are served, and whatever ends a task leaves the connections usable.
@Suite(.timeLimit(.minutes(10))) struct PoolLoadTests {
  /// How many are inside at once, and at most.
  private final class Meter: Sendable {
    private let state = Mutex((now: 0, most: 0))
    var most: Int { state.withLock { $0.most } }

    func enter() {
      state.withLock { state in
        state.now += 1
        state.most = max(state.most, state.now)
      }
    }

    func leave() { state.withLock { $0.now -= 1 } }
  }

  private func open(readers: Int) throws -> Database {
    var configuration = Configuration()
    configuration.readerCount = readers
    return try Database.temporary(configuration: configuration, migrations: [Todo.migration])
  }

  private func count(_ connection: Connection) throws -> Int {
    try connection.queryOne(Int.self, "SELECT count(*) FROM Todo") ?? -1
  }

  @Test func aThousandReadsFinishWithTwoReadersWhileAWriteIsUnderway() async throws {
    let db = try open(readers: 2)
    try await db.save(Todo(text: "committed"))
    let meter = Meter()
    let gate = Gate()
    let (started, signal) = AsyncStream.makeStream(of: Void.self)
    async let write: Void = db.write { connection in
      try connection.save(Todo(text: "not yet"))
      signal.finish()
      gate.wait()
    }
    for await _ in started {}
    try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<1000 {
        group.addTask {
          try await db.read { connection in
            meter.enter()
            defer { meter.leave() }
            return try self.count(connection)
          }
        }
      }
      var finished = 0
      for try await found in group {
        #expect(found == 1)
        finished += 1
      }
      #expect(finished == 1000)
    }
    // None of them waited for the write, and never were there more at once than connections.
    #expect(meter.most <= 2)
    gate.open()
    try await write
    #expect(try await db.read { try self.count($0) } == 2)
  }

  @Test func everySecondTaskCancelledLeavesAllConnectionsUsable() async throws {
    let db = try open(readers: 2)
    let tasks = (0..<200).map { number in
      Task {
        if number % 4 < 2 {
          _ = try await db.read { try self.count($0) }
        } else {
          try await db.write { connection in
            try connection.save(Todo(text: "one \(number)"))
            try connection.save(Todo(text: "two \(number)"))
          }
        }
      }
    }
    for number in tasks.indices where number % 2 == 1 { tasks[number].cancel() }
    var committed = 0
    for number in tasks.indices {
      do {
        try await tasks[number].value
        if number % 4 >= 2 { committed += 1 }
      } catch is CancellationError {
        #expect(number % 2 == 1)
      }
    }
    // Both rows of a write or none.
    #expect(try await db.read { try self.count($0) } == 2 * committed)
    #expect(try await db.queryOne(Int.self, "SELECT count(DISTINCT substr(text, 5)) FROM Todo") == committed)
    #expect(!db.writer.isBusy && !db.readers.isBusy)
    try await db.save(Todo(text: "usable"))
  }

  @Test func aWriteInsideAWriteIsAnErrorAndTheOuterOneGoesOn() async throws {
    let db = try open(readers: 1)
    try await db.write { connection in
      try connection.save(Todo(text: "outer"))
      let error = storeError { try db.write { _ in } }
      #expect(error?.code == .nestedTransaction)
      #expect(error?.hint.contains("savepoint") == true)
    }
    #expect(try await db.read { try self.count($0) } == 1)
  }

  @Test func whatATaskHasWrittenEveryReaderSees() async throws {
    let db = try open(readers: 4)
    for number in 1...50 {
      try await db.save(Todo(text: "\(number)"))
      try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<4 { group.addTask { try await db.read { try self.count($0) } } }
        for try await found in group { #expect(found == number) }
      }
    }
  }
}
