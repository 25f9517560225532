import DimpleChangelog
import DimpleRemote
import DimpleStore
import DimpleTestSupport
import Testing

@testable import DimpleSync

@Suite("Large values in snapshots")
struct LargeSnapshotTests {
  private let storage = MemoryStorage()

  private func replica(
    _ storage: (any ObjectStorage)? = nil, options: SyncEngine.Options = SnapshotFleet.options
  ) throws -> SimulatedReplica {
    try SimulatedReplica(
      storage: storage ?? self.storage, options: options, migrations: [Migration("1", "\(raw: LargeValues.schema)")])
  }

  private func writer() async throws -> SimulatedReplica {
    let writer = try replica()
    for index in 0..<40 { try await writer.insert("\(index)", .integer(1)) }
    try await writer.insert("blob", .blob(LargeValues.bytes(5 << 20, seed: 1)))
    try await writer.insert("text", .text(String(repeating: "größer ", count: 200_000)))
    try await writer.insert("same", .blob(LargeValues.bytes(5 << 20, seed: 1)))
    try await writer.insert("small", .blob(LargeValues.bytes(1 << 20, seed: 2)))
    let reports = [try await writer.engine.sync(), try await writer.engine.sync()]
    #expect(reports.contains { $0.wroteSnapshot })
    return writer
  }

  private func manifest() async throws -> SnapshotManifest {
    let candidate = try #require(try await SnapshotFleet(storage: storage).snapshots().candidates.first)
    let bytes = try Gzip.decompress(try #require(storage.snapshot[candidate.manifest.key]), maximumSize: 1 << 24)
    return try SnapshotManifestDecoder.decode(bytes, name: candidate.manifest.name, vault: TransparentVault())
  }

  private func removePacks() async throws {
    for key in storage.snapshot.keys where key.hasPrefix("log/") { try await storage.delete(key) }
  }

  @Test func theyStandThereAsReferencesAndArriveInOrder() async throws {
    let writer = try await writer()
    let manifest = try await manifest()
    #expect(Set(manifest.parts.flatMap(\.big)).count == 3)
    let sizes = storage.snapshot.filter { $0.key.hasPrefix("snap/") }.map(\.value.count)
    // The value of 1 MiB stands in its part; no longer one does.
    #expect(sizes.reduce(0, +) < 2 << 20)
    // Packs are left alone: the last one says that there was something.
    let newcomer = try replica()
    let report = try await newcomer.engine.sync()
    #expect(report.mergedSnapshot)
    #expect(report.pulledParts >= 3)
    #expect(report.skipped.map(\.error.description) == [])
    #expect(try newcomer.database.fingerprint() == writer.database.fingerprint())
    #expect(try await newcomer.database.queryOne(Int.self, "SELECT count(*) FROM dimple_part") == 0)
    // Rows that are here already are joined.
    let joining = try replica()
    joining.clock.advance(milliseconds: -1000)
    try await joining.insert("blob", .integer(7))
    try await joining.insert("mine", .integer(7))
    #expect(try await joining.engine.sync().mergedSnapshot)
    _ = try await writer.engine.sync()
    #expect(try joining.database.fingerprint() == writer.database.fingerprint())
  }

  @Test func withoutAPartTheSnapshotIsPassedOver() async throws {
    let writer = try await writer()
    let lost = try #require(LargeValues.parts(storage).first)
    let bytes = try #require(storage.snapshot[lost])
    try await storage.delete(lost)
    let newcomer = try replica()
    let report = try await newcomer.engine.sync()
    #expect(!report.mergedSnapshot)
    #expect(!report.skipped.isEmpty)
    // Packs bring the rest.
    #expect(try await newcomer.database.queryOne(Int.self, "SELECT count(*) FROM Item WHERE a = 1") == 40)
    try await storage.put(lost, bytes)
    #expect(try await newcomer.engine.sync().skipped.map(\.error.description) == [])
    #expect(try newcomer.database.fingerprint() == writer.database.fingerprint())
  }

  @Test func whoWritesASnapshotPutsThePartsThatTheVaultLacks() async throws {
    var quiet = SnapshotFleet.options
    quiet.smallestSnapshot = .max
    let writer = try replica(options: quiet)
    try await writer.insert("blob", .blob(LargeValues.bytes(5 << 20, seed: 1)))
    for index in 0..<40 { try await writer.insert("\(index)", .integer(1)) }
    _ = try await writer.engine.sync()
    let parts = LargeValues.parts(storage)
    for key in parts { try await storage.delete(key) }
    let again = SyncEngine(
      writer.database, storage: storage, vault: TransparentVault(), options: SnapshotFleet.options)
    #expect(try await again.sync().wroteSnapshot)
    #expect(LargeValues.parts(storage) == parts)
  }
}
