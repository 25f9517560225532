import DimpleChangelog
import DimpleRemote
import DimpleStore
import DimpleSync
import DimpleTestSupport
import Testing

@Suite("Tables in which a later update outlives a delete")
struct UpdateRevivesTests {
  private static let item = "CREATE TABLE Item (id TEXT PRIMARY KEY NOT NULL, a, b)"
  private static let x: SQL = "INSERT INTO Item VALUES ('x', 1, 2)"

  private func replica(
    _ storage: MemoryStorage, revives: Bool = true, path: String? = nil, schema: String = item
  ) throws -> SimulatedReplica {
    try SimulatedReplica(
      storage: storage, path: path, updateRevives: revives ? ["ITEM"] : [],
      migrations: [Migration("1", "\(raw: schema)")])
  }

  private func fleet(
    _ count: Int, on storage: MemoryStorage = MemoryStorage(), schema: String = item
  ) throws -> [SimulatedReplica] {
    try (0..<count).map { _ in try replica(storage, schema: schema) }
  }

  private func sync(_ replicas: [SimulatedReplica]) async throws {
    for _ in 0..<2 { for replica in replicas { #expect(try await replica.engine.sync().skipped.isEmpty) } }
  }

  private func rows(_ replica: SimulatedReplica) throws -> [[SQLValue]] {
    try replica.database.rows("SELECT id, a, b FROM Item ORDER BY id").map { row in (0..<3).map { row[$0] } }
  }

  private func expect(
    _ expected: [[SQLValue]], _ replicas: [SimulatedReplica], sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let state = try replicas[0].database.stateFingerprint()
    for replica in replicas {
      #expect(try rows(replica) == expected, sourceLocation: sourceLocation)
      #expect(try replica.database.stateFingerprint() == state, sourceLocation: sourceLocation)
      #expect(try replica.database.heldRows().isEmpty, sourceLocation: sourceLocation)
    }
  }

  /// One deletes, another updates; who is later decides, not who is heard first.
  @Test(arguments: [false, true], [false, true])
  func theLaterOfDeleteAndUpdateDecides(updateIsLater: Bool, deleteIsHeardFirst: Bool) async throws {
    let storage = MemoryStorage()
    let replicas = try fleet(3, on: storage)
    try await replicas[0].database.execute(Self.x)
    try await sync(replicas)
    replicas[updateIsLater ? 1 : 0].clock.advance(milliseconds: 100)
    try await replicas[0].database.execute("DELETE FROM Item")
    try await replicas[1].database.execute("UPDATE Item SET b = 3")
    for index in deleteIsHeardFirst ? [0, 2, 1, 2] : [1, 2, 0, 2] { _ = try await replicas[index].engine.sync() }
    try await sync(replicas)
    let newcomer = try replica(storage)
    try await sync([newcomer])
    try expect(updateIsLater ? [[.text("x"), .integer(1), .integer(3)]] : [], replicas + [newcomer])
  }

  @Test func aRevivedRowLivesOn() async throws {
    let replicas = try fleet(2)
    try await replicas[0].database.execute(Self.x)
    try await sync(replicas)
    try await replicas[0].database.execute("DELETE FROM Item")
    replicas[1].clock.advance(milliseconds: 100)
    try await replicas[1].database.execute("UPDATE Item SET b = 3")
    try await sync(replicas)
    try await replicas[0].database.execute("UPDATE Item SET a = 4")
    try await sync(replicas)
    try expect([[.text("x"), .integer(4), .integer(3)]], replicas)
    // Who has seen it deletes it for good.
    try await replicas[0].database.execute("DELETE FROM Item")
    try await sync(replicas)
    try expect([], replicas)
    replicas[1].clock.advance(milliseconds: 100)
    try await replicas[1].database.execute("INSERT INTO Item(id, a) VALUES ('x', 5)")
    try await sync(replicas)
    try expect([[.text("x"), .integer(5), .null]], replicas)
  }

  /// Nobody says anything of it but the device itself: the update was sent before the delete was heard of.
  @Test func aRowDeletedBeforeItWasEverSentIsRevivedWithItsValues() async throws {
    let replicas = try fleet(2)
    try await replicas[0].database.execute(Self.x)
    try await sync(replicas)
    try await replicas[0].database.execute("UPDATE Item SET a = 7")
    try await replicas[0].database.execute("DELETE FROM Item")
    replicas[1].clock.advance(milliseconds: 100)
    try await replicas[1].database.execute("UPDATE Item SET b = 3")
    try await sync(replicas)
    try expect([[.text("x"), .integer(7), .integer(3)]], replicas)
  }

  @Test(arguments: [[1, 0], [0, 1]]) func conflictsTellThatTheUpdateIsKept(order: [Int]) async throws {
    let replicas = try fleet(2)
    try await replicas[0].database.execute(Self.x)
    try await sync(replicas)
    try await replicas[0].database.execute("DELETE FROM Item")
    replicas[1].clock.advance(milliseconds: 100)
    try await replicas[1].database.execute("UPDATE Item SET b = 3")
    _ = try await replicas[order[0]].engine.sync()
    let conflicts = try await replicas[order[1]].engine.sync().conflicts
    let conflict = try #require(conflicts.first { $0.column == "b" })
    #expect(conflict.kept.value == .integer(3) && !conflict.kept.isDelete && conflict.lost.isDelete)
  }

  @Test func historyTellsWhenItCameBack() async throws {
    let replicas = try fleet(2)
    try await replicas[0].database.execute(Self.x)
    try await sync(replicas)
    try await replicas[0].database.execute("DELETE FROM Item")
    replicas[1].clock.advance(milliseconds: 100)
    try await replicas[1].database.execute("UPDATE Item SET b = 3")
    let update = try #require(try replicas[1].database.changelog?.changes(in: replicas[1].database).last)
    try await sync(replicas)
    let history = try #require(try await replicas[0].database.changelog?.history(of: "Item", key: ["x"]))
    #expect(history.versions.last?.operation == .insert)
    #expect(history.versions.last?.stamp == update.stamp)
    #expect(try await replicas[0].engine.verify().findings.isEmpty)
  }

  /// A device of an older app shows the row as deleted, syncs all the same, and shows it once it is updated.
  @Test func devicesThatDoNotKnowTheChoiceKeepTheSameStateAndFollowLater() async throws {
    let storage = MemoryStorage()
    let path = TemporaryFile.path()
    defer { TemporaryFile.remove(path) }
    let new = [try replica(storage), try replica(storage)]
    let old = try replica(storage, revives: false, path: path)
    try await new[0].database.execute(Self.x)
    try await sync(new + [old])
    try await new[0].database.execute("DELETE FROM Item")
    new[1].clock.advance(milliseconds: 100)
    try await new[1].database.execute("UPDATE Item SET b = 3")
    try await sync(new + [old])
    let expected: [[SQLValue]] = [[.text("x"), .integer(1), .integer(3)]]
    try expect(expected, new)
    #expect(try rows(old) == [])
    #expect(try old.database.stateFingerprint() == new[0].database.stateFingerprint())
    for replica in new { #expect(try await replica.engine.sync().diverged.isEmpty) }
    try await old.database.close()
    let updated = try replica(storage, path: path)
    try await sync([updated])
    try expect(expected, new + [updated])
    try await updated.database.close()
    // And back again.
    let downgraded = try replica(storage, revives: false, path: path)
    try await sync([downgraded])
    #expect(try rows(downgraded) == [])
    try await downgraded.database.close()
  }

  @Test(arguments: [false, true]) func aSnapshotBringsRevivedRows(writerRevives: Bool) async throws {
    let storage = MemoryStorage()
    let (writer, other) = (try replica(storage, revives: writerRevives), try replica(storage))
    try await writer.database.execute(Self.x)
    try await sync([writer, other])
    // A delete of one's own logs what the row held only where updates revive.
    try await other.database.execute("DELETE FROM Item")
    writer.clock.advance(milliseconds: 100)
    try await writer.database.execute("UPDATE Item SET b = 3")
    try await sync([other, writer])
    var options = SyncEngine.Options()
    options.smallestSnapshot = 1
    let engine = SyncEngine(writer.database, storage: storage, vault: TransparentVault(), options: options)
    #expect(try await engine.sync().wroteSnapshot)
    for object in try await storage.listAll(prefix: "log/") { try await storage.delete(object.key) }
    // It shows that something came before it.
    try await writer.database.execute("INSERT INTO Item VALUES ('late', 0, 0)")
    try await sync([writer, other])
    let newcomer = try SimulatedReplica(
      storage: storage, updateRevives: ["Item"], options: options, migrations: [Migration("1", "\(raw: Self.item)")])
    #expect(try await newcomer.engine.sync().mergedSnapshot)
    try expect(
      [[.text("late"), .integer(0), .integer(0)], [.text("x"), .integer(1), .integer(3)]], [other, newcomer])
  }

  @Test func aRevivedRowClaimsAndRefersLikeAnyOther() async throws {
    let replicas = try fleet(
      3, schema: "CREATE TABLE Item (id TEXT PRIMARY KEY NOT NULL, a UNIQUE, b REFERENCES Item(id) ON DELETE CASCADE)")
    try await replicas[0].database.execute("INSERT INTO Item VALUES ('p', 0, NULL), ('x', 1, 'p')")
    try await sync(replicas)
    try await replicas[0].database.execute("DELETE FROM Item")
    replicas[1].clock.advance(milliseconds: 100)
    try await replicas[1].database.execute("UPDATE Item SET a = 2 WHERE id = 'x'")
    replicas[2].clock.advance(milliseconds: 200)
    try await replicas[2].database.execute("UPDATE Item SET a = 3 WHERE id = 'p'")
    try await replicas[2].database.execute("INSERT INTO Item VALUES ('y', 2, NULL)")
    try await sync(replicas)
    let shown = try rows(replicas[0])
    for replica in replicas {
      #expect(try rows(replica) == shown)
      #expect(try replica.database.heldRows().map(\.reason) == [.notUnique])
    }
    #expect(shown.map { $0[0] } == [.text("p"), .text("x")])
  }
}
