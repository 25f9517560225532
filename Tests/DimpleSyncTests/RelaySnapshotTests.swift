import DimpleChangelog
import DimpleRemote
import DimpleStore
import DimpleTestSupport
import Testing

@testable import DimpleSync

@Suite("Several vaults, one with limited history")
struct RelaySnapshotTests {
  private let online = MemoryStorage()
  private let stick = MemoryStorage()
  private let day = LargeValues.day

  private func engine(_ database: Database, _ options: SyncEngine.Options = .init()) -> SyncEngine {
    SyncEngine(database, storage: stick, vault: TransparentVault(id: "stick"), options: options)
  }

  private func replica(_ options: SyncEngine.Options) throws -> SimulatedReplica {
    try SimulatedReplica(
      storage: online, options: options, migrations: [Migration("schema", "\(raw: LargeValues.schema)")])
  }

  private func packs(_ storage: MemoryStorage) -> Int { storage.snapshot.keys.count { $0.hasPrefix("log/") } }

  @Test func aVaultHasWhatItsSnapshotCoversThoughThePacksAreGone() async throws {
    var limited = SnapshotFleet.options
    limited.history = .limited(.seconds(10 * 86_400))
    var quiet = SyncEngine.Options()
    quiet.smallestSnapshot = .max
    let (home, bridge) = (try replica(limited), try replica(quiet))
    let toStick = engine(bridge.database, quiet)
    _ = try await bridge.engine.sync()
    _ = try await toStick.sync()
    var relayed = 0
    for round in 0..<3 {
      for replica in [home, bridge] { replica.clock.advance(milliseconds: day) }
      for index in 0..<(40 << (2 * round)) { try await home.insert("\(round) \(index)", .integer(Int64(index))) }
      for _ in 0..<2 { _ = try await home.engine.sync() }
      _ = try await bridge.engine.sync()
      relayed += try await toStick.sync().relayedPacks
    }
    #expect(relayed > 0)
    for replica in [home, bridge] { replica.clock.advance(milliseconds: 11 * day) }
    let before = packs(online)
    #expect(try await home.engine.sync().removedPacks > 0)
    let left = packs(online)
    #expect(left < before)
    // The bridge sees that packs are gone, looks once, and finds that a snapshot has them.
    #expect(try await bridge.engine.sync().traffic.requests > 1)
    #expect(try await bridge.engine.sync().traffic.requests == 1)
    let there = try await toStick.sync()
    #expect((there.traffic.gets, there.spooledBytes) == (0, 0))
    #expect(try await bridge.engine.sync().relayedPacks == 0)
    #expect(packs(online) == left)
  }
}
