import DimpleDb
import DimpleTestSupport
import Foundation
import Testing

@Suite("A music shop by three versions of its app at once")
struct MixedShopTests {
  /// What the second and the third version add.
  private static let upgrades = [
    Migration(
      "2",
      """
      ALTER TABLE Artist ADD COLUMN Country TEXT DEFAULT 'unknown';
      CREATE TABLE Review (ReviewId TEXT PRIMARY KEY NOT NULL, TrackId INTEGER NOT NULL REFERENCES Track(TrackId),
        Stars INTEGER NOT NULL CHECK (Stars BETWEEN 1 AND 5));
      """),
    Migration(
      "3",
      """
      ALTER TABLE Track ADD COLUMN Mood TEXT COLLATE NOCASE;
      ALTER TABLE Review ADD COLUMN Answer TEXT;
      CREATE TABLE Tag (Name TEXT PRIMARY KEY NOT NULL, AlbumId INTEGER REFERENCES Album(AlbumId) ON DELETE SET NULL)
        WITHOUT ROWID;
      """),
  ]

  /// One device, whose database outlives the versions of its app.
  private struct Device {
    var path: String
    /// Of the first version; none where the shop's own file was adopted.
    var base: [Migration]
    var version: Int
    var database: Database
    var engine: SyncEngine

    init(_ path: String, _ base: [Migration], version: Int, _ remote: Remote, _ encryption: Encryption) throws {
      (self.path, self.base, self.version) = (path, base, version)
      database = try Database.open(path, migrations: base + upgrades.prefix(version - 1))
      engine = SyncEngine(database, remote: remote, encryption: encryption)
    }
  }

  private func edit(_ version: Int, _ random: inout SeededRandom) -> SQL {
    let (id, text) = (1 + random.below(200), "edit \(random.below(1_000_000))")
    switch (random.below(9), version) {
    case (0, 2...): return "UPDATE Artist SET Country = \(text) WHERE ArtistId = \(id)"
    case (1, 2...):
      return "INSERT INTO Review (ReviewId, TrackId, Stars) VALUES (\(text), \(id), \(1 + random.below(5)))"
    case (2, 2...): return "DELETE FROM Review WHERE TrackId < \(random.below(20))"
    case (3, 3...): return "UPDATE Track SET Mood = \(text) WHERE TrackId = \(id)"
    case (4, 3...): return "UPDATE Review SET Answer = \(text)"
    case (5, 3...): return "INSERT OR REPLACE INTO Tag VALUES (\("tag \(random.below(9))"), \(id))"
    case (6, 1): return "UPDATE Track SET Name = \(text) WHERE TrackId = \(id)"
    case (7, 1): return "INSERT OR REPLACE INTO Artist (ArtistId, Name) VALUES (\(10_000 + random.below(9)), \(text))"
    default: return MusicShop.edit(&random)
    }
  }

  private func run(_ remote: Remote, seed: UInt64) async throws {
    let folder = try TemporaryFolder()
    let encryption = Encryption.passphrase("correct horse battery staple")
    try MusicShop.make(at: folder.file("0.db"))
    let schema = try MusicShop.schema(of: folder.file("0.db"))
    var devices = try (0..<3).map { index in
      try Device(folder.file("\(index).db"), index == 0 ? [] : schema, version: index + 1, remote, encryption)
    }
    var random = SeededRandom(seed: seed)
    for device in devices { _ = try await device.engine.sync() }
    // The newest writes what the oldest cannot know, into a row that the oldest then saves.
    try await devices[2].database.execute("UPDATE Track SET Mood = 'blue', Name = 'old name' WHERE TrackId = 1")
    _ = try await devices[2].engine.sync()
    _ = try await devices[0].engine.sync()
    try await devices[0].database.execute("UPDATE Track SET Name = 'new name', Composer = 'me' WHERE TrackId = 1")
    for _ in 0..<80 {
      let device = devices[random.below(3)]
      if random.oneIn(8) { _ = try await device.engine.sync() }
      do { try await device.database.execute(edit(device.version, &random)) } catch let error as StoreError {
        guard error.code.isConstraint else { throw error }
      }
    }
    for _ in 0..<2 { for device in devices { #expect(try await device.engine.sync().skipped.isEmpty) } }
    // What a version does not know is held, and counts as held only there.
    let reviews = try await devices[2].database.queryOne(Int.self, "SELECT count(*) FROM Review") ?? 0
    let unknown = try devices[0].database.heldRows().filter { $0.reason == .unknownTable && $0.table == "Review" }
    #expect(reviews > 0 && unknown.count >= reviews, "seed \(seed)")

    // One after the other is brought up to date while the others go on.
    for index in 0..<2 {
      try await devices[index].database.close()
      devices[index] = try Device(devices[index].path, devices[index].base, version: 3, remote, encryption)
      try await devices[index].database.execute("UPDATE Review SET Answer = 'thanks' WHERE Stars = 5")
      _ = try await devices[index].engine.sync()
    }
    try await expectEqual(devices, remote, encryption, schema, seed)
    for device in devices { try await device.database.close() }
  }

  private func expectEqual(
    _ devices: [Device], _ remote: Remote, _ encryption: Encryption, _ schema: [Migration], _ seed: UInt64
  ) async throws {
    let newcomer = try Database.openInMemory(migrations: schema + Self.upgrades)
    let engines = devices.map(\.engine) + [SyncEngine(newcomer, remote: remote, encryption: encryption)]
    for _ in 0..<2 { for engine in engines { #expect(try await engine.sync().skipped.isEmpty) } }
    let expected = try newcomer.fingerprint()
    #expect(expected.tables.contains { $0.name == "Review" && $0.rowCount > 0 })
    for device in devices {
      let fingerprint = try device.database.fingerprint()
      for (mine, theirs) in zip(fingerprint.tables, expected.tables) {
        #expect(mine == theirs, "device \(device.path), seed \(seed)")
      }
      #expect(try Set(device.database.heldRows()) == Set(newcomer.heldRows()), "seed \(seed)")
      #expect(try await device.database.rows("SELECT * FROM pragma_foreign_key_check").isEmpty)
      #expect(try await device.database.rows("PRAGMA integrity_check")[0][0] == .text("ok"))
      let track = try await device.database.rows("SELECT Name, Mood FROM Track WHERE TrackId = 1").first
      #expect(track?["Mood"] == .text("blue"), "seed \(seed): an older app's save has undone a newer one's column")
    }
  }

  @Test func throughADirectory() async throws {
    let vault = try TemporaryFolder()
    try await run(.directory(vault.file("vault")), seed: 1)
  }

  @Test func throughMemory() async throws {
    for seed: UInt64 in 2...3 { try await run(.memory, seed: seed) }
  }

  @Test(.enabled(if: Environment.expectsS3, "needs the S3 server of scripts/test"))
  func throughS3() async throws {
    try await run(Environment.s3Remote(), seed: 4)
  }
}
