import DimpleChangelog
import DimpleRemote
import DimpleStore
import DimpleTestSupport
import Testing

@testable import DimpleSync

@Suite("Joining packs")
struct CompactionTests {
  private func pack(_ range: ClosedRange<Int64>, size: Int, _ key: String? = nil) -> CompactionPlan.StoredPack {
    .init(
      key: key ?? "\(range)", name: PackName(replica: ReplicaID(rawValue: 1), range: range, contentHash: []), size: size
    )
  }

  private func plan(_ packs: [CompactionPlan.StoredPack], _ sealed: Int, unfolded: Int = .max) -> CompactionPlan {
    CompactionPlan(packs, limits: .init(sealed: sealed, unfolded: unfolded))
  }

  @Test func eightNeighboursOfOneClassAreJoined() {
    let few = (1...7).map { pack($0...$0, size: 500) }
    #expect(plan(few, 1 << 20).groups.isEmpty)
    let many = (1...8).map { pack($0...$0, size: 500) }
    #expect(plan(many.shuffled(), 1 << 20).groups == [many])
  }

  @Test func aLargePackIsNotRewrittenForSmallOnes() {
    let large = pack(1...100, size: 1 << 20)
    let small = (101...108).map { pack($0...$0, size: 500) }
    #expect(plan([large] + small, 8 << 20).groups == [small])
  }

  @Test func smallOnesBetweenGoAlong() {
    var packs: [CompactionPlan.StoredPack] = []
    for index in Int64(0)..<8 {
      packs.append(pack(index * 10 + 1...index * 10 + 5, size: 10_000))
      packs.append(pack(index * 10 + 6...index * 10 + 10, size: 100))
    }
    #expect(plan(packs, 1 << 20).groups == [packs])
  }

  @Test func nothingIsJoinedOverAGapOrBeyondTheLimit() {
    let gap = (1...4).map { pack($0...$0, size: 500) } + (6...9).map { pack($0...$0, size: 500) }
    #expect(plan(gap, 1 << 20).groups.isEmpty)
    let tall = (1...8).map { pack($0...$0, size: 1000) }
    #expect(plan(tall, 4000).groups == [Array(tall[0..<4])])
    #expect(plan(tall + [pack(9...9, size: 1)], 4000).groups == [Array(tall[0..<4]), Array(tall[4..<8])])
    #expect(plan(tall, 1000).groups.isEmpty)
    let foldedWell = tall.map { pack in
      var pack = pack
      pack.unfoldedSize = 100_000
      return pack
    }
    #expect(plan(foldedWell, 1 << 20, unfolded: 300_000).groups.map(\.count) == [3, 3])
    #expect(plan(foldedWell, 1 << 20, unfolded: 100_000).groups.isEmpty)
  }

  @Test func aPackThatIsAsLargeAsAnyIsNotRewrittenForThoseBehindIt() {
    let large = (1...20).map { pack($0 * 10...$0 * 10 + 9, size: 15_000) }
    let behind = (210...216).map { pack($0...$0, size: 100) }
    #expect(plan(large + behind, 16_000).groups.isEmpty)
    // Between two such, nothing more will come.
    let after = pack(217...219, size: 15_000)
    #expect(plan(large + behind + [after], 16_000).groups == [[large[large.count - 1]] + behind])
  }

  @Test func partsOfAUnionAreSuperfluousAndTheUnionStays() {
    let union = pack(1...8, size: 2000)
    let parts = (1...8).map { pack($0...$0, size: 500) }
    let joined = plan(parts + [union], 1 << 20)
    #expect(Set(joined.superfluous) == Set(parts))
    #expect(joined.groups.isEmpty)
    // Two of the same range: one stays, everywhere the same.
    let twice = [pack(1...8, size: 2000, "b"), pack(1...8, size: 2000, "a")]
    #expect(plan(twice, 1 << 20).superfluous.map(\.key) == ["b"])
  }

  @Test func aPackThatIsListedTwiceIsNotItsOwnDuplicate() {
    let one = pack(1...8, size: 2000)
    #expect(plan([one, one], 1 << 20).superfluous.isEmpty)
  }

  /// Whatever is pushed, every transaction stays in a pack, and packs stay few.
  @Test(arguments: 0..<20 as Range<UInt64>) func randomHistoriesStayCoveredAndFew(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var packs: [CompactionPlan.StoredPack] = []
    var next: Int64 = 1
    var largest = 0
    for _ in 0..<400 {
      let count = Int64(1 + random.below(5))
      packs.append(pack(next...next + count - 1, size: 200 << random.below(6)))
      next += count
      var rounds = 0
      while true {
        let plan = self.plan(packs, 8 << 20)
        packs.removeAll { plan.superfluous.contains($0) }
        if plan.groups.isEmpty { break }
        for group in plan.groups {
          packs.removeAll { group.contains($0) }
          let range = group[0].name.range.lowerBound...group[group.count - 1].name.range.upperBound
          packs.append(pack(range, size: group.reduce(0) { $0 + $1.size }))
        }
        rounds += 1
        #expect(rounds < 20, "seed \(seed) never comes to rest")
      }
      largest = max(largest, packs.count)
      var covered = RangeSet64()
      for pack in packs { covered.insert(pack.name.range) }
      #expect(covered.ranges == [1...next - 1], "seed \(seed)")
    }
    #expect(largest <= 40, "seed \(seed): \(largest) packs")
  }

  /// Packs of up to 4 MiB, until there is far more than may be in one: few of each class but the last, of which each two
  /// neighbours are more than one may be, and no byte is rewritten more than once per class.
  @Test(arguments: 0..<5 as Range<UInt64>) func aLongHistoryStaysFewPacksAndIsSeldomRewritten(seed: UInt64) {
    let limit = 16 << 20
    var random = SeededRandom(seed: seed)
    var (packs, next, pushed, rewritten) = ([CompactionPlan.StoredPack](), Int64(1), 0, 0)
    while pushed < 40 * limit {
      let size = 1000 << random.below(13)
      packs.append(pack(next...next, size: size))
      (next, pushed) = (next + 1, pushed + size)
      while let group = plan(packs, limit).groups.first {
        let size = group.reduce(0) { $0 + $1.size }
        #expect(size <= limit)
        rewritten += size
        packs.removeAll { group.contains($0) }
        packs.append(pack(group[0].name.range.lowerBound...group[group.count - 1].name.range.upperBound, size: size))
      }
    }
    let classes = Dictionary(grouping: packs, by: CompactionPlan.sizeClass)
    let last = CompactionPlan.sizeClass(pack(1...1, size: limit - 1))
    for (sizeClass, packs) in classes where sizeClass < last {
      #expect(packs.count <= 2 * CompactionPlan.fanOut, "seed \(seed): \(packs.count) of class \(sizeClass)")
    }
    #expect(packs.count <= 2 * pushed / limit + 1 + CompactionPlan.fanOut * (last + 1), "seed \(seed)")
    #expect(rewritten <= last * pushed, "seed \(seed): \(rewritten) of \(pushed)")
  }
}

@Suite("Compaction of a vault")
struct VaultCompactionTests {
  private let schema = "CREATE TABLE Item (id INTEGER PRIMARY KEY, text TEXT)"

  private func insert(_ id: Int, _ replica: SimulatedReplica) async throws {
    try await replica.database.execute("INSERT INTO Item VALUES (\(id), \("text \(id)"))")
  }

  @Test func manySmallPushesLeaveFewObjectsThatANewcomerReads() async throws {
    let fleet = try Fleet(1, schema)
    let writer = fleet.replicas[0]
    var joined = 0
    for id in 1...100 {
      try await insert(id, writer)
      joined += try await fleet.sync(writer).joinedPacks
    }
    #expect(joined >= 90)
    #expect(try await fleet.storage.listAll(prefix: "log/").count <= 16)
    let newcomer = try SimulatedReplica(
      storage: fleet.storage, migrations: [Migration("schema", "\(raw: schema)")])
    let report = try await newcomer.engine.sync()
    #expect(report.skipped.isEmpty)
    #expect(report.pulledTransactions == 100)
    #expect(try newcomer.database.fingerprint() == writer.database.fingerprint())
    #expect(try await fleet.sync(writer).isEmpty)
  }

  /// Text that does not fold well, `size` bytes of it.
  private func noise(_ size: Int, _ random: inout SeededRandom) -> String {
    String(decoding: (0..<size).map { _ in UInt8(random.below(95)) + 32 }, as: UTF8.self)
  }

  /// Of each class below the largest that is joined.
  @Test(arguments: [1_000, 10_000, 100_000, 1_000_000]) func packsOfAnyClassAreJoined(size: Int) async throws {
    let fleet = try Fleet(2, schema)
    var random = SeededRandom(seed: UInt64(size))
    for id in 1...8 {
      try await fleet[0].execute("INSERT INTO Item VALUES (\(id), \(noise(size, &random)))")
      #expect(try await fleet.sync(fleet.replicas[0]).joinedPacks == 0)
    }
    #expect(try await fleet.sync(fleet.replicas[0]).joinedPacks == 8)
    #expect(try await fleet.storage.listAll(prefix: "log/").count == 1)
    let traffic = try await fleet.sync(fleet.replicas[0]).traffic
    #expect(traffic.requests == 1, "\(traffic)")
    try await fleet.converge()
    try fleet.expectAgreement()
  }

  /// Also where the packs were noted by a version that did not know their sizes.
  @Test(arguments: [false, true]) func aUnionUnfoldsToNoMoreThanMembersAccept(areSizesUnknown: Bool) async throws {
    let storage = MemoryStorage()
    var options = SyncEngine.Options()
    options.maximumObjectSize = PackDecoder.maximumHeaderSize + 1_000_000
    options.smallestSnapshot = .max
    let migrations = [Migration("schema", "\(raw: schema)")]
    let writer = try SimulatedReplica(storage: storage, options: options, migrations: migrations)
    for id in 1...8 {
      try await writer.database.execute(
        "INSERT INTO Item VALUES (\(id), \(String(repeating: "long", count: 50_000)))")
      _ = try await writer.engine.sync()
    }
    if areSizesUnknown {
      try await writer.database.write { connection in
        try connection.withInternalAccess { try connection.execute("ALTER TABLE dimple_own_pack DROP COLUMN size") }
      }
      let engine = SyncEngine(writer.database, storage: storage, vault: TransparentVault(), options: options)
      #expect(try await engine.sync().joinedPacks == 0)
    }
    #expect(try await writer.engine.sync().joinedPacks == 4)
    #expect(try await storage.listAll(prefix: "log/").count == 5)
    #expect(try await writer.engine.sync().traffic.requests == 1)
    let newcomer = try SimulatedReplica(storage: storage, options: options, migrations: migrations)
    #expect(try await newcomer.engine.sync().skipped.map(\.error.description) == [])
    #expect(try newcomer.database.fingerprint() == writer.database.fingerprint())
  }

  @Test func aDamagedPackIsReadOnceAndTheOthersAreJoinedWithoutIt() async throws {
    let storage = MemoryStorage()
    let writer = try SimulatedReplica(storage: storage, migrations: [Migration("1", "\(raw: schema)")])
    for id in 0..<16 {
      try await insert(id, writer)
      if id == 15 {
        let packs = try await storage.listAll(prefix: "log/").map(\.key).sorted()
        // After the eight that were joined, the last of those that will be.
        let damaged = try #require(packs.last)
        try await storage.put(damaged, [1, 2, 3])
      }
      _ = try await writer.engine.sync()
    }
    #expect(try await writer.engine.sync().traffic.requests == 1)
    for id in 16..<30 {
      try await insert(id, writer)
      _ = try await writer.engine.sync()
    }
    #expect(try await storage.listAll(prefix: "log/").count < 20)
    // What was put last is listed by the next sync, and joined by it.
    _ = try await writer.engine.sync()
    #expect(try await writer.engine.sync().traffic.requests == 1)
    #expect(try await writer.engine.repair().remaining.isHealthy)
  }

  @Test func aReaderThatSawThePartsGoesOnWithTheUnion() async throws {
    let fleet = try Fleet(2, schema)
    for id in 1...30 {
      try await insert(id, fleet.replicas[0])
      try await fleet.sync(fleet.replicas[0])
      if id.isMultiple(of: 7) { try await fleet.sync(fleet.replicas[1]) }
    }
    try await fleet.converge()
    try fleet.expectAgreement()
  }

  @Test func aPartThatGoesBetweenListingAndFetchingIsFoundInTheUnion() async throws {
    let memory = MemoryStorage()
    let migrations = [Migration("schema", "\(raw: schema)")]
    let writer = try SimulatedReplica(storage: memory, migrations: migrations)
    for id in 1...8 {
      try await insert(id, writer)
      _ = try await writer.engine.sync()
    }
    // The reader's first get comes when the writer has just joined all that was listed.
    let racing = FaultyStorage(memory, schedule: .none) { request in
      if request.operation == .get, request.key.hasPrefix("log/"), request.number <= 10 {
        _ = try await writer.engine.sync()
      }
    }
    let reader = try SimulatedReplica(storage: racing, migrations: migrations)
    let report = try await reader.engine.sync()
    #expect(report.skipped.map(\.error.description) == [])
    #expect(report.pulledTransactions == 8)
    #expect(try reader.database.fingerprint() == writer.database.fingerprint())
  }

  @Test func killedBetweenTheUnionAndTheDeletionsTheUnionStays() async throws {
    let memory = MemoryStorage()
    let faulty = FaultyStorage(memory, schedule: .none)
    let writer = try SimulatedReplica(storage: faulty, migrations: [Migration("schema", "\(raw: schema)")])
    for id in 1...8 {
      try await insert(id, writer)
      _ = try await writer.engine.sync()
    }
    faulty.schedule = FaultSchedule { $0.operation == .delete ? .failBefore : nil }
    await #expect(throws: RemoteError.self) { _ = try await writer.engine.sync() }
    #expect(try await memory.listAll(prefix: "log/").count == 9)
    faulty.schedule = .none
    _ = try await writer.engine.sync()
    #expect(try await memory.listAll(prefix: "log/").count == 1)
  }

  /// Where all read objects up to a size.
  private func replica(_ storage: MemoryStorage, reading size: Int) throws -> SimulatedReplica {
    var options = SyncEngine.Options()
    options.maximumObjectSize = size
    return try SimulatedReplica(
      storage: storage, options: options, migrations: [Migration("schema", "\(raw: schema)")])
  }

  /// It stays unsent, rather than be in a pack that nobody reads.
  @Test func aTransactionLargerThanMembersAcceptIsNotSent() async throws {
    let storage = MemoryStorage()
    let writer = try replica(storage, reading: 2_000_000)
    try await writer.database.execute("INSERT INTO Item VALUES (0, 'before')")
    _ = try await writer.engine.sync()
    try await writer.database.write { connection in
      for id in 1...8 {
        try connection.execute("INSERT INTO Item VALUES (\(id), \(String(repeating: "x", count: 400_000)))")
      }
    }
    let error = await #expect(throws: SyncError.self) { _ = try await writer.engine.sync() }
    #expect(error?.code == .transactionTooLarge)
    #expect(error?.message.contains("Transaction 2 ") == true)
    #expect(try await storage.listAll(prefix: "log/").count == 1)
    // As the message says.
    var options = SyncEngine.Options()
    options.maximumObjectSize = 8_000_000
    let larger = SyncEngine(writer.database, storage: storage, vault: TransparentVault(), options: options)
    #expect(try await larger.sync().pushedTransactions == 1)
    #expect(try await replica(storage, reading: 8_000_000).engine.sync().pulledTransactions == 2)
  }

  @Test func manyTransactionsAreSentInPacksThatMembersAccept() async throws {
    let storage = MemoryStorage()
    let writer = try replica(storage, reading: 2_000_000)
    for id in 1...8 {
      try await writer.database.execute("INSERT INTO Item VALUES (\(id), \(String(repeating: "x", count: 400_000)))")
    }
    #expect(try await writer.engine.sync().pushedTransactions == 8)
    #expect(try await replica(storage, reading: 2_000_000).engine.sync().pulledTransactions == 8)
  }
}
