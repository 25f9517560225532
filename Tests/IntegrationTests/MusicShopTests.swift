import DimpleDb
import DimpleTestSupport
import Foundation
import Testing

@Suite("Three replicas of a music shop")
struct MusicShopTests {
  private static let passphrase = "correct horse battery staple"

  /// Opens the shop on the first device, and empty on two others; all sync with one vault.
  private func fleet(
    _ folder: TemporaryFolder, _ remote: Remote, _ encryption: Encryption
  ) throws -> [(database: Database, engine: SyncEngine)] {
    try MusicShop.make(at: folder.file("0.db"))
    let schema = try MusicShop.schema(of: folder.file("0.db"))
    return try (0..<3).map { index in
      let database = try Database.open(folder.file("\(index).db"), migrations: index == 0 ? [] : schema)
      return (database, SyncEngine(database, remote: remote, encryption: encryption))
    }
  }

  private func editAndConverge(_ remote: Remote, _ encryption: Encryption, seed: UInt64) async throws {
    let folder = try TemporaryFolder()
    let fleet = try fleet(folder, remote, encryption)
    var random = SeededRandom(seed: seed)
    for replica in fleet { _ = try await replica.engine.sync() }
    for _ in 0..<60 {
      let replica = fleet[random.below(3)]
      if random.oneIn(6) { _ = try await replica.engine.sync() }
      do { try await replica.database.execute(MusicShop.edit(&random)) } catch let error as StoreError {
        guard error.code.isConstraint else { throw error }
      }
    }
    // One device gets a newer version of the app in between.
    try await fleet[1].database.write { connection in
      try connection.execute("ALTER TABLE Artist ADD COLUMN Country TEXT DEFAULT 'unknown'")
      try connection.execute("UPDATE Artist SET Country = 'Malta' WHERE ArtistId % 3 = 0")
    }
    for index in [1, 0, 2].shuffled(using: &random) { _ = try await fleet[index].engine.sync() }
    for index in [0, 2] {
      try await fleet[index].database.execute("UPDATE Artist SET Name = Name || '!' WHERE ArtistId % 5 = 0")
      try await fleet[index].database.execute("ALTER TABLE Artist ADD COLUMN Country TEXT DEFAULT 'unknown'")
    }
    for _ in 0..<2 { for replica in fleet { #expect(try await replica.engine.sync().skipped.isEmpty) } }

    let expected = try fleet[0].database.fingerprint()
    for replica in fleet {
      #expect(try replica.database.fingerprint() == expected, "seed \(seed)")
      #expect(try await replica.database.rows("SELECT * FROM pragma_foreign_key_check").isEmpty)
      #expect(try await replica.database.rows("PRAGMA integrity_check")[0][0] == .text("ok"))
    }
    let maltese = try await fleet[2].database.queryOne(Int.self, "SELECT count(*) FROM Artist WHERE Country = 'Malta'")
    #expect((maltese ?? 0) > 10)
    for replica in fleet { try await replica.database.close() }
  }

  @Test func throughADirectory() async throws {
    let vault = try TemporaryFolder()
    try await editAndConverge(.directory(vault.file("vault")), .passphrase(Self.passphrase), seed: 1)
  }

  @Test func throughMemoryWithoutEncryption() async throws {
    for seed: UInt64 in 2...4 { try await editAndConverge(.memory, .none, seed: seed) }
  }

  @Test(.enabled(if: Environment.expectsS3, "needs the S3 server of scripts/test"))
  func throughS3Encrypted() async throws {
    try await editAndConverge(Environment.s3Remote(), .passphrase(Self.passphrase), seed: 5)
  }
}
