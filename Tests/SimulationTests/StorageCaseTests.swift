import DimpleMutex
import DimpleRemote
import DimpleStore
import DimpleSync
import DimpleTestSupport
import Foundation
import Testing

/// The cases 24 to 31 of the design: what a storage may do, one by one.
@Suite("Cases of storage that a sync must survive")
struct StorageCaseTests {
  private let migrations = [Migration("1", "CREATE TABLE Item (id TEXT PRIMARY KEY NOT NULL, a)")]

  private func replica(_ storage: any ObjectStorage, options: SyncEngine.Options = .init()) throws -> SimulatedReplica {
    try SimulatedReplica(storage: storage, options: options, migrations: migrations)
  }

  private func items(_ replica: SimulatedReplica) async throws -> [String] {
    try await replica.database.query(String.self, "SELECT id FROM Item ORDER BY id")
  }

  /// Somebody new sees exactly these.
  private func expectVault(_ storage: MemoryStorage, shows expected: [String]) async throws {
    let newcomer = try replica(storage)
    let report = try await newcomer.engine.sync()
    #expect(report.skipped.isEmpty)
    #expect(try await items(newcomer) == expected)
  }

  // MARK: - 24

  /// Answers the next put with an error, the object stored or not.
  private final class RefusingStorage: ObjectStorage {
    let base: MemoryStorage
    private let refusal: RemoteError.Code
    private let lands: Bool
    private let left = Counter(1)

    init(_ base: MemoryStorage, _ refusal: RemoteError.Code, lands: Bool) {
      (self.base, self.refusal, self.lands) = (base, refusal, lands)
    }

    var description: String { "refusing" }
    func list(prefix: String, after cursor: ListCursor?) async throws -> ListPage {
      try await base.list(prefix: prefix, after: cursor)
    }
    func get(_ key: String, maximumSize: Int) async throws -> [UInt8] {
      try await base.get(key, maximumSize: maximumSize)
    }
    func delete(_ key: String) async throws { try await base.delete(key) }
    func put(_ key: String, _ bytes: [UInt8], condition: PutCondition) async throws {
      let refuses = left.take()
      if !refuses || lands { try await base.put(key, bytes, condition: condition) }
      if refuses { throw RemoteError(refusal, operation: "put", message: "Refused.") }
    }
  }

  @Test(
    "24 A put answered 403, 500, 503, or cut after it landed is never counted as done when it was not, nor done twice",
    arguments: [
      (RemoteError.Code.accessDenied, false), (.serverFailed, false), (.throttled, false), (.timedOut, true),
      (.serverFailed, true), (.unreachable, true),
    ])
  func refusedPuts(code: RemoteError.Code, lands: Bool) async throws {
    let memory = MemoryStorage()
    let device = try replica(RefusingStorage(memory, code, lands: lands))
    try await device.database.execute("INSERT INTO Item VALUES ('x', 1)")
    let error = await #expect(throws: RemoteError.self) { _ = try await device.engine.sync() }
    #expect(error?.code == code)
    #expect(memory.snapshot.count == (lands ? 1 : 0))
    // Sent by the second sync, or found to be there; either way it is there once.
    #expect(try await device.engine.sync().pushedTransactions == (lands ? 0 : 1))
    #expect(memory.snapshot.count == 1)
    #expect(try await device.engine.sync().isEmpty)
    try await expectVault(memory, shows: ["x"])
  }

  // MARK: - 25

  @Test("25 A get that fails leads neither to overwriting nor to forgetting", arguments: 1...4)
  func failedGets(number: Int) async throws {
    let memory = MemoryStorage()
    let author = try replica(memory)
    for id in ["a", "b"] {
      try await author.database.execute("INSERT INTO Item VALUES (\(id), 1)")
      _ = try await author.engine.sync()
    }
    let before = memory.snapshot
    let faulty = FaultyStorage(
      memory, schedule: FaultSchedule { $0.operation == .get && $0.occurrence <= number ? .failBefore : nil })
    let reader = try replica(faulty)
    try await reader.database.execute("INSERT INTO Item VALUES ('mine', 1)")
    for _ in 0..<number { await #expect(throws: RemoteError.self) { _ = try await reader.engine.sync() } }
    #expect(memory.snapshot.filter { before[$0.key] != nil } == before)
    #expect(try await items(reader) == ["mine"])
    _ = try await reader.engine.sync()
    #expect(try await items(reader) == ["a", "b", "mine"])
    try await expectVault(memory, shows: ["a", "b", "mine"])
  }

  // MARK: - 26

  @Test(
    "26 A listing that is old, misses names or repeats them only delays",
    arguments: [StorageFault.stale, .omit, .duplicate, .reorder])
  func badListings(fault: StorageFault) async throws {
    let memory = MemoryStorage(pageSize: 2)
    let author = try replica(memory)
    let faulty = FaultyStorage(memory, schedule: .none, seed: 3)
    let reader = try replica(faulty)
    _ = try await reader.engine.sync()
    for id in ["a", "b", "c", "d", "e"] {
      try await author.database.execute("INSERT INTO Item VALUES (\(id), 1)")
      _ = try await author.engine.sync()
    }
    faulty.schedule = FaultSchedule { $0.operation == .list ? fault : nil }
    for _ in 0..<3 { #expect(try await reader.engine.sync().skipped.isEmpty) }
    #expect(faulty.counts[fault, default: 0] > 0)
    faulty.schedule = .none
    #expect(try await reader.engine.sync().skipped.isEmpty)
    #expect(try await items(reader) == ["a", "b", "c", "d", "e"])
  }

  // MARK: - 27

  @Test("27 An object cut short, flipped in one bit or replaced by a web page is found, told, and holds up nobody else")
  func damagedObjects() async throws {
    let damages: [([UInt8]) -> [UInt8]] = [
      { Array($0.dropLast(9)) }, { [$0[0] ^ 1] + $0.dropFirst() },
      { $0.prefix($0.count / 2) + [$0[$0.count / 2] ^ 8] + $0.dropFirst($0.count / 2 + 1) },
      { _ in Array("<html><body>Please log in</body></html>".utf8) }, { _ in [] },
    ]
    for damage in damages {
      let memory = MemoryStorage()
      for id in ["bad", "good"] {
        let author = try replica(memory)
        try await author.database.execute("INSERT INTO Item VALUES (\(id), 1)")
        _ = try await author.engine.sync()
      }
      var objects = memory.snapshot
      let first = try #require(objects.keys.sorted().first)
      let whole = try #require(objects[first])
      objects[first] = damage(whole)
      memory.restore(objects)
      let reader = try replica(memory)
      let report = try await reader.engine.sync()
      #expect(report.skipped.map(\.key) == [first])
      #expect(report.skipped.first?.error.code == .damagedObject)
      #expect(try await items(reader).count == 1)
      objects[first] = whole
      memory.restore(objects)
      #expect(try await reader.engine.sync().skipped.isEmpty)
      #expect(try await items(reader) == ["bad", "good"])
    }
  }

  // MARK: - 28

  @Test("28 1,001 and 2,500 objects", arguments: [1001, 2500]) func manyObjects(count: Int) async throws {
    let memory = MemoryStorage()
    var options = SyncEngine.Options()
    options.packSize = 1
    options.largestJoinedPack = 0
    options.smallestSnapshot = .max
    let author = try replica(memory, options: options)
    for number in 0..<count {
      try await author.database.execute("INSERT INTO Item VALUES (\("\(number)"), 1)")
    }
    _ = try await author.engine.sync()
    #expect(memory.snapshot.count == count)
    let counting = CountingStorage(memory)
    let reader = try replica(counting, options: options)
    #expect(try await reader.engine.sync().pulledTransactions == count)
    #expect(try await items(reader).count == count)
    #expect(counting.counts.lists == (count + 999) / 1000)
    #expect(counting.counts.gets == count)
  }

  // MARK: - 29

  @Test("29 Two syncs of one database at once") func twoSyncsAtOnce() async throws {
    let memory = MemoryStorage()
    let device = try replica(memory)
    let other = SyncEngine(device.database, storage: memory, vault: TransparentVault())
    let author = try replica(memory)
    try await author.database.execute("INSERT INTO Item VALUES ('theirs', 1)")
    _ = try await author.engine.sync()
    try await device.database.execute("INSERT INTO Item VALUES ('mine', 1)")
    async let first = device.engine.sync()
    async let second = other.sync()
    let reports = try await [first, second]
    #expect(reports.map(\.pushedTransactions).sorted() == [0, 1])
    #expect(reports.map(\.pulledTransactions).sorted() == [0, 1])
    #expect(memory.snapshot.count == 2)
    try await expectVault(memory, shows: ["mine", "theirs"])
  }

  // MARK: - 30

  @Test("30 A device that dies in the middle of anything blocks nobody") func deathsBlockNobody() async throws {
    for number in 1...12 {
      let memory = MemoryStorage()
      let faulty = FaultyStorage(memory, schedule: .none)
      let device = try replica(faulty)
      let other = try replica(memory)
      for id in 0..<8 {
        try await device.database.execute("INSERT INTO Item VALUES (\("d\(id)"), 1)")
        _ = try await device.engine.sync()
      }
      try await device.database.execute("INSERT INTO Item VALUES ('last', 1)")
      let done = faulty.requestCount
      // From this request on, the device is never heard of again.
      faulty.schedule = FaultSchedule { $0.number >= done + number ? .failBefore : nil }
      _ = try? await device.engine.sync()
      try await other.database.execute("INSERT INTO Item VALUES ('other', 1)")
      #expect(try await other.engine.sync().skipped.isEmpty)
      let seen = try await items(other)
      #expect(Set(seen).isSuperset(of: (0..<8).map { "d\($0)" } + ["other"]), "request \(number)")
      try await expectVault(memory, shows: seen)
    }
  }

  // MARK: - 31

  @Test("31 Killed between writing a union and deleting its parts, and run again: the union stays")
  func killedWhileJoining()
    async throws
  {
    let memory = MemoryStorage()
    let faulty = FaultyStorage(memory, schedule: FaultSchedule { $0.operation == .delete ? .failBefore : nil })
    let device = try replica(faulty)
    var union: String?
    for id in 0..<12 {
      try await device.database.execute("INSERT INTO Item VALUES (\("d\(id)"), 1)")
      let before = Set(memory.snapshot.keys)
      do { _ = try await device.engine.sync() } catch is RemoteError where union == nil {
        // The pack, and the union of it and those before.
        let new = Set(memory.snapshot.keys).subtracting(before)
        union = new.max { (memory.snapshot[$0]?.count ?? 0) < (memory.snapshot[$1]?.count ?? 0) }
        #expect(memory.snapshot.count > 8)
        break
      }
    }
    let joined = try #require(union, "nothing was joined")
    faulty.schedule = .none
    #expect(try await device.engine.sync().skipped.isEmpty)
    #expect(memory.snapshot.keys.contains(joined))
    #expect(memory.snapshot.count <= 2)
    try await expectVault(memory, shows: try await items(device))
  }
}

/// Gives out `true` so many times.
private final class Counter: Sendable {
  private let left: Mutex<Int>

  init(_ count: Int) { left = Mutex(count) }

  func take() -> Bool {
    left.withLock { left in
      left -= 1
      return left >= 0
    }
  }
}
