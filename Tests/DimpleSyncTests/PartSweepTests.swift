import DimpleChangelog
import DimpleRemote
import DimpleStore
import DimpleTestSupport
import Testing

@testable import DimpleSync

@Suite("The sweep of parts of large values")
struct PartSweepTests {
  private let storage = MemoryStorage()
  private let day = LargeValues.day
  private let hour: Int64 = 3_600_000

  private func replica(
    _ storage: (any ObjectStorage)? = nil, options: SyncEngine.Options = .init()
  ) throws -> SimulatedReplica {
    try SimulatedReplica(
      storage: storage ?? self.storage, options: options, migrations: [Migration("1", "\(raw: LargeValues.schema)")])
  }

  private func parts() -> [String] { LargeValues.parts(storage) }

  /// A device that puts the parts of a value and dies before the pack.
  @discardableResult
  private func dieAfterParts(_ value: SQLValue) async throws -> (SimulatedReplica, FaultyStorage) {
    let faulty = FaultyStorage(
      storage, schedule: FaultSchedule { $0.operation == .put && $0.key.hasPrefix("log/") ? .failBefore : nil })
    let dying = try replica(faulty)
    try await dying.insert("never sent", value)
    await #expect(throws: RemoteError.self) { _ = try await dying.engine.sync() }
    return (dying, faulty)
  }

  /// Syncs once a day.
  ///
  /// - Returns: How many parts were removed.
  @discardableResult
  private func live(_ days: Int, _ replica: SimulatedReplica, server: ManualClock? = nil) async throws -> Int {
    var removed = 0
    for _ in 0..<days {
      replica.clock.advance(milliseconds: day)
      server?.advance(milliseconds: day)
      removed += try await replica.engine.sync().removedParts
    }
    return removed
  }

  @Test func whatAPushThatNeverEndedLeftGoesAfterAWeek() async throws {
    let (dying, faulty) = try await dieAfterParts(LargeValues.blob(1))
    let other = try replica()
    try await other.insert("x", LargeValues.blob(2))
    _ = try await other.engine.sync()
    #expect(parts().count == 2)
    #expect(try await live(7, other) == 0)
    #expect(parts().count == 2)
    #expect(try await live(1, other) == 1)
    #expect(parts().count == 1)
    // The device comes back. It believes that its part is there, and finds that it is not.
    faulty.schedule = .none
    dying.clock.advance(milliseconds: 8 * day)
    _ = try await dying.engine.sync()
    #expect(parts().count == 2)
    #expect(try await other.engine.sync().skipped.isEmpty)
    #expect(try await other.value("never sent") == LargeValues.blob(1))
    #expect(try await live(20, other) == 0)
    #expect(try await other.engine.verify().findings.map(\.description) == [])
  }

  @Test func theStoragesClockDecidesWhereItTells() async throws {
    try await dieAfterParts(LargeValues.blob(1))
    let server = ManualClock()
    let other = try replica(DatedStorage(base: storage, clock: server))
    try await other.insert("x", LargeValues.blob(2))
    _ = try await other.engine.sync()
    // A month by the device's clock is three days by the server's.
    try await live(1, other, server: server)
    other.clock.advance(milliseconds: 30 * day)
    #expect(try await live(2, other, server: server) == 0)
    #expect(try await live(4, other, server: server) == 0)
    // The storage's time goes on while a sync works.
    server.advance(milliseconds: day / 24)
    #expect(try await live(1, other, server: server) == 1)
  }

  @Test func aPartRemovedBetweenItsPutAndThePacksIsPutAgainAtOnce() async throws {
    try await dieAfterParts(LargeValues.blob(1))
    let sweeper = try replica()
    try await sweeper.insert("x", LargeValues.blob(2))
    _ = try await sweeper.engine.sync()
    try await live(7, sweeper)
    let removed = Late<Int>()
    let racing = FaultyStorage(storage, schedule: .none) { request in
      guard request.operation == .put, request.key.hasPrefix("log/"), removed.value == nil else { return }
      removed.value = try await self.live(1, sweeper)
    }
    let writer = try replica(racing)
    writer.clock.advance(milliseconds: 8 * day)
    try await writer.insert("y", LargeValues.blob(1))
    _ = try await writer.engine.sync()
    #expect(removed.value == 1)
    #expect(parts().count == 2)
    #expect(try await sweeper.engine.sync().skipped.isEmpty)
    #expect(try await sweeper.value("y") == LargeValues.blob(1))
  }

  @Test func aPartRemovedByALookFromBeforeThePackIsPutAgainLater() async throws {
    try await dieAfterParts(LargeValues.blob(1))
    let writer = try replica()
    let isDone = Late<Bool>()
    let racing = FaultyStorage(storage, schedule: .none) { request in
      guard request.operation == .delete, request.key.hasPrefix("blob/"), isDone.value == nil else { return }
      isDone.value = true
      // The look is over; the part is still there, and the writer finds it.
      _ = try await writer.engine.sync()
    }
    let sweeper = try replica(racing)
    try await sweeper.insert("x", LargeValues.blob(2))
    _ = try await sweeper.engine.sync()
    try await live(7, sweeper)
    writer.clock.advance(milliseconds: 8 * day)
    try await writer.insert("y", LargeValues.blob(1))
    #expect(try await live(1, sweeper) == 1)
    #expect(isDone.value == true)
    #expect(parts().count == 1)
    // A reader waits.
    let reader = try replica()
    reader.clock.advance(milliseconds: 8 * day)
    #expect(try await reader.engine.sync().skipped.count == 1)
    #expect(try await reader.value("y") == nil)
    // Nothing is asked before it is time.
    writer.clock.advance(milliseconds: hour)
    #expect(try await writer.engine.sync().traffic.requests == 1)
    writer.clock.advance(milliseconds: hour)
    #expect(try await writer.engine.sync().traffic.lists == 2)
    #expect(parts().count == 2)
    #expect(try await reader.engine.sync().skipped.isEmpty)
    #expect(try await reader.value("y") == LargeValues.blob(1))
    #expect(try await live(20, sweeper) == 0)
  }

  @Test func nothingGoesWhereTheListingIsNotWholeOrCannotBeRead() async throws {
    let paged = MemoryStorage(storage.snapshot, pageSize: 1)
    let faulty = FaultyStorage(paged, schedule: .none)
    let other = try replica(paged)
    try await other.insert("other", LargeValues.blob(3))
    _ = try await other.engine.sync()
    let unlucky = FaultSchedule { $0.key.hasPrefix("log/") && $0.operation == .put ? .failBefore : nil }
    let orphan = try replica(FaultyStorage(paged, schedule: unlucky))
    try await orphan.insert("never sent", LargeValues.blob(1))
    await #expect(throws: RemoteError.self) { _ = try await orphan.engine.sync() }
    let sweeper = try replica(faulty)
    try await sweeper.insert("x", LargeValues.blob(2))
    _ = try await sweeper.engine.sync()
    try await live(8, sweeper)
    let count = LargeValues.parts(paged).count
    #expect(count == 2, "The orphan's part is gone by now.")
    // Once more, with everything going wrong in turn.
    try await orphan.insert("again", LargeValues.blob(4))
    await #expect(throws: RemoteError.self) { _ = try await orphan.engine.sync() }
    try await live(7, sweeper)
    let whole = LargeValues.parts(paged)
    #expect(whole.count == 3)
    sweeper.clock.advance(milliseconds: day)
    // The parts' second page does not come.
    faulty.schedule = FaultSchedule { $0.operation == .list && $0.key.hasPrefix("blob/ after") ? .failBefore : nil }
    await #expect(throws: RemoteError.self) { _ = try await sweeper.engine.sync() }
    // The packs' listing lacks one that is known to be there.
    faulty.schedule = FaultSchedule { $0.operation == .list && $0.key.hasPrefix("log/ after") ? .omit : nil }
    #expect(try await live(1, sweeper) == 0)
    // A pack that was never read cannot be got: cut short, as a wrong bit may lie where gzip's header says nothing.
    faulty.schedule = FaultSchedule { $0.operation == .get && $0.key.hasPrefix("log/") ? .truncate : nil }
    try await other.insert("new", .integer(1))
    _ = try await other.engine.sync()
    #expect(try await live(1, sweeper) == 0)
    // A snapshot that cannot be read may refer to anything.
    faulty.schedule = .none
    let name = SnapshotName(
      kind: .manifest, id: SnapshotID(covered: 1, writer: ReplicaID(rawValue: 7)), index: 1,
      contentHash: [UInt8](repeating: 1, count: 32))
    let key = SnapshotName.prefix + (try TransparentVault().sealName(name.record))
    try await paged.put(key, [1, 2, 3])
    #expect(try await live(1, sweeper) == 0)
    #expect(LargeValues.parts(paged) == whole)
    try await paged.delete(key)
    #expect(try await live(1, sweeper) == 1)
    #expect(LargeValues.parts(paged).count == 2)
  }

  /// History is limited, and two snapshots are written.
  private func writeSnapshots(_ writer: SimulatedReplica) async throws {
    for round in 0..<3 {
      writer.clock.advance(milliseconds: day)
      for index in 0..<(40 << (2 * round)) { try await writer.insert("\(round) \(index)", .integer(Int64(index))) }
      for _ in 0..<2 { _ = try await writer.engine.sync() }
    }
  }

  @Test func whatSnapshotsReferToStaysAndWhatOnlyRemovedPacksDidGoes() async throws {
    var options = SnapshotFleet.options
    options.history = .limited(.seconds(10 * 86_400))
    let writer = try replica(options: options)
    try await writer.insert("kept", LargeValues.blob(1))
    try await writer.insert("overwritten", LargeValues.blob(2))
    _ = try await writer.engine.sync()
    try await writer.database.execute("UPDATE Item SET a = 0 WHERE id = 'overwritten'")
    _ = try await writer.engine.sync()
    try await writeSnapshots(writer)
    // As long as packs refer to it, it stays.
    #expect(try await live(9, writer) == 0)
    #expect(parts().count == 2)
    #expect(try await live(20, writer) == 1)
    #expect(parts().count == 1)
    let newcomer = try replica(options: options)
    newcomer.clock.advance(milliseconds: 40 * day)
    let report = try await newcomer.engine.sync()
    #expect(report.mergedSnapshot)
    #expect(report.skipped.map(\.error.description) == [])
    #expect(try await newcomer.value("kept") == LargeValues.blob(1))
    #expect(try newcomer.database.fingerprint() == writer.database.fingerprint())
    #expect(try await newcomer.engine.verify().findings.map(\.description) == [])
  }

  @Test func packsThatCameAsASnapshotAreReadBeforeAnythingGoes() async throws {
    let writer = try replica(options: SnapshotFleet.options)
    try await writer.insert("kept", LargeValues.blob(1))
    try await writer.insert("overwritten", LargeValues.blob(2))
    _ = try await writer.engine.sync()
    try await writer.database.execute("UPDATE Item SET a = 0 WHERE id = 'overwritten'")
    try await writeSnapshots(writer)
    let newcomer = try replica(options: SnapshotFleet.options)
    newcomer.clock.advance(milliseconds: 4 * day)
    #expect(try await newcomer.engine.sync().mergedSnapshot)
    #expect(try await live(10, newcomer) == 0)
    #expect(parts().count == 2)
  }

  @Test func looksAreRareAndWhoKnowsOfNoLargeValuesHasNone() async throws {
    let counting = CountingStorage(storage)
    let without = try replica(counting)
    try await without.insert("a", .integer(1))
    _ = try await without.engine.sync()
    counting.reset()
    try await live(3, without)
    #expect(counting.reset().requests == 3)
    try await without.insert("b", LargeValues.blob(1))
    let first = try await without.engine.sync().traffic
    #expect((first.lists, first.puts, first.requests) == (2, 2, 4))
    #expect(try await without.engine.sync().traffic.requests == 1)
    without.clock.advance(milliseconds: 2 * hour)
    #expect(try await without.engine.sync().traffic.lists == 2)
    without.clock.advance(milliseconds: day)
    #expect(try await without.engine.sync().traffic.lists == 2)
    for _ in 0..<10 {
      without.clock.advance(milliseconds: hour)
      #expect(try await without.engine.sync().traffic.requests == 1)
    }
  }
}
