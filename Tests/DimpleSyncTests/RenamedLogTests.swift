import DimpleChangelog
import DimpleRemote
import DimpleStore
import DimpleTestSupport
import Foundation
import Testing

@testable import DimpleSync

@Suite("Own transactions are sent under the names that they were committed with")
struct RenamedLogTests {
  private static let first = Migration(
    "1",
    """
    CREATE TABLE Item (id TEXT PRIMARY KEY NOT NULL, a, n INTEGER);
    CREATE TABLE Gone (id INTEGER PRIMARY KEY, b);
    """)
  private static let second = Migration(
    "2",
    """
    INSERT INTO Item VALUES ('by the migration', 'm', 0);
    ALTER TABLE Item RENAME COLUMN a TO title; ALTER TABLE Item RENAME TO Thing;
    UPDATE Thing SET n = 1 WHERE id = 'by the migration'; DROP TABLE Gone;
    """)
  private static let renames: [SyncRename] = [
    .table("Item", to: "Thing"), .column("a", to: "title", of: "Thing"),
  ]

  private let a = MemoryStorage()
  private let b = MemoryStorage()

  private func vault(_ storage: MemoryStorage) -> TransparentVault { TransparentVault(id: storage === a ? "a" : "b") }

  private func old(_ path: String? = nil, on storage: MemoryStorage, detectsCopies: Bool = true) throws
    -> SimulatedReplica
  {
    try SimulatedReplica(
      storage: storage, vault: vault(storage), path: path, detectsCopies: detectsCopies, migrations: [Self.first])
  }

  private func new(_ path: String? = nil, on storage: MemoryStorage, renames: [SyncRename] = renames) throws
    -> SimulatedReplica
  {
    try SimulatedReplica(
      storage: storage, vault: vault(storage), path: path, options: Self.options(renames),
      migrations: [Self.first, Self.second])
  }

  private static func options(_ renames: [SyncRename] = renames, leavesOut: Set<String> = []) -> SyncEngine.Options {
    var options = SyncEngine.Options()
    options.renames = renames
    options.leavesOut = leavesOut
    // A pack is ended before a transaction of a large value's size is in it.
    options.packSize = 1000
    return options
  }

  private func engine(_ replica: SimulatedReplica, on storage: MemoryStorage, _ options: SyncEngine.Options = options())
    -> SyncEngine
  {
    SyncEngine(replica.database, storage: storage, vault: vault(storage), options: options)
  }

  @discardableResult
  private func sync(_ engine: SyncEngine) async throws -> SyncReport {
    let report = try await engine.sync()
    #expect(report.skipped.isEmpty && report.diverged.isEmpty && !report.tookNewName)
    return report
  }

  private func writeAsOld(_ database: Database) async throws {
    try await database.execute("INSERT INTO Item VALUES ('x', 'one', 1), ('y', 'two', 2)")
    try await database.execute("INSERT INTO Gone VALUES (1, 'of a table that goes')")
    try await database.execute("INSERT INTO Item VALUES ('large', zeroblob(1500000), 3)")
    try await database.execute("UPDATE Item SET a = 'uno' WHERE id = 'x'")
  }

  private func writeAsNew(_ database: Database) async throws {
    try await database.execute("UPDATE Thing SET title = 'dos' WHERE id = 'y'")
    try await database.execute("UPDATE Thing SET id = 'z' WHERE id = 'x'")
  }

  private struct Line: Equatable {
    var text: String
    var chain: [UInt8]

    func contains(_ part: String) -> Bool { text.contains(part) }
  }

  /// What a vault's packs of one replica say: each transaction's line and the chain after it.
  private func log(of replica: ReplicaID, in engine: SyncEngine) async throws -> [Int64: Line] {
    let session = try await engine.openSession()
    var log: [Int64: Line] = [:]
    for pack in try await VaultListing(session: session).run().candidates where pack.name.replica == replica {
      let decoded = try await PackFetch(session: session).fetch(pack).get()
      let salts = decoded.header.salts.map(\.table)
      try decoded.forEachLine(from: pack.name.range.lowerBound) { bytes, number in
        let line = Line(
          text: String(decoding: bytes, as: UTF8.self), chain: try #require(decoded.chain(after: number)))
        for table in ["Item", "Thing"] where line.contains("\"table\":\"\(table)\"") { #expect(salts.contains(table)) }
        log[number] = line
        return true
      }
    }
    return log
  }

  private func name(_ replica: SimulatedReplica) throws -> ReplicaID {
    try #require(replica.database.changelog?.replicaID)
  }

  private func things(_ replica: SimulatedReplica) throws -> [[SQLValue]] {
    try replica.database.rows("SELECT id, iif(typeof(title) = 'blob', 'large', title), n FROM Thing ORDER BY id")
      .map { row in (0..<3).map { row[$0] } }
  }

  private let expected: [[SQLValue]] = [
    [.text("by the migration"), .text("m"), .integer(1)], [.text("large"), .text("large"), .integer(3)],
    [.text("y"), .text("dos"), .integer(2)], [.text("z"), .text("uno"), .integer(1)],
  ]

  /// Written and sent to A by the old app, then by the new one.
  private func updated(_ path: String, renames: [SyncRename] = renames) async throws -> SimulatedReplica {
    let old = try old(path, on: a)
    try await writeAsOld(old.database)
    try await sync(old.engine)
    try await old.database.close()
    let new = try new(path, on: a, renames: renames)
    try await writeAsNew(new.database)
    try await sync(new.engine)
    return new
  }

  // MARK: - Tests

  @Test(arguments: [true, false]) func aVaultThatIsAddedLaterGetsTheSameChain(isDeclared: Bool) async throws {
    let path = TemporaryFile.path()
    defer { TemporaryFile.remove(path) }
    let renames = isDeclared ? Self.renames : []
    let replica = try await updated(path, renames: renames)
    let second = engine(replica, on: b, Self.options(renames))
    try await sync(second)
    let inA = try await log(of: name(replica), in: replica.engine)
    let inB = try await log(of: name(replica), in: second)
    #expect(inA.count == 7 && inA == inB)
    #expect(inB[1]?.contains(#""Item""#) == true && inB[2]?.contains(#""Gone""#) == true)
    // The migration wrote before and after it renamed: that counts as of its end.
    #expect(inB[5]?.contains(#""Item""#) == false && inB[5]?.contains(#""Thing""#) == true)
    for engine in [replica.engine, second] {
      let findings = try await engine.verify().findings
      #expect(findings.filter { isDeclared || $0.code == .brokenChain }.isEmpty)
    }
    try await replica.database.close()
  }

  @Test func twoAppsReadBothVaults() async throws {
    let (path, oldPath) = (TemporaryFile.path(), TemporaryFile.path())
    defer { for file in [path, oldPath] { TemporaryFile.remove(file) } }
    let replica = try await updated(path)
    let second = engine(replica, on: b)
    try await sync(second)
    // The old app reads what was encoded after the rename, first.
    let (older, newer) = (try old(oldPath, on: b), try new(on: b))
    try await sync(older.engine)
    #expect(try await older.database.query(String.self, "SELECT id FROM Item ORDER BY id") == ["large", "x", "y"])
    for (reader, other) in [(older, a), (newer, a)] {
      let engine = engine(reader, on: other, reader.database === older.database ? .init() : Self.options())
      for engine in [reader.engine, engine, reader.engine] { try await sync(engine) }
      for engine in [reader.engine, engine] { #expect(try await engine.verify().findings.isEmpty) }
    }
    #expect(try things(replica) == expected && things(newer) == expected)
    #expect(try newer.database.stateFingerprint() == replica.database.stateFingerprint())
    // The old app has what was written before; the rest waits for its migration.
    #expect(
      try await older.database.query(String.self, "SELECT id || n FROM Item ORDER BY id") == ["large3", "x1", "y2"])
    #expect(try await older.database.query(String.self, "SELECT b FROM Gone") == ["of a table that goes"])
    try await older.database.close()
    let migrated = try new(oldPath, on: b)
    for _ in 0..<2 { for engine in [migrated.engine, newer.engine, second] { try await sync(engine) } }
    #expect(try things(migrated) == expected)
    #expect(try migrated.database.stateFingerprint() == replica.database.stateFingerprint())
    for replica in [replica, migrated] { try await replica.database.close() }
  }

  @Test func repairPutsTheSameTransactionsAgain() async throws {
    let path = TemporaryFile.path()
    defer { TemporaryFile.remove(path) }
    let replica = try await updated(path)
    let before = try await log(of: name(replica), in: replica.engine)
    let reader = try new(on: a)
    try await sync(reader.engine)
    let session = try await replica.engine.openSession()
    let own = try name(replica)
    let packs = try await VaultListing(session: session).run().candidates
    let lost = try #require(packs.first { $0.name.replica == own && $0.name.range.contains(1) })
    try await a.delete(lost.key)
    let repair = try await replica.engine.repair()
    #expect(repair.resentTransactions == Int64(lost.name.range.count) && repair.remaining.findings.isEmpty)
    #expect(try await log(of: name(replica), in: replica.engine) == before)
    try await sync(reader.engine)
    #expect(try await reader.engine.verify().findings.isEmpty)
    let newcomer = try new(on: a)
    try await sync(newcomer.engine)
    #expect(try things(newcomer) == expected)
    try await replica.database.close()
  }

  @Test func whatACopyOfBeforeSentIsKnownAsOnesOwn() async throws {
    let (path, copyPath) = (TemporaryFile.path(), TemporaryFile.path())
    defer { for file in [path, copyPath] { TemporaryFile.remove(file) } }
    let original = try old(path, on: a)
    try await sync(original.engine)
    try await writeAsOld(original.database)
    try await sync(original.engine)
    try await original.database.close()
    try FileManager.default.copyItem(atPath: path, toPath: copyPath)
    let copy = try old(copyPath, on: b, detectsCopies: false)
    try await sync(copy.engine)
    let replica = try new(path, on: a)
    try await writeAsNew(replica.database)
    let second = engine(replica, on: b)
    let report = try await sync(second)
    // What the copy has sent need not be sent again.
    #expect(report.pushedTransactions == 3)
    #expect(try await second.verify().findings.isEmpty)
    #expect(try await log(of: name(replica), in: second).count == 7)
    for replica in [replica, copy] { try await replica.database.close() }
  }

  /// What it wrote after the parting gets other stamps, in its state too, wherever that has it.
  @Test(arguments: [true, false]) func aCopyThatTakesAnotherNameAfterARename(isDeclared: Bool) async throws {
    let (path, copyPath) = (TemporaryFile.path(), TemporaryFile.path())
    defer { for file in [path, copyPath] { TemporaryFile.remove(file) } }
    let renames = isDeclared ? Self.renames : []
    let original = try old(path, on: a)
    try await original.database.execute("INSERT INTO Item VALUES ('both', 'b', 0)")
    try await sync(original.engine)
    try await original.database.close()
    try FileManager.default.copyItem(atPath: path, toPath: copyPath)
    let first = try old(path, on: a)
    try await first.database.execute("INSERT INTO Item VALUES ('of the original', 'o', 0)")
    try await sync(first.engine)
    let before = try old(copyPath, on: b, detectsCopies: false)
    before.clock.advance(milliseconds: 50)
    try await writeAsOld(before.database)
    try await sync(before.engine)
    try await before.database.close()
    let copy = try SimulatedReplica(
      storage: a, vault: vault(a), path: copyPath, detectsCopies: false, options: Self.options(renames),
      migrations: [Self.first, Self.second])
    copy.clock.advance(milliseconds: 100)
    try await writeAsNew(copy.database)
    #expect(try await copy.engine.sync().tookNewName)
    let newcomer = try new(on: a, renames: renames)
    for _ in 0..<2 { for replica in [newcomer, copy] { try await sync(replica.engine) } }
    #expect(try copy.database.stateFingerprint() == newcomer.database.stateFingerprint())
    #expect(try await copy.engine.verify().findings.filter { isDeclared || $0.code == .brokenChain }.isEmpty)
    for replica in [first, copy] { try await replica.database.close() }
  }

  /// Whoever has the old app sees it at once, and all with the new one put it into the same rows. Where nothing was declared, these
  /// are of a table that the new app does not have; the own state says so, too.
  @Test(arguments: [true, false]) func whatWasNotSentBeforeTheRenameHasTheOldNames(isDeclared: Bool) async throws {
    let path = TemporaryFile.path()
    defer { TemporaryFile.remove(path) }
    let renames = isDeclared ? Self.renames : []
    let (offline, older, newer) = (try old(path, on: a), try old(on: a), try new(on: a, renames: renames))
    for replica in [offline, older, newer] { try await sync(replica.engine) }
    try await writeAsOld(offline.database)
    try await offline.database.close()
    let replica = try new(path, on: a, renames: renames)
    try await writeAsNew(replica.database)
    for _ in 0..<2 { for replica in [replica, older, newer] { try await sync(replica.engine) } }
    #expect(
      try await older.database.query(String.self, "SELECT a FROM Item WHERE id IN ('x', 'y') ORDER BY id")
        == ["uno", "two"])
    #expect(try newer.database.stateFingerprint() == replica.database.stateFingerprint())
    if isDeclared {
      #expect(try things(newer) == expected)
      #expect(try await replica.engine.verify().findings.isEmpty)
    }
    try await replica.database.close()
  }

  /// Nobody has seen an old name: there is none to keep to, and no rename to declare.
  @Test func whatWasRenamedBeforeTheFirstSyncHasTheNamesOfThen() async throws {
    let path = TemporaryFile.path()
    defer { TemporaryFile.remove(path) }
    let old = try old(path, on: a)
    try await writeAsOld(old.database)
    try await old.database.close()
    let (replica, newcomer) = (try new(path, on: a, renames: []), try new(on: a, renames: []))
    try await writeAsNew(replica.database)
    for replica in [replica, newcomer] { try await sync(replica.engine) }
    #expect(try things(newcomer) == expected)
    #expect(try newcomer.database.heldRows().map(\.table) == ["Gone"])
    try await replica.database.close()
  }

  @Test func aTableThatIsLeftOutIsSoUnderTheNamesThatItHad() async throws {
    let path = TemporaryFile.path()
    defer { TemporaryFile.remove(path) }
    // A table that takes the former name is another one.
    let third = Migration("3", "CREATE TABLE Item (id TEXT PRIMARY KEY NOT NULL, a)")
    let first = try await updated(path, renames: [])
    try await first.database.close()
    let replica = try SimulatedReplica(
      storage: a, vault: vault(a), path: path, options: Self.options([]),
      migrations: [Self.first, Self.second, third])
    try await replica.database.execute("INSERT INTO Item VALUES ('public', 'shown')")
    try await sync(replica.engine)
    let second = engine(replica, on: b, Self.options([], leavesOut: ["THING"]))
    try await sync(second)
    let inB = try await log(of: name(replica), in: second)
    #expect(inB.filter { $0.value.contains("Item") || $0.value.contains("Thing") }.keys.sorted() == [8])
    #expect(inB[8]?.contains("shown") == true)
    // Whatever is left out, the chain is that of A.
    let inA = try await log(of: name(replica), in: replica.engine)
    #expect(inA.count == 8 && inA.mapValues(\.chain) == inB.mapValues(\.chain))
    try await replica.database.close()
  }
}
