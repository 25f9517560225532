import DimpleRemote
import DimpleTestSupport
import Testing

@Suite("Retrying")
struct RetryingStorageTests {
  private let clock = RecordingClock()

  private func retrying(_ storage: any ObjectStorage, policy: RetryPolicy = RetryPolicy()) -> RetryingStorage {
    RetryingStorage(storage, policy: policy, clock: clock, random: SeededRandom(seed: 7))
  }

  @Test("Each operation succeeds where its first try failed in passing") func allOperations() async throws {
    let faulty = FaultyStorage(MemoryStorage(), schedule: FaultSchedule { $0.occurrence < 3 ? .failBefore : nil })
    let storage = retrying(faulty)
    try await storage.put("a", [1])
    #expect(try await storage.get("a", maximumSize: 1) == [1])
    #expect(try await storage.list(prefix: "", after: nil).objects.count == 1)
    try await storage.delete("a")
    #expect(faulty.counts == [.failBefore: 8])
    #expect(clock.sleeps.count == 8)
  }

  @Test("Waits double, jittered between nothing and the ceiling") func backoff() async throws {
    let faulty = FaultyStorage(MemoryStorage(), schedule: FaultSchedule { _ in .failBefore })
    let policy = RetryPolicy(
      maximumAttempts: 8, baseDelay: .seconds(1), maximumDelay: .seconds(8), budget: .seconds(999))
    await #expect(throws: RemoteError.self) { try await retrying(faulty, policy: policy).delete("a") }
    #expect(faulty.requestCount == 8)
    let ceilings = [1, 2, 4, 8, 8, 8, 8].map { Duration.seconds($0) }
    #expect(clock.sleeps.count == ceilings.count)
    for (slept, ceiling) in zip(clock.sleeps, ceilings) { #expect(slept >= .zero && slept <= ceiling) }
    #expect(Set(clock.sleeps).count == ceilings.count, "no two waits alike: \(clock.sleeps)")
  }

  @Test("What cannot succeed is not tried again") func permanentErrors() async throws {
    let counting = CountingStorage(MemoryStorage())
    let storage = retrying(counting)
    let error = await #expect(throws: RemoteError.self) { try await storage.get("missing", maximumSize: 1) }
    #expect(error?.code == .notFound)
    #expect(counting.counts.gets == 1)
    #expect(clock.sleeps.isEmpty)
  }

  /// Asks to wait.
  private struct Throttled: ObjectStorage {
    let retryAfter: Duration
    var description: String { "throttled" }
    private var error: RemoteError {
      RemoteError(.throttled, operation: "any", message: "Slow down.", retryAfter: retryAfter)
    }
    func list(prefix: String, after cursor: ListCursor?) async throws -> ListPage { throw error }
    func get(_ key: String, maximumSize: Int) async throws -> [UInt8] { throw error }
    func put(_ key: String, _ bytes: [UInt8], condition: PutCondition) async throws { throw error }
    func delete(_ key: String) async throws { throw error }
  }

  @Test("The far side's wish to wait is granted") func retryAfter() async throws {
    let policy = RetryPolicy(maximumAttempts: 3, maximumDelay: .seconds(1))
    await #expect(throws: RemoteError.self) {
      try await retrying(Throttled(retryAfter: .seconds(20)), policy: policy).delete("a")
    }
    #expect(clock.sleeps == [.seconds(20), .seconds(20)])
  }

  @Test("No wait is begun that the budget does not hold") func budget() async throws {
    let policy = RetryPolicy(maximumAttempts: 100, budget: .seconds(50))
    let error = await #expect(throws: RemoteError.self) {
      try await retrying(Throttled(retryAfter: .seconds(20)), policy: policy).delete("a")
    }
    #expect(error?.code == .throttled)
    #expect(clock.sleeps == [.seconds(20), .seconds(20)])
  }

  @Test("A conditional put that landed unnoticed is no conflict with itself") func landedUnnoticed() async throws {
    let memory = MemoryStorage()
    let storage = retrying(FaultyStorage(memory, schedule: .only(1, .failAfter)))
    try await storage.put("a", [1, 2], condition: .ifAbsent)
    #expect(memory.snapshot == ["a": [1, 2]])
  }

  @Test("Another's object stays a conflict", arguments: [[UInt8](), [9], [9, 9, 9]])
  func conflict(theirs: [UInt8]) async throws {
    let memory = MemoryStorage(["a": theirs])
    let storage = retrying(FaultyStorage(memory, schedule: .only(1, .failBefore)))
    let error = await #expect(throws: RemoteError.self) { try await storage.put("a", [1, 2], condition: .ifAbsent) }
    #expect(error?.code == .preconditionFailed)
    #expect(memory.snapshot == ["a": theirs])
  }

  @Test("A cancelled task does not go on trying") func cancellation() async throws {
    let faulty = FaultyStorage(MemoryStorage(), schedule: FaultSchedule { _ in .failBefore })
    let storage = retrying(faulty)
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      try await storage.delete("a")
    }
    let result = await task.result
    #expect(throws: CancellationError.self) { try result.get() }
    #expect(faulty.requestCount == 1)
  }
}
