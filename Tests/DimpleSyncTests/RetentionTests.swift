import DimpleChangelog
import DimpleRemote
import DimpleStore
import DimpleTestSupport
import Foundation
import Testing

@testable import DimpleSync

@Suite("Limited history")
struct RetentionTests {
  private let fleet = SnapshotFleet(storage: MemoryStorage())
  private let day: Int64 = 86_400_000

  private var limited: SyncEngine.Options {
    var options = SnapshotFleet.options
    options.history = .limited(.seconds(10 * 86_400))
    return options
  }

  /// Two snapshots of ever more, each a day after the other.
  private func writeTwoSnapshots(_ writer: SimulatedReplica) async throws {
    try await fleet.write(writer, items: 0..<20)
    writer.clock.advance(milliseconds: day)
    try await fleet.write(writer, items: 20..<120)
    writer.clock.advance(milliseconds: day)
    try await fleet.write(writer, items: 120..<500)
    #expect(try await fleet.snapshots().candidates.count == 2)
  }

  private func packs() async throws -> [PackName] {
    try await fleet.storage.listAll(prefix: "log/").compactMap { object in
      TransparentVault().openName(String(object.key.dropFirst(4))).flatMap(PackName.init(record:))
    }
  }

  @Test func oldPacksThatTwoSnapshotsCoverGoAndTheLastStays() async throws {
    let writer = try fleet.replica(options: limited)
    let away = try fleet.replica()
    try await writer.database.execute("INSERT INTO List VALUES ('first', 'x')")
    _ = try await writer.engine.sync()
    _ = try await away.engine.sync()
    try await writeTwoSnapshots(writer)
    let before = try await packs()
    #expect(before.count > 2)
    // Not old enough.
    #expect(try await writer.engine.sync().removedPacks == 0)
    writer.clock.advance(milliseconds: 11 * day)
    let report = try await writer.engine.sync()
    #expect(report.removedPacks > 0)
    let after = try await packs()
    #expect(after.count == before.count - report.removedPacks)
    // Nothing is kept of what is gone.
    #expect(try await writer.database.queryOne(Int.self, "SELECT count(*) FROM dimple_own_pack") == after.count)
    #expect(after.map(\.range.upperBound).max() == before.map(\.range.upperBound).max())
    // What the older snapshot does not cover stays.
    let second = try await fleet.snapshots().candidates[1].manifest.name.id.covered
    #expect(before.filter { $0.range.upperBound > second }.allSatisfy(after.contains))
    // It goes on as before: nothing is sent again, nothing is taken for a copy's.
    try await writer.database.execute("INSERT INTO List VALUES ('later', 'x')")
    let next = try await writer.engine.sync()
    #expect((next.pushedTransactions, next.tookNewName, next.skipped.count) == (1, false, 0))
    // A replica that comes back, and one that is new, merge the snapshot.
    try await away.database.execute("UPDATE List SET title = 'mine' WHERE id = 'first'")
    let newcomer = try fleet.replica()
    for replica in [away, newcomer] {
      replica.clock.advance(milliseconds: 14 * day)
      let report = try await replica.engine.sync()
      #expect(report.mergedSnapshot)
      #expect(report.skipped.map(\.error.description) == [])
    }
    for replica in [writer, newcomer] { _ = try await replica.engine.sync() }
    try fleet.expectEqual(writer, away)
    try fleet.expectEqual(writer, newcomer)
    #expect(
      try await newcomer.database.queryOne(String.self, "SELECT title FROM List WHERE id = 'first'") == "mine")
  }

  /// Who knows of no snapshot looks for one, since packs are gone, and then knows.
  @Test func whatWasRemovedIsLookedForOnce() async throws {
    let writer = try fleet.replica(options: limited)
    let counting = CountingStorage(fleet.storage)
    let reader = try fleet.replica(counting, options: .init())
    try await writeTwoSnapshots(writer)
    reader.clock.advance(milliseconds: 14 * day)
    _ = try await reader.engine.sync()
    writer.clock.advance(milliseconds: 11 * day)
    #expect(try await writer.engine.sync().removedPacks > 0)
    #expect(try await reader.engine.sync().missing.isEmpty)
    counting.reset()
    for _ in 0..<5 { #expect(try await reader.engine.sync().missing.isEmpty) }
    #expect(counting.counts.requests == 5)
  }

  @Test func historyForAsLongAsThereIsTimeIsAll() async throws {
    var options = limited
    options.history = .limited(.seconds(Int64.max))
    let writer = try fleet.replica(options: options)
    try await writeTwoSnapshots(writer)
    writer.clock.advance(milliseconds: 1000 * day)
    let before = try await packs()
    #expect(try await writer.engine.sync().removedPacks == 0)
    #expect(try await packs() == before)
  }

  @Test func allHistoryStaysUnlessToldOtherwise() async throws {
    let writer = try fleet.replica()
    try await writeTwoSnapshots(writer)
    writer.clock.advance(milliseconds: 1000 * day)
    let before = try await packs()
    #expect(try await writer.engine.sync().removedPacks == 0)
    #expect(try await packs() == before)
  }

  @Test(arguments: [0, 10]) func lookingForOldPacksIsRare(days: Int64) async throws {
    let counting = CountingStorage(fleet.storage)
    var options = limited
    options.history = .limited(.seconds(days * 86_400))
    let writer = try fleet.replica(counting, options: options)
    try await writeTwoSnapshots(writer)
    writer.clock.advance(milliseconds: 11 * day)
    // Something is left to be looked at.
    for id in ["a", "b"] {
      try await writer.database.execute("INSERT INTO List VALUES (\(id), 'x')")
      _ = try await writer.engine.sync()
    }
    writer.clock.advance(milliseconds: 61_000)
    _ = try await writer.engine.sync()
    counting.reset()
    for _ in 0..<5 { _ = try await writer.engine.sync() }
    #expect(counting.counts.requests == 5)
  }

  @Test func aRestoredBackupIsFoundThoughMostOfItsPacksAreGone() async throws {
    let (path, copy) = (TemporaryFile.path(), TemporaryFile.path())
    defer { for file in [path, copy] { TemporaryFile.remove(file) } }
    let writer = try fleet.replica(path: path, options: limited)
    try await writer.database.execute("INSERT INTO List VALUES ('first', 'x')")
    _ = try await writer.engine.sync()
    try await writer.database.close()
    try FileManager.default.copyItem(atPath: path, toPath: copy)
    let original = try fleet.replica(path: path, options: limited)
    try await writeTwoSnapshots(original)
    original.clock.advance(milliseconds: 11 * day)
    #expect(try await original.engine.sync().removedPacks > 0)
    let restored = try fleet.replica(path: copy, options: limited)
    restored.clock.advance(milliseconds: 14 * day)
    try await restored.database.execute("INSERT INTO List VALUES ('of the backup', 'x')")
    let report = try await restored.engine.sync()
    #expect(restored.database.changelog?.replicaID != original.database.changelog?.replicaID)
    #expect(report.skipped.map(\.error.description) == [])
    for replica in [original, restored] { _ = try await replica.engine.sync() }
    try fleet.expectEqual(original, restored)
    #expect(try await original.database.queryOne(Int.self, "SELECT count(*) FROM List WHERE id = 'of the backup'") == 1)
    try await original.database.close()
    try await restored.database.close()
  }

  /// Its first packs are gone, and with them what shows where the backup's log parts from the original's.
  @Test(arguments: [1, 200]) func whatABackupWroteReachesAllThoughTheOriginalIsLost(count: Int) async throws {
    let (path, copy) = (TemporaryFile.path(), TemporaryFile.path())
    defer { for file in [path, copy] { TemporaryFile.remove(file) } }
    func open(_ path: String) throws -> SimulatedReplica {
      try SimulatedReplica(
        storage: fleet.storage, path: path, detectsCopies: false, options: limited,
        migrations: [Migration("schema", "\(raw: SnapshotFleet.schema)")])
    }
    let writer = try open(path)
    try await writer.database.execute("INSERT INTO List VALUES ('first', 'x')")
    _ = try await writer.engine.sync()
    try await writer.database.close()
    try FileManager.default.copyItem(atPath: path, toPath: copy)
    let original = try open(path)
    try await writeTwoSnapshots(original)
    original.clock.advance(milliseconds: 11 * day)
    #expect(try await original.engine.sync().removedPacks > 0)
    try await original.database.close()
    let believer = try fleet.replica()
    believer.clock.advance(milliseconds: 14 * day)
    _ = try await believer.engine.sync()
    let restored = try open(copy)
    restored.clock.advance(milliseconds: 14 * day)
    for index in 0..<count {
      try await restored.database.execute("INSERT INTO List VALUES (\("of the backup \(index)"), 'x')")
    }
    for replica in [restored, restored, believer, restored] { _ = try await replica.engine.sync() }
    #expect(
      try await believer.database.queryOne(Int.self, "SELECT count(*) FROM List WHERE id LIKE 'of the backup%'")
        == count)
    try fleet.expectEqual(restored, believer)
    try await restored.database.close()
  }

  /// Its packs are counted from its new name on.
  @Test func aCopyKeepsWhatIsYoung() async throws {
    let (path, copied) = (TemporaryFile.path(), TemporaryFile.path())
    defer { for file in [path, copied] { TemporaryFile.remove(file) } }
    let original = try fleet.replica(path: path, options: .init())
    for index in 0..<400 { try await original.database.execute("INSERT OR REPLACE INTO List VALUES ('one', \(index))") }
    _ = try await original.engine.sync()
    try await original.database.close()
    try FileManager.default.copyItem(atPath: path, toPath: copied)
    let copy = try fleet.replica(path: copied, options: limited)
    copy.clock.advance(milliseconds: 20 * day)
    for items in [0..<20, 20..<200, 200..<1200] { try await fleet.write(copy, items: items) }
    copy.clock.advance(milliseconds: 2 * day)
    #expect(try await copy.engine.sync().removedPacks == 0)
    copy.clock.advance(milliseconds: 11 * day)
    #expect(try await copy.engine.sync().removedPacks > 0)
    try await copy.database.close()
  }

  /// Others do not take its snapshots: to rely on them would be to lose what they alone have.
  @Test func snapshotsOfADeviceInTheFutureStandInNobodysWay() async throws {
    let one = try fleet.replica(options: limited)
    try await fleet.write(one, items: 0..<20)
    let ahead = try fleet.replica()
    ahead.clock.advance(milliseconds: 100 * day)
    try await fleet.write(ahead, items: 20..<100)
    try await fleet.write(ahead, items: 100..<600)
    #expect(try await fleet.snapshots().candidates.allSatisfy { $0.manifest.name.id.covered > 20 })
    one.clock.advance(milliseconds: 11 * day)
    #expect(try await one.engine.sync().removedPacks == 0)
    try await fleet.write(one, items: 1000..<1100)
    let newcomer = try fleet.replica()
    newcomer.clock.advance(milliseconds: 11 * day)
    let report = try await newcomer.engine.sync()
    #expect(report.mergedSnapshot)
    #expect(Set(report.skipped.map(\.error.code)).isSubset(of: [.fromTheFuture]))
    try fleet.expectEqual(one, newcomer)
    // When its time has come, all have all.
    for replica in [one, newcomer] { replica.clock.advance(milliseconds: 100 * day) }
    for replica in [one, newcomer, ahead] { _ = try await replica.engine.sync() }
    try fleet.expectEqual(one, newcomer)
    try fleet.expectEqual(one, ahead)
    #expect(try await newcomer.database.queryOne(Int.self, "SELECT count(*) FROM Item") == 700)
  }

  @Test func aDeviceInTheFutureOfTheStorageWritesNoSnapshot() async throws {
    let path = TemporaryFile.path()
    defer { TemporaryFile.remove(path) }
    let ahead = try fleet.replica(path: path)
    ahead.clock.advance(milliseconds: 100 * day)
    try await ahead.database.execute("INSERT INTO List VALUES ('from the future', 'x')")
    // Whoever listed it may have it: the time stays.
    _ = try await ahead.engine.sync()
    try await ahead.database.close()
    let told = try fleet.replica(DatedStorage(base: fleet.storage, clock: ManualClock()), path: path)
    told.clock.advance(milliseconds: 100 * day)
    for index in 0..<40 { try await told.database.execute("INSERT INTO List VALUES (\("later \(index)"), 'x')") }
    for _ in 0..<2 { #expect(try await !told.engine.sync().wroteSnapshot) }
    #expect(try await fleet.snapshots().objects.isEmpty)
  }
}
