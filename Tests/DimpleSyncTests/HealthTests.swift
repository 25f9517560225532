import DimpleChangelog
import DimpleRemote
import DimpleStore
import DimpleSync
import DimpleTestSupport
import Foundation
import Testing

@Suite("Health of vaults and replicas")
struct HealthTests {
  private let migrations = [Migration("1", "CREATE TABLE Item (id TEXT PRIMARY KEY NOT NULL, a, b)")]
  private let storage = MemoryStorage()

  private func replica(path: String? = nil, options: SyncEngine.Options = .init()) throws -> SimulatedReplica {
    try SimulatedReplica(storage: storage, path: path, options: options, migrations: migrations)
  }

  private func insert(_ ids: String..., in replica: SimulatedReplica) async throws {
    for id in ids { try await replica.database.execute("INSERT INTO Item VALUES (\(id), 1, 1)") }
  }

  private func name(_ replica: SimulatedReplica) throws -> ReplicaID {
    try #require(replica.database.changelog?.replicaID)
  }

  private func codes(_ report: HealthReport) -> [HealthFinding.Code] { report.findings.map(\.code) }

  private func keys() -> [String] { storage.snapshot.keys.filter { $0.hasPrefix("log/") }.sorted() }

  /// The object that the last sync wrote.
  private func newKey(_ body: () async throws -> Void) async throws -> String {
    let before = Set(keys())
    try await body()
    return try #require(keys().first { !before.contains($0) })
  }

  @Test("A healthy vault has no findings, and everything was looked at")
  func healthy() async throws {
    let (one, two) = (try replica(), try replica())
    try await insert("a", "b", in: one)
    for replica in [one, two] { _ = try await replica.engine.sync() }
    try await two.database.execute("UPDATE Item SET a = 2")
    try await two.database.execute("DELETE FROM Item WHERE id = 'b'")
    for replica in [two, one] { _ = try await replica.engine.sync() }
    // Not folded yet.
    try await insert("c", in: one)
    for replica in [one, two] {
      let report = try await replica.engine.verify()
      #expect(report.findings.map(\.description) == [])
      #expect(report.isHealthy)
      #expect((report.checkedPacks, report.checkedTransactions) == (2, 4))
    }
  }

  @Test("Case 33: a log rolled back is noticed by who knows better, once it lasts, and by the others' headers")
  func rolledBack() async throws {
    let (one, two) = (try replica(), try replica())
    try await insert("a", in: one)
    _ = try await one.engine.sync()
    let key = try await newKey {
      try await insert("b", in: one)
      _ = try await one.engine.sync()
    }
    _ = try await two.engine.sync()
    try await insert("c", in: two)
    _ = try await two.engine.sync()
    let whole = storage.snapshot
    try await storage.delete(key)
    // A listing may be stale: the first says nothing yet.
    #expect(try await two.engine.sync().missing.isEmpty)
    let report = try await two.engine.sync()
    #expect(report.warnings.map(\.code) == [.rolledBack])
    #expect(report.missing.map(\.transactions) == [[2...2]])
    #expect(try report.missing.map(\.replica) == [name(one)])
    // Its author is told, too.
    _ = try await one.engine.sync()
    #expect(try await one.engine.sync().warnings.map(\.code) == [.missingPacks])
    // One that never had them hears of them from another's pack.
    let three = try replica()
    _ = try await three.engine.sync()
    #expect(codes(try await three.engine.verify()) == [.missingPacks])
    // A listing that has all again ends the alarm.
    storage.restore(whole)
    #expect(try await two.engine.sync().warnings.isEmpty)
  }

  @Test(
    "Case 33: a log whose beginning is gone, as no snapshot has it, is noticed by its author, who knew it, and who did not"
  )
  func beginningGone() async throws {
    let (one, two) = (try replica(), try replica())
    try await insert("a", in: one)
    let key = try await newKey { _ = try await one.engine.sync() }
    for id in ["b", "c"] {
      try await insert(id, in: one)
      _ = try await one.engine.sync()
    }
    _ = try await two.engine.sync()
    try await storage.delete(key)
    let newcomer = try replica()
    for replica in [one, two, newcomer] {
      #expect(try await replica.engine.sync().missing.isEmpty)
      #expect(try await replica.engine.sync().missing.map(\.transactions) == [[1...1]])
      #expect(codes(try await replica.engine.verify()) == [.missingPacks])
    }
    #expect(try await one.engine.repair().resentTransactions == 1)
    for replica in [two, newcomer] { #expect(try await replica.engine.sync().missing.isEmpty) }
    #expect(try newcomer.database.fingerprint() == one.database.fingerprint())
  }

  @Test("Case 26: what one listing lacks and the next one has was never gone, whatever else that one lacks")
  func staleListings() async throws {
    let (one, two) = (try replica(), try replica())
    for id in ["a", "b", "c"] {
      try await insert(id, in: one)
      _ = try await one.engine.sync()
    }
    _ = try await two.engine.sync()
    let whole = storage.snapshot
    for key in keys() {
      storage.restore(whole)
      try await storage.delete(key)
      #expect(try await two.engine.sync().missing.isEmpty)
    }
    #expect(try await two.engine.sync().missing.count == 1)
  }

  @Test("Case 33: two objects swapped, one cut, one that is something else: found, and told which")
  func swapped() async throws {
    let (one, two) = (try replica(), try replica())
    try await insert("a", in: one)
    let first = try await newKey { _ = try await one.engine.sync() }
    try await insert("b", in: one)
    let second = try await newKey { _ = try await one.engine.sync() }
    try await insert("c", in: one)
    let third = try await newKey { _ = try await one.engine.sync() }
    var objects = storage.snapshot
    (objects[first], objects[second]) = (objects[second], objects[first])
    objects[third] = Array((objects[third] ?? []).dropLast(20))
    storage.restore(objects)
    let report = try await two.engine.sync()
    #expect(Set(report.skipped.map(\.key)) == [first, second, third])
    #expect(report.skipped.allSatisfy { $0.error.code == .damagedObject })
    let found = try await two.engine.verify()
    #expect(Set(found.findings.filter { $0.code == .damagedPack }.map(\.subject)) == [first, second, third])
    #expect(found.findings.allSatisfy { $0.remedy == .repairElsewhere })
    // Their author can mend it.
    let repair = try await one.engine.repair()
    #expect(repair.remaining.isHealthy)
    #expect((repair.resentTransactions, repair.removedObjects) == (3, 3))
    // Nothing is kept of what is gone.
    #expect(try await one.database.queryOne(Int.self, "SELECT count(*) FROM dimple_own_pack") == keys().count)
    _ = try await two.engine.sync()
    #expect(try one.database.fingerprint() == two.database.fingerprint())
    #expect(try await two.engine.verify().isHealthy)
  }

  @Test("Case 33: a change forged in another's name is refused by who knows the author's key, and found")
  func forged() async throws {
    let (victim, reader) = (try replica(), try replica())
    try await insert("a", in: victim)
    _ = try await victim.engine.sync()
    _ = try await reader.engine.sync()
    // A member whose database has taken the victim's name.
    let (forger, elsewhere) = (try replica(), MemoryStorage())
    let forge = SyncEngine(forger.database, storage: elsewhere, vault: TransparentVault())
    _ = try await forge.sync()
    let victimName = try name(victim)
    try await forger.database.write { connection in
      try connection.withInternalAccess {
        try connection.execute("UPDATE dimple_meta SET value = \(Int64(victimName.rawValue)) WHERE name = 'replica'")
      }
    }
    for id in ["forged 1", "forged 2", "forged 3"] { try await insert(id, in: forger) }
    _ = try await forge.sync()
    let key = try #require(elsewhere.snapshot.keys.first { $0.hasPrefix("log/") })
    try await storage.put(key, elsewhere.snapshot[key] ?? [])
    let report = try await reader.engine.sync()
    #expect(report.skipped.map(\.key) == [key])
    #expect(report.skipped.map(\.error.code) == [.forgedAuthor])
    #expect(try await reader.database.queryOne(Int.self, "SELECT count(*) FROM Item") == 1)
    let finding = try #require(try await reader.engine.verify().findings.first)
    #expect(finding.code == .forgedPack)
    #expect(finding.subject == key)
  }

  @Test("Case 34: a wrong passphrase writes nothing, here or there")
  func wrongPassphrase() async throws {
    struct Refusing: VaultProvider {
      func openVault(on storage: any ObjectStorage) async throws -> any Vault {
        _ = try await storage.listAll(prefix: "keys/")
        throw RemoteError(.wrongPassphrase, operation: "open the vault", message: "The passphrase is wrong.")
      }
    }
    let one = try replica()
    try await insert("a", in: one)
    _ = try await one.engine.sync()
    let before = storage.snapshot
    let two = try SimulatedReplica(storage: storage, vault: Refusing(), migrations: migrations)
    try await insert("b", in: two)
    await #expect { _ = try await two.engine.sync() } throws: { ($0 as? RemoteError)?.code == .wrongPassphrase }
    await #expect { _ = try await two.engine.repair() } throws: { ($0 as? RemoteError)?.code == .wrongPassphrase }
    #expect(storage.snapshot == before)
    #expect(try await two.database.rows("SELECT name FROM sqlite_schema WHERE name = 'dimple_row'").isEmpty)
  }

  @Test("Case 36: the first sync with data on both sides loses nothing of either")
  func dataOnBothSides() async throws {
    let (one, two) = (try replica(), try replica())
    try await insert("one", "both", in: one)
    try await insert("two", in: two)
    two.clock.advance(milliseconds: 10)
    try await two.database.execute("INSERT INTO Item VALUES ('both', 2, 2)")
    for replica in [one, two, one] { _ = try await replica.engine.sync() }
    #expect(try await one.database.query(String.self, "SELECT id FROM Item ORDER BY id") == ["both", "one", "two"])
    #expect(try one.database.fingerprint() == two.database.fingerprint())
    #expect(try await one.engine.verify().isHealthy)
  }

  @Test("Own objects that are gone are sent again, in packs of the usual size")
  func gone() async throws {
    var options = SyncEngine.Options()
    options.packSize = 200
    let (one, two) = (try replica(options: options), try replica())
    for index in 0..<10 { try await insert("\(index)", in: one) }
    _ = try await one.engine.sync()
    for key in keys() { try await storage.delete(key) }
    let repair = try await one.engine.repair()
    #expect(codes(repair.found) == [.missingPacks])
    #expect(repair.resentTransactions == 10)
    #expect(repair.remaining.isHealthy)
    #expect(keys().count > 1)
    #expect(try await two.engine.sync().pulledTransactions == 10)
    #expect(try await one.engine.sync().isEmpty)
  }

  @Test("Rows that another program changed behind the library's back are found, and made what was written")
  func tampered() async throws {
    let path = TemporaryFile.path()
    defer { TemporaryFile.remove(path) }
    let (one, two) = (try replica(), try replica(path: path))
    try await insert("a", "b", "c", in: one)
    try await one.database.execute("DELETE FROM Item WHERE id = 'c'")
    _ = try await one.engine.sync()
    try await insert("mine", in: two)
    _ = try await two.engine.sync()
    _ = try await two.engine.sync()
    try await two.database.withMergeTransaction { connection in
      try connection.execute("UPDATE Item SET a = 7 WHERE id = 'a'")
      try connection.execute("UPDATE Item SET b = 8 WHERE id = 'mine'")
      try connection.execute("DELETE FROM Item WHERE id = 'b'")
      try connection.execute("INSERT INTO Item VALUES ('c', 1, 1)")
      try connection.execute("INSERT INTO Item VALUES ('stranger', 1, 1)")
    }
    let report = try await two.engine.verify()
    #expect(
      report.findings.filter { $0.code == .tableDiffers }.map(\.subject).sorted().count >= 4, "\(report.findings)")
    #expect(report.findings.contains { $0.code == .untrackedRow })
    let repair = try await two.engine.repair()
    #expect(repair.correctedRows == 4)
    #expect(codes(repair.remaining) == [.untrackedRow])
    #expect(
      try await two.database.query(
        String.self, "SELECT id || ' ' || a || ' ' || b FROM Item WHERE id <> 'stranger' ORDER BY id")
        == ["a 1 1", "b 1 1", "mine 1 1"])
    try await two.database.close()
  }

  @Test("What was written in a row's earlier life need not be shown")
  func earlierLife() async throws {
    let newer = try replica()
    try await newer.database.execute("INSERT INTO Item VALUES ('a', 1, 2)")
    try await newer.database.execute("DELETE FROM Item")
    _ = try await newer.engine.sync()
    let older = try SimulatedReplica(
      storage: storage, migrations: [Migration("1", "CREATE TABLE Item (id TEXT PRIMARY KEY NOT NULL, a)")])
    older.clock.advance(milliseconds: 10_000)
    try await older.database.execute("INSERT INTO Item VALUES ('a', 3)")
    for replica in [older, newer] { _ = try await replica.engine.sync() }
    #expect(try await newer.database.queryOne(String.self, "SELECT a || ',' || quote(b) FROM Item") == "3,NULL")
    #expect(try await newer.engine.verify().findings.map(\.description) == [])
  }

  @Test("A check tells how far it is, and can be cancelled")
  func progress() async throws {
    let one = try replica()
    for index in 0..<3 {
      try await insert("\(index)", in: one)
      _ = try await one.engine.sync()
    }
    let stream = one.engine.progress
    _ = try await one.engine.verify()
    var last: SyncProgress?
    for await step in stream where step.phase == .verifying {
      last = step
      if step.transactions == step.totalTransactions { break }
    }
    #expect((last?.transactions, last?.totalTransactions) == (3, 3))
    let task = Task { try await one.engine.verify() }
    task.cancel()
    await #expect(throws: CancellationError.self) { _ = try await task.value }
  }

  @Test("What a repair puts under the same name stays")
  func repairedInPlace() async throws {
    let one = try replica()
    try await insert("a", in: one)
    let key = try await newKey { _ = try await one.engine.sync() }
    try await storage.put(key, Array(try #require(storage.snapshot[key]).dropLast(20)))
    let report = try await one.engine.repair()
    #expect(report.resentTransactions == 1)
    #expect(codes(report.remaining) == [])
    #expect(keys() == [key])
  }
}
