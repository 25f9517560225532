import DimpleChangelog
import DimpleRemote
import DimpleStore
import DimpleTestSupport
import Testing

@testable import DimpleSync

@Suite("Hostile snapshots")
struct SnapshotFuzzTests {
  private struct Undo: Error {}

  @Test func mutatedPartsAreTakenOverOrRefusedWithoutATrap() async throws {
    let fleet = SnapshotFleet(storage: MemoryStorage())
    let writer = try fleet.replica()
    try await fleet.write(writer)
    let target = try fleet.replica(MemoryStorage())
    _ = try await target.engine.sync()
    let changelog = try #require(target.database.changelog)
    let catalog = try await fleet.snapshots()
    var parts: [(name: SnapshotName, lines: [UInt8])] = []
    for object in catalog.objects where object.name.kind == .part {
      let bytes = try await fleet.storage.get(object.key, maximumSize: 1 << 20)
      parts.append((object.name, try Gzip.decompress(bytes, maximumSize: 1 << 20)))
    }
    var random = SeededRandom(seed: 5)
    let digits = Array("0123456789.-\",[]{}nul\\".utf8)
    var taken = 0
    for _ in 0..<400 {
      var (name, lines) = parts[random.below(parts.count)]
      for _ in 0...random.below(3) {
        // Mostly what makes other JSON of it.
        lines[random.below(lines.count)] =
          random.oneIn(4) ? UInt8(random.below(256)) : digits[random.below(digits.count)]
      }
      if random.oneIn(8) { lines.removeSubrange(random.below(lines.count)...) }
      let vault = TransparentVault()
      name.hash = Array(vault.hash(vault.hash(lines)).prefix(16))
      do {
        let reader = try SnapshotPartReader(lines, name: name, latest: HybridTime(rawValue: 1 << 59), vault: vault)
        try await target.database.withMergeTransaction { connection in
          let schema = try MergeSchemaCache(rowsPerStatement: 2).load(connection, changelog).schema
          let merge = SnapshotMerge(
            connection: connection, changelog: changelog, vault: vault.id, schema: schema,
            latest: HybridTime(rawValue: 1 << 59), hasPacks: false)
          _ = try merge.run(
            reader, occupied: .init(), latest: HybridTime(rawValue: 1), then: .init(record: [], next: 1))
          _ = try merge.finish(nil)
          throw Undo()
        }
      } catch is Undo {
        taken += 1
      } catch is SyncError {
      }
    }
    #expect(taken > 0)
    #expect(try await target.database.queryOne(Int.self, "SELECT count(*) FROM Item") == 0)
  }
}
