import DimpleChangelog
import DimpleMutex
import DimpleRemote
import DimpleStore
import DimpleTestSupport
import Testing

@testable import DimpleSync

@Suite("What to fetch")
struct PullPlanTests {
  private func candidate(
    _ key: String, _ range: ClosedRange<Int64>, of replica: UInt64 = 1, size: Int64 = 1
  ) -> PullPlan.Candidate {
    let name = PackName(
      replica: ReplicaID(rawValue: replica), range: range, contentHash: [UInt8](repeating: 0, count: 32))
    return PullPlan.Candidate(key: key, name: name, size: size)
  }

  @Test func onlyPacksWithSomethingNewAreFetched() {
    let plan = PullPlan(
      listed: [candidate("a", 1...3), candidate("b", 4...6), candidate("c", 7...9)],
      seen: [ReplicaID(rawValue: 1): RangeSet64([1...3, 7...9])])
    #expect(plan.fetch.map(\.key) == ["b"])
  }

  @Test func aUnionMakesItsPartsSuperfluous() {
    let parts = (1...8).map { candidate("part\($0)", Int64($0)...Int64($0)) }
    let plan = PullPlan(listed: parts + [candidate("union", 1...8)], seen: [:])
    #expect(plan.fetch.map(\.key) == ["union"])
  }

  @Test func theOrderOfTheListingDoesNotMatter() {
    var random = SeededRandom(seed: 1)
    let packs = (1...20).map { (number: Int64) -> PullPlan.Candidate in
      candidate("p\(number)", number...(number + number % 4), of: UInt64(number % 3))
    }
    let expected = PullPlan(listed: packs, seen: [:]).fetch
    for _ in 0..<50 { #expect(PullPlan(listed: packs.shuffled(using: &random), seen: [:]).fetch == expected) }
  }

  @Test func absurdNumbersDoNotTrap() {
    let plan = PullPlan(listed: [candidate("x", 1 ... .max), candidate("y", .max ... .max)], seen: [:])
    #expect(plan.fetch.map(\.key) == ["x"])
  }

  @Test func packsShareWhatMayBeKeptUnfolded() {
    func shares(of size: Int, _ sizes: [Int64]) -> [Int] {
      PackFetch.shares(of: size, sizes.map { candidate("x", 1...1, size: $0) })
    }
    #expect(shares(of: 1000, [10, 20, 30, 40]) == [160, 320, 480, 40])
    #expect(shares(of: 1000, [.max, 10]) == [1000, 0])
    #expect(shares(of: 1000, [0, 10]) == [0, 160])
    #expect(shares(of: 0, [10]) == [0])
  }

  /// With the default, with one at a time, and where the last group is a smaller one.
  @Test(arguments: [SyncEngine.Options().parallelGets, 1, 5])
  func soManyPacksAreFetchedAtATimeAsTheOptionsSay(count: Int) async throws {
    let (memory, packs) = (MemoryStorage(), 12)
    let migrations = [Migration("1", "CREATE TABLE Item (id INTEGER PRIMARY KEY)")]
    var options = SyncEngine.Options()
    options.packSize = 1
    let author = try SimulatedReplica(storage: memory, options: options, migrations: migrations)
    for id in 0..<packs { try await author.database.execute("INSERT INTO Item VALUES (\(id))") }
    #expect(try await author.engine.sync().pushedPacks == packs)
    options.parallelGets = count
    let storage = GatheringStorage(memory, together: count, packs: packs)
    let reader = try SimulatedReplica(storage: storage, options: options, migrations: migrations)
    let report = try await reader.engine.sync()
    #expect((report.pulledPacks, report.pulledTransactions) == (packs, packs))
    #expect(storage.mostInFlight == count)
    #expect(try reader.database.fingerprint() == author.database.fingerprint())
  }
}

/// Keeps who asks for a pack waiting until all are there that are fetched together.
private final class GatheringStorage: ObjectStorage {
  private struct State {
    var asked = 0
    var inFlight = 0
    var most = 0
  }

  /// How often a get gives way to others before it goes on without them: only where they are not fetched together.
  private static let patience = 100_000
  /// How often, once all are there, so that one too many would be seen.
  private static let afterwards = 100

  private let base: any ObjectStorage
  private let together: Int
  private let packs: Int
  private let state = Mutex(State())

  /// - Parameters:
  ///   - together: How many packs are fetched at a time.
  ///   - packs: How many there are.
  init(_ base: any ObjectStorage, together: Int, packs: Int) {
    self.base = base
    self.together = together
    self.packs = packs
  }

  /// The most packs that were asked for and not there yet, at any time.
  var mostInFlight: Int { state.withLock { $0.most } }

  var description: String { base.description }

  func list(prefix: String, after cursor: ListCursor?) async throws -> ListPage {
    try await base.list(prefix: prefix, after: cursor)
  }

  func get(_ key: String, maximumSize: Int) async throws -> [UInt8] {
    guard key.hasPrefix(PackName.prefix) else { return try await base.get(key, maximumSize: maximumSize) }
    let number = state.withLock { state in
      state.asked += 1
      state.inFlight += 1
      state.most = max(state.most, state.inFlight)
      return state.asked
    }
    defer { state.withLock { $0.inFlight -= 1 } }
    // The number of the last pack of its group.
    let last = min((number + together - 1) / together * together, packs)
    var patience = Self.patience
    while patience > 0, state.withLock({ $0.asked < last }) {
      patience -= 1
      await Task.yield()
    }
    for _ in 0..<Self.afterwards { await Task.yield() }
    return try await base.get(key, maximumSize: maximumSize)
  }

  func put(_ key: String, _ bytes: [UInt8], condition: PutCondition) async throws {
    try await base.put(key, bytes, condition: condition)
  }

  func delete(_ key: String) async throws { try await base.delete(key) }
}
