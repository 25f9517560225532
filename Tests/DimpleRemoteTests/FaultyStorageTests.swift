import DimpleRemote
import DimpleTestSupport
import Testing

@Suite("Fault injection")
struct FaultyStorageTests {
  private let bytes = (0..<100).map { UInt8($0) }

  private func faulty(_ fault: StorageFault, pageSize: Int = 1000) -> (MemoryStorage, FaultyStorage) {
    let memory = MemoryStorage(["a": bytes, "b": bytes, "c": bytes], pageSize: pageSize)
    return (memory, FaultyStorage(memory, schedule: .only(1, fault)))
  }

  @Test("A put fails before or after it landed", arguments: [(StorageFault.failBefore, false), (.failAfter, true)])
  func puts(fault: StorageFault, lands: Bool) async throws {
    let (memory, storage) = faulty(fault)
    let error = await #expect(throws: RemoteError.self) { try await storage.put("new", [1]) }
    #expect(error?.isRetryable == true)
    #expect((memory.snapshot["new"] != nil) == lands)
    #expect(storage.counts == [fault: 1])
    try await storage.put("new", [1])
  }

  @Test("Gets are cut short, altered or empty-handed") func gets() async throws {
    let cut = try await faulty(.truncate).1.get("a", maximumSize: 100)
    #expect(cut.count < bytes.count && bytes.starts(with: cut))
    let altered = try await faulty(.corrupt).1.get("a", maximumSize: 100)
    #expect(zip(altered, bytes).map { ($0 ^ $1).nonzeroBitCount }.reduce(0, +) == 1)
    let lost = await #expect(throws: RemoteError.self) { try await faulty(.lose).1.get("a", maximumSize: 100) }
    #expect(lost?.code == .notFound)
  }

  @Test("Lists leave out, repeat and shuffle") func lists() async throws {
    #expect(try await faulty(.omit).1.listAll(prefix: "").count == 2)
    let repeated = try await faulty(.duplicate).1.listAll(prefix: "").map(\.key)
    #expect(repeated.count == 4 && Set(repeated).count == 3)
    let shuffled = try await faulty(.reorder).1.listAll(prefix: "").map(\.key)
    #expect(shuffled.sorted() == ["a", "b", "c"])
  }

  @Test("A stale list is the one of before") func stale() async throws {
    let memory = MemoryStorage(["a": []])
    let storage = FaultyStorage(memory, schedule: .only(3, .stale))
    #expect(try await storage.listAll(prefix: "").map(\.key) == ["a"])
    try await storage.put("b", [])
    #expect(try await storage.listAll(prefix: "").map(\.key) == ["a"])
    #expect(try await storage.listAll(prefix: "").map(\.key) == ["a", "b"])
  }

  @Test("A seed gives the same faults however requests interleave") func repeatable() async throws {
    func faults(of keys: [String]) async -> Set<String> {
      let storage = FaultyStorage(MemoryStorage(), schedule: .seeded(42, oneIn: 3, kinds: [.failBefore]))
      var failed: Set<String> = []
      for key in keys {
        do { try await storage.put(key, []) } catch { failed.insert(key) }
      }
      return failed
    }
    let keys = (0..<200).map { "key\($0)" }
    let forward = await faults(of: keys)
    #expect(await faults(of: keys.reversed()) == forward)
    #expect((30...110).contains(forward.count), "\(forward.count) of 200 failed with one in three")
  }

  @Test("Failing the first, second, third … request ends when a run has no more") func nthRequest() async throws {
    for nth in 1... {
      let storage = FaultyStorage(MemoryStorage(), schedule: .only(nth, .failBefore))
      do {
        try await storage.put("a", [1])
        _ = try await storage.get("a", maximumSize: 1)
      } catch { continue }
      #expect(nth == 3)
      break
    }
  }

  @Test("Faults end when the schedule says so, and latency is awaited before each request") func endsAndDelays()
    async throws
  {
    let counting = CountingStorage(MemoryStorage())
    let storage = FaultyStorage(counting, schedule: .seeded(1, oneIn: 1)) { request in
      if request.key == "stop" { throw CancellationError() }
    }
    await #expect(throws: RemoteError.self) { try await storage.put("a", [1]) }
    storage.schedule = .none
    try await storage.put("a", [1])
    await #expect(throws: CancellationError.self) { try await storage.put("stop", [1]) }
    #expect(storage.requestCount == 3)
  }

  @Test("Requests and bytes are counted") func counting() async throws {
    let storage = CountingStorage(MemoryStorage())
    try await storage.put("a", [1, 2, 3])
    _ = try await storage.get("a", maximumSize: 3)
    _ = try? await storage.get("missing", maximumSize: 3)
    _ = try await storage.list(prefix: "", after: nil)
    try await storage.delete("a")
    let counts = storage.reset()
    #expect(counts.puts == 1 && counts.gets == 2 && counts.lists == 1 && counts.deletes == 1 && counts.requests == 5)
    #expect(counts.bytesWritten == 3 && counts.bytesRead == 3)
    #expect(storage.counts == CountingStorage.Counts())
  }
}
