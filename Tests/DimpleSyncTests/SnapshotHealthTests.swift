import DimpleChangelog
import DimplePrimitives
import DimpleRemote
import DimpleStore
import DimpleTestSupport
import Testing

@testable import DimpleSync

@Suite("Health of snapshots and of parts of large values")
struct SnapshotHealthTests {
  private let storage = MemoryStorage()
  private let vault = TransparentVault()

  private func replica(_ options: SyncEngine.Options = SnapshotFleet.options) throws -> SimulatedReplica {
    try SimulatedReplica(
      storage: storage, options: options, migrations: [Migration("1", "\(raw: LargeValues.schema)")])
  }

  /// A snapshot of several parts, and all its packs.
  private func writer() async throws -> SimulatedReplica {
    let writer = try replica()
    for index in 0..<40 { try await writer.insert("\(index)", .integer(Int64(index))) }
    let reports = [try await writer.engine.sync(), try await writer.engine.sync()]
    #expect(reports.contains { $0.wroteSnapshot })
    return writer
  }

  private func newest() async throws -> SnapshotCatalog.Candidate {
    try #require(try await SnapshotFleet(storage: storage).snapshots().candidates.first)
  }

  private func manifest() async throws -> SnapshotManifest {
    let object = try await newest().manifest
    let bytes = try Gzip.decompress(try #require(storage.snapshot[object.key]), maximumSize: 1 << 24)
    return try SnapshotManifestDecoder.decode(bytes, name: object.name, vault: vault)
  }

  /// Puts another manifest in the place of the newest, signed by its writer.
  private func replaceManifest(by manifest: SnapshotManifest, of writer: SimulatedReplica) async throws -> String {
    guard case .blob(let signingKey) = try await writer.database.read({ try SyncSetting.signingKey.get($0) }) else {
      throw MissingValue()
    }
    var manifest = manifest
    manifest.signature = []
    let lines = try manifest.encoded(vault: vault, signingKey: signingKey)
    let name = SnapshotName(
      kind: .manifest, id: manifest.id, index: UInt32(manifest.parts.count),
      contentHash: vault.hash(SHA256.hash(lines)))
    let key = SnapshotName.prefix + (try vault.sealName(name.record))
    try await storage.delete(newest().manifest.key)
    try await storage.put(key, Gzip.compress(lines))
    return key
  }

  private func findings(_ replica: SimulatedReplica) async throws -> [HealthFinding] {
    try await replica.engine.verify().findings
  }

  @Test func aHealthySnapshotIsReadWhole() async throws {
    let writer = try await writer()
    let report = try await writer.engine.verify()
    #expect(report.findings.map(\.description) == [])
    #expect(report.checkedSnapshots == 1)
    let newcomer = try replica()
    _ = try await newcomer.engine.sync()
    #expect(try await findings(newcomer).map(\.description) == [])
  }

  @Test func aDamagedPartIsFoundAndItsWriterReplacesTheSnapshot() async throws {
    let writer = try await writer()
    let newest = try await newest()
    let part = try #require(
      storage.snapshot.keys.filter { $0.hasPrefix("snap/") && $0 != newest.manifest.key }.sorted().first)
    try await storage.put(part, Array((storage.snapshot[part] ?? []).dropLast(9)))
    let other = try replica()
    let found = try await findings(other)
    #expect(found.map(\.code) == [.damagedSnapshot])
    #expect(found.map(\.subject) == [newest.manifest.key])
    #expect(found.map(\.remedy) == [.repairElsewhere])
    #expect(try await findings(writer).map(\.remedy) == [.repair])
    let repair = try await writer.engine.repair()
    #expect(repair.removedObjects > 1)
    #expect(repair.remaining.findings.map(\.description) == [])
    #expect(repair.remaining.checkedSnapshots == 1)
    let newcomer = try replica()
    #expect(try await newcomer.engine.sync().mergedSnapshot)
    #expect(try newcomer.database.fingerprint() == writer.database.fingerprint())
  }

  @Test func aPartThatIsGoneIsFound() async throws {
    let writer = try await writer()
    let manifest = try await manifest()
    let name = try vault.sealName(manifest.name(ofPart: 1).record)
    try await storage.delete(SnapshotName.prefix + name)
    #expect(try await findings(writer).map(\.code) == [.damagedSnapshot])
  }

  @Test func aPartOfAnOlderSnapshotMayBeGone() async throws {
    let writer = try await writer()
    let older = try await manifest()
    for index in 40..<200 { try await writer.insert("\(index)", .integer(Int64(index))) }
    let reports = [try await writer.engine.sync(), try await writer.engine.sync()]
    #expect(reports.contains { $0.wroteSnapshot })
    #expect(try await writer.engine.verify().checkedSnapshots == 2)
    try await storage.delete(SnapshotName.prefix + vault.sealName(older.name(ofPart: 0).record))
    #expect(try await findings(writer).map(\.description) == [])
    // Of the newest it may not: somebody will want to read that.
    let newest = try await manifest()
    try await storage.delete(SnapshotName.prefix + vault.sealName(newest.name(ofPart: 0).record))
    #expect(try await findings(writer).map(\.code).contains(.damagedSnapshot))
  }

  @Test func aDamagedManifestIsFound() async throws {
    let writer = try await writer()
    let key = try await newest().manifest.key
    var lines = try Gzip.decompress(storage.snapshot[key] ?? [], maximumSize: 1 << 20)
    lines[lines.count - 10] ^= 1
    try await storage.put(key, Gzip.compress(lines))
    let found = try await findings(writer)
    #expect(found.map(\.code) == [.damagedSnapshot])
    #expect(found.map(\.subject) == [key])
  }

  @Test func aManifestThatIsNotItsWritersIsFound() async throws {
    let (writer, forger) = (try await writer(), try replica())
    _ = try await forger.engine.sync()
    // The forger signs with its own key, in the writer's name.
    var manifest = try await manifest()
    guard case .blob(let signingKey) = try await forger.database.read({ try SyncSetting.signingKey.get($0) }) else {
      throw MissingValue()
    }
    manifest.publicKey = try vault.publicKey(of: signingKey)
    let name = manifest.writer
    manifest.replicas[name]?.publicKey = manifest.publicKey
    _ = try await replaceManifest(by: manifest, of: forger)
    #expect(try await findings(writer).map(\.code) == [.forgedPack])
  }

  @Test func aManifestWithAnotherNumberOfRowsIsFound() async throws {
    let writer = try await writer()
    var manifest = try await manifest()
    manifest.parts[1].rows += 1
    let key = try await replaceManifest(by: manifest, of: writer)
    let found = try await findings(writer)
    #expect(found.map(\.code) == [.damagedSnapshot])
    #expect(found.map(\.subject) == [key])
  }

  @Test func whatASnapshotCoversIsComparedWithThePacks() async throws {
    let writer = try await writer()
    var manifest = try await manifest()
    let name = manifest.writer
    manifest.replicas[name]?.runs[0].chain.after[0] ^= 1
    let key = try await replaceManifest(by: manifest, of: writer)
    let found = try await findings(writer)
    #expect(found.map(\.code) == [.brokenChain])
    #expect(found.map(\.subject) == [key])
  }

  @Test func packsThatASnapshotKnowsOfAndNobodyListsAreMissing() async throws {
    let (writer, other) = (try await writer(), try replica())
    try await other.insert("other", .integer(1))
    _ = try await other.engine.sync()
    // A newcomer that knows of nobody, and of the writer by the snapshot alone.
    for key in storage.snapshot.keys where key.hasPrefix("log/") {
      let record = try #require(vault.openName(String(key.dropFirst(4))))
      if PackName(record: record)?.replica == writer.database.changelog?.replicaID { try await storage.delete(key) }
    }
    let found = try await findings(try replica())
    #expect(found.map(\.code) == [.missingPacks])
    #expect(found.map(\.remedy) == [.repairElsewhere])
    // Its writer sends them again.
    #expect(try await writer.engine.repair().remaining.isHealthy)
    #expect(try await findings(try replica()).map(\.description) == [])
  }

  @Test func aPartOfALargeValueThatIsSomethingElseIsFoundAndWhoHasTheValueRepairsIt() async throws {
    var quiet = SyncEngine.Options()
    quiet.smallestSnapshot = .max
    let (writer, reader, newcomer) = (try replica(quiet), try replica(quiet), try replica(quiet))
    try await writer.insert("x", .blob(LargeValues.bytes(5 << 20, seed: 1)))
    for replica in [writer, reader] { _ = try await replica.engine.sync() }
    let whole = try await reader.engine.verify()
    #expect(whole.findings.map(\.description) == [])
    #expect(whole.checkedParts == 2)
    let key = try #require(LargeValues.parts(storage).first)
    let objects = storage.snapshot
    try await storage.put(key, Gzip.compress([1, 2, 3]))
    let found = try await findings(newcomer)
    #expect(found.map(\.code) == [.damagedPart])
    #expect(found.map(\.subject) == [key])
    #expect(found.map(\.remedy) == [.repairElsewhere])
    // Not its author, but it has the value.
    #expect(try await findings(reader).map(\.remedy) == [.repair])
    let repair = try await reader.engine.repair()
    #expect(repair.resentParts == 1)
    #expect(repair.remaining.isHealthy)
    #expect(storage.snapshot == objects)
    // Its author has it in the log, also where no row shows it any more.
    try await writer.database.execute("UPDATE Item SET a = 1")
    try await storage.delete(key)
    #expect(try await findings(writer).map(\.code) == [.missingPart])
    #expect(try await writer.engine.repair().remaining.isHealthy)
    #expect(storage.snapshot[key] == objects[key])
  }

  @Test func aPartToWhichOnlyASnapshotRefersIsChecked() async throws {
    let writer = try replica()
    try await writer.insert("x", .blob(LargeValues.bytes(5 << 20, seed: 1)))
    for index in 0..<40 { try await writer.insert("\(index)", .integer(Int64(index))) }
    for _ in 0..<2 { _ = try await writer.engine.sync() }
    let key = try #require(LargeValues.parts(storage).first)
    try await storage.delete(key)
    let packs = storage.snapshot.filter { $0.key.hasPrefix("log/") }
    for key in packs.keys { try await storage.delete(key) }
    let codes = Set(try await findings(try replica()).map(\.code))
    #expect(codes == [.missingPart, .missingPacks])
  }
}
