import DimpleChangelog
import DimpleRemote
import DimpleStore
import DimpleTestSupport
import Testing

@testable import DimpleSync

@Suite("Snapshots in a vault")
struct SnapshotVaultTests {
  private let fleet = SnapshotFleet(storage: MemoryStorage())

  // MARK: - What cannot be used

  @Test func anIncompleteOrDamagedSnapshotIsSkippedAndPacksAreReadInstead() async throws {
    let writer = try fleet.replica()
    try await fleet.write(writer)
    let catalog = try await fleet.snapshots()
    let part = try #require(catalog.objects.first { $0.name.kind == .part && $0.name.index == 1 })
    let bytes = try await fleet.storage.get(part.key, maximumSize: 1 << 20)
    try await fleet.storage.put(part.key, Array(bytes.dropLast(9)))
    let damaged = try fleet.replica()
    let report = try await damaged.engine.sync()
    #expect(report.skipped.map(\.error.code) == [.damagedObject])
    #expect(!report.mergedSnapshot)
    try fleet.expectEqual(writer, damaged)
    try await fleet.storage.delete(part.key)
    let incomplete = try fleet.replica()
    let second = try await incomplete.engine.sync()
    #expect(second.skipped.isEmpty && !second.mergedSnapshot)
    try fleet.expectEqual(writer, incomplete)
  }

  @Test func aSnapshotSignedWithAnotherKeyThanThePinnedOneIsRefused() async throws {
    let (writer, reader) = (try fleet.replica(), try fleet.replica())
    try await writer.database.execute("INSERT INTO List VALUES ('list 0', 'x')")
    _ = try await writer.engine.sync()
    _ = try await reader.engine.sync()
    try await fleet.write(writer)
    try await reader.database.write { connection in
      try connection.withInternalAccess {
        try connection.prepare("UPDATE dimple_replica SET key = zeroblob(32) WHERE key IS NOT NULL").run()
      }
    }
    try await fleet.removePacks()
    try await writer.database.execute("INSERT INTO List VALUES ('last', 'x')")
    _ = try await writer.engine.sync()
    let report = try await reader.engine.sync()
    #expect(report.skipped.map(\.error.code).contains(.forgedAuthor))
    #expect(!report.mergedSnapshot)
    #expect(try await reader.database.queryOne(Int.self, "SELECT count(*) FROM Item") == 0)
  }

  @Test func aSnapshotFromTheFutureWaits() async throws {
    let writer = try fleet.replica()
    writer.clock.advance(milliseconds: 3 * 86_400_000)
    try await fleet.write(writer)
    let newcomer = try fleet.replica()
    let report = try await newcomer.engine.sync()
    #expect(report.skipped.map(\.error.code) == [.fromTheFuture])
    #expect(report.postponedTransactions == 40)
    newcomer.clock.advance(milliseconds: 3 * 86_400_000)
    #expect(try await newcomer.engine.sync().mergedSnapshot)
    try fleet.expectEqual(writer, newcomer)
  }

  /// A column, or a table, that the writer's app dropped: an app that shows it takes the packs.
  @Test(arguments: ["ALTER TABLE Item DROP COLUMN text", "DROP TABLE Item"])
  func aSnapshotThatLacksWhatTheAppShowsIsPassedOver(drop: String) async throws {
    let path = TemporaryFile.path()
    defer { TemporaryFile.remove(path) }
    func open(_ migrations: [Migration], path: String? = nil) throws -> SimulatedReplica {
      try SimulatedReplica(
        storage: fleet.storage, path: path, options: SnapshotFleet.options, migrations: migrations)
    }
    let first = Migration("schema", "\(raw: SnapshotFleet.schema)")
    var quiet = SnapshotFleet.options
    quiet.smallestSnapshot = .max
    let writer = try SimulatedReplica(storage: fleet.storage, path: path, options: quiet, migrations: [first])
    for index in 0..<40 {
      try await writer.database.execute(
        "INSERT INTO Item VALUES (\("\(index)"), NULL, \("text \(index)"), \(index))")
    }
    _ = try await writer.engine.sync()
    try await writer.database.close()
    let newer = try open([first, Migration("drop", "\(raw: drop)")], path: path)
    try await newer.database.execute("INSERT INTO List VALUES ('more', 'x')")
    let reports = [try await newer.engine.sync(), try await newer.engine.sync()]
    #expect(reports.contains { $0.wroteSnapshot })
    let older = try open([first])
    let report = try await older.engine.sync()
    #expect(report.skipped.map(\.error.code) == [.unknownValues])
    #expect(try await older.database.queryOne(Int.self, "SELECT count(text) FROM Item") == 40)
    #expect(try older.database.heldRows().isEmpty)
    #expect(try await older.engine.sync().skipped.isEmpty)
    // Who does not show it takes the snapshot.
    let other = try open([first, Migration("drop", "\(raw: drop)")])
    #expect(try await other.engine.sync().mergedSnapshot)
    try await newer.database.close()
  }

  // MARK: - What lies in the vault

  @Test func theNewestTwoStay() async throws {
    let writer = try fleet.replica()
    var written = 0
    for round in 0..<6 {
      try await writer.database.write { connection in
        for index in 0..<(20 << round) {
          try connection.execute("INSERT INTO List VALUES (\("\(round) \(index)"), 'x')")
        }
      }
      _ = try await writer.engine.sync()
      if try await writer.engine.sync().wroteSnapshot { written += 1 }
    }
    #expect(written >= 3)
    let catalog = try await fleet.snapshots()
    #expect(catalog.candidates.count == 2)
    #expect(
      catalog.objects.allSatisfy { object in catalog.candidates.contains { $0.manifest.name.id == object.name.id } })
  }

  @Test func aWriterThatDiedLeavesPartsThatItsNextSnapshotRemoves() async throws {
    let memory = MemoryStorage()
    let faulty = FaultyStorage(memory, schedule: .none)
    let fleet = SnapshotFleet(storage: faulty)
    let writer = try fleet.replica()
    try await writer.database.write { connection in
      for index in 0..<40 { try connection.execute("INSERT INTO List VALUES (\("\(index)"), 'x')") }
    }
    _ = try await writer.engine.sync()
    let puts = Counter()
    faulty.schedule = FaultSchedule { $0.operation == .put && puts.next() == 3 ? .failBefore : nil }
    await #expect(throws: RemoteError.self) { _ = try await writer.engine.sync() }
    #expect(try await fleet.snapshots().objects.count == 2)
    #expect(try await fleet.snapshots().candidates.isEmpty)
    faulty.schedule = .none
    try await writer.database.execute("INSERT INTO List VALUES ('more', 'x')")
    _ = try await writer.engine.sync()
    let catalog = try await fleet.snapshots()
    #expect(catalog.candidates.count == 1)
    #expect(Set(catalog.objects.map(\.name.id)).count == 1)
  }

  @Test func twoAtOnceAreHarmless() async throws {
    let (one, two) = (try fleet.replica(), try fleet.replica())
    for (index, replica) in [one, two].enumerated() {
      for item in 0..<20 { try await replica.database.execute("INSERT INTO List VALUES (\("\(index) \(item)"), 'x')") }
      _ = try await replica.engine.sync()
    }
    async let first = one.engine.sync()
    async let second = two.engine.sync()
    _ = try await (first, second)
    #expect(try await !fleet.snapshots().candidates.isEmpty)
    let newcomer = try fleet.replica()
    #expect(try await newcomer.engine.sync().mergedSnapshot)
    _ = try await one.engine.sync()
    try fleet.expectEqual(one, newcomer)
  }

  @Test func columnsThatStayOnTheDeviceStayOut() async throws {
    let writer = try SimulatedReplica(
      storage: fleet.storage, untrackedColumns: ["List": ["title"]], options: SnapshotFleet.options,
      migrations: [Migration("schema", "CREATE TABLE List (id TEXT PRIMARY KEY NOT NULL, title TEXT, n INTEGER)")])
    for index in 0..<20 { try await writer.database.execute("INSERT INTO List VALUES (\("\(index)"), 'a secret', 5)") }
    for _ in 0..<2 { _ = try await writer.engine.sync() }
    for object in try await fleet.snapshots().objects {
      let lines = try Gzip.decompress(await fleet.storage.get(object.key, maximumSize: 1 << 20), maximumSize: 1 << 20)
      #expect(!String(decoding: lines, as: UTF8.self).contains("secret"))
    }
  }
}
