import DimpleChangelog
import DimpleMutex
import DimpleRemote
import DimpleStore
import DimpleTestSupport
import Testing

@testable import DimpleSync

@Suite("Hostile listings")
struct HostileListingTests {
  private static let migrations = [Migration("1", "CREATE TABLE Item (id TEXT PRIMARY KEY NOT NULL, a)")]

  private func replica(
    _ storage: any ObjectStorage, maximumListedPacks: Int = 200_000, smallestSnapshot: Int = 1 << 20
  ) throws -> SimulatedReplica {
    var options = SyncEngine.Options()
    options.maximumListedPacks = maximumListedPacks
    options.smallestSnapshot = smallestSnapshot
    return try SimulatedReplica(storage: storage, options: options, migrations: Self.migrations)
  }

  /// A vault of one pack, behind as many pages of something else.
  private func storage(pages: Int, _ object: @escaping @Sendable (Int) -> String) async throws -> PaddedStorage {
    let memory = MemoryStorage()
    let other = try replica(memory)
    try await other.database.execute("INSERT INTO Item VALUES ('x', 1)")
    _ = try await other.engine.sync()
    return PaddedStorage(memory, pages: pages, object: object)
  }

  /// Whatever their number, nothing of them is kept. (Ten million took 205 seconds, unoptimised.)
  @Test func namesThatAreNoPacksAreReadOver() async throws {
    let storage = try await storage(pages: 200) { _ in "log/x.tmp" }
    let report = try await replica(storage).engine.sync()
    #expect(storage.listed == 200_000)
    #expect(report.pulledTransactions == 1)
    #expect(report.warnings.isEmpty)
  }

  @Test func morePacksThanOneSyncLooksAtAreReported() async throws {
    let storage = try await storage(pages: 20) { number in
      let name = PackName(
        replica: ReplicaID(rawValue: 77), range: Int64(number + 1)...Int64(number + 1), contentHash: [UInt8](0..<32))
      return PackName.prefix + ((try? TransparentVault().sealName(name.record)) ?? "")
    }
    storage.objectsPerPage = 10
    let report = try await replica(storage, maximumListedPacks: 50).engine.sync()
    #expect(report.ignoredPacks == 151)
    #expect(report.warnings.contains { $0.code == .tooManyPacks })
    #expect(report.skipped.count == 50)
  }

  @Test func packsMergedBeforeMakeRoomForTheRest() async throws {
    let memory = MemoryStorage()
    var writers: [SimulatedReplica] = []
    for index in 0..<12 {
      let writer = try replica(memory)
      try await writer.database.execute("INSERT INTO Item VALUES (\("\(index)"), 1)")
      _ = try await SyncEngine(writer.database, storage: memory, vault: TransparentVault()).sync()
      writers.append(writer)
    }
    let reader = try replica(memory, maximumListedPacks: 5)
    var ignored: [Int] = []
    for _ in 0..<5 {
      let report = try await reader.engine.sync()
      ignored.append(report.ignoredPacks)
      // What there was no room for is not gone.
      #expect(report.missing.isEmpty)
    }
    #expect(ignored == [7, 2, 0, 0, 0])
    #expect(try await reader.engine.verify().isHealthy)
    #expect(try await reader.database.queryOne(Int.self, "SELECT count(*) FROM Item") == 12)
  }

  /// Of the packs, and, by a device that comes later, of the snapshots.
  @Test(arguments: [(PackName.prefix, ListPage.maximumCount), (SnapshotName.prefix, SnapshotObjects.maximumPages)])
  func aListingWithoutEndIsAnError(prefix: String, maximumPages: Int) async throws {
    let storage = try await storage(pages: .max) { _ in prefix + "x" }
    storage.prefix = prefix
    storage.objectsPerPage = 1
    let replica = try replica(storage, smallestSnapshot: 1)
    try await expectEndless(replica, storage, pages: maximumPages)
    storage.repeatsCursor = true
    try await expectEndless(replica, storage, pages: 2)
  }

  @Test func aListingOfPartsWithoutEndIsAnError() async throws {
    let memory = MemoryStorage()
    let storage = PaddedStorage(memory, pages: .max) { _ in PartStorage.prefix + "x" }
    storage.objectsPerPage = 1
    let migrations = [Migration("1", "\(raw: LargeValues.schema)")]
    let writer = try SimulatedReplica(storage: memory, migrations: migrations)
    try await writer.insert("x", LargeValues.blob(1))
    _ = try await writer.engine.sync()
    // Once it knows of a large value, it looks for parts that nothing refers to, once a day.
    let reader = try SimulatedReplica(storage: storage, migrations: migrations)
    storage.prefix = nil
    _ = try await reader.engine.sync()
    storage.prefix = PartStorage.prefix
    reader.clock.advance(milliseconds: LargeValues.day)
    try await expectEndless(reader, storage, pages: ListPage.maximumCount)
    reader.clock.advance(milliseconds: LargeValues.day)
    storage.repeatsCursor = true
    try await expectEndless(reader, storage, pages: 2)
  }

  private func expectEndless(_ replica: SimulatedReplica, _ storage: PaddedStorage, pages: Int) async throws {
    let before = storage.pagesListed
    let error = await #expect(throws: RemoteError.self) { _ = try await replica.engine.sync() }
    #expect(error?.code == .endlessListing)
    #expect(storage.pagesListed - before == pages)
  }
}

/// Lists pages of made-up objects before what is there.
final class PaddedStorage: ObjectStorage {
  private struct State {
    var prefix: String? = PackName.prefix
    var objectsPerPage = 1000
    var repeatsCursor = false
    var pages = 0
    var objects = 0
  }

  private let base: MemoryStorage
  private let pages: Int
  private let object: @Sendable (Int) -> String
  private let state = Mutex(State())

  init(_ base: MemoryStorage, pages: Int, object: @escaping @Sendable (Int) -> String) {
    self.base = base
    self.pages = pages
    self.object = object
  }

  /// Listings of another prefix are as they are.
  var prefix: String? {
    get { state.withLock { $0.prefix } }
    set { state.withLock { $0.prefix = newValue } }
  }

  var objectsPerPage: Int {
    get { state.withLock { $0.objectsPerPage } }
    set { state.withLock { $0.objectsPerPage = newValue } }
  }

  var repeatsCursor: Bool {
    get { state.withLock { $0.repeatsCursor } }
    set { state.withLock { $0.repeatsCursor = newValue } }
  }

  var listed: Int { state.withLock { $0.objects } }
  var pagesListed: Int { state.withLock { $0.pages } }

  var description: String { "padded" }

  func list(prefix: String, after cursor: ListCursor?) async throws -> ListPage {
    guard prefix == self.prefix else { return try await base.list(prefix: prefix, after: cursor) }
    let page = cursor.flatMap { Int($0.token) } ?? 0
    if page >= pages { return try await base.list(prefix: prefix, after: nil) }
    let (count, next) = state.withLock { state in
      state.pages += 1
      state.objects += state.objectsPerPage
      return (state.objectsPerPage, state.repeatsCursor ? 1 : page + 1)
    }
    let objects = (0..<count).map { ObjectInfo(key: object(page * count + $0), size: 100) }
    return ListPage(objects: objects, next: ListCursor(token: String(next)))
  }

  func get(_ key: String, maximumSize: Int) async throws -> [UInt8] {
    try await base.get(key, maximumSize: maximumSize)
  }

  func put(_ key: String, _ bytes: [UInt8], condition: PutCondition) async throws {
    try await base.put(key, bytes, condition: condition)
  }

  func delete(_ key: String) async throws { try await base.delete(key) }
}
