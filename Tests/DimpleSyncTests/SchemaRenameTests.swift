import DimpleChangelog
import DimpleRemote
import DimpleStore
import DimpleSync
import DimpleTestSupport
import Testing

@Suite("Tables and columns that later versions of the app call otherwise")
struct SchemaRenameTests {
  private static let first = Migration("1", "CREATE TABLE Item (id TEXT PRIMARY KEY NOT NULL, a TEXT, n INTEGER)")
  private static let second = Migration(
    "2", "ALTER TABLE Item RENAME COLUMN a TO title; ALTER TABLE Item RENAME TO Thing")
  private static let renames: [SyncRename] = [
    .table("Item", to: "Thing"), .column("a", to: "title", of: "Thing"),
  ]

  private static func options(_ renames: [SyncRename] = renames) -> SyncEngine.Options {
    var options = SyncEngine.Options()
    options.renames = renames
    return options
  }

  private func old(_ storage: MemoryStorage, path: String? = nil) throws -> SimulatedReplica {
    try SimulatedReplica(storage: storage, path: path, migrations: [Self.first])
  }

  private func new(
    _ storage: MemoryStorage, path: String? = nil, renames: [SyncRename] = renames
  ) throws -> SimulatedReplica {
    try SimulatedReplica(
      storage: storage, path: path, options: Self.options(renames), migrations: [Self.first, Self.second])
  }

  private func things(_ replica: SimulatedReplica) throws -> [[SQLValue]] {
    try replica.database.rows("SELECT id, title, n FROM Thing ORDER BY id").map { row in (0..<3).map { row[$0] } }
  }

  private func sync(_ replicas: [SimulatedReplica]) async throws {
    for _ in 0..<2 {
      for replica in replicas {
        let report = try await replica.engine.sync()
        #expect(report.skipped.isEmpty && report.diverged.isEmpty)
      }
    }
  }

  private func expectSame(
    _ replicas: [SimulatedReplica], on storage: MemoryStorage, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    let newcomer = try new(storage)
    try await sync([newcomer])
    for replica in replicas {
      #expect(
        try replica.database.fingerprint() == newcomer.database.fingerprint(), sourceLocation: sourceLocation)
      #expect(
        try replica.database.stateFingerprint() == newcomer.database.stateFingerprint(), sourceLocation: sourceLocation)
      #expect(try replica.database.heldRows().isEmpty, sourceLocation: sourceLocation)
      #expect(try await replica.engine.verify().findings.isEmpty, sourceLocation: sourceLocation)
    }
  }

  @Test func whatAnOlderAppWritesArrivesUnderTheNewNames() async throws {
    let storage = MemoryStorage()
    let (old, new) = (try old(storage), try new(storage))
    try await old.database.execute("INSERT INTO Item VALUES ('x', 'one', 1), ('y', 'two', 2)")
    try await sync([old, new])
    #expect(
      try things(new) == [[.text("x"), .text("one"), .integer(1)], [.text("y"), .text("two"), .integer(2)]])
    try await old.database.execute("UPDATE Item SET a = 'uno' WHERE id = 'x'")
    try await old.database.execute("DELETE FROM Item WHERE id = 'y'")
    try await sync([old, new])
    #expect(try things(new) == [[.text("x"), .text("uno"), .integer(1)]])
    try await expectSame([new], on: storage)
  }

  /// Both write on while the one is older; then it is updated and takes over what it had kept.
  @Test(arguments: [false, true]) func anUpdatedDeviceTakesOverWhatItKept(oldIsLater: Bool) async throws {
    let storage = MemoryStorage()
    let path = TemporaryFile.path()
    defer { TemporaryFile.remove(path) }
    let old = try old(storage, path: path)
    let new = try new(storage)
    try await old.database.execute("INSERT INTO Item VALUES ('x', 'one', 1), ('gone', 'g', 1), ('same', 's', 1)")
    try await sync([old, new])
    (oldIsLater ? old : new).clock.advance(milliseconds: 100)
    try await old.database.execute("UPDATE Item SET a = 'old' WHERE id = 'x'")
    try await old.database.execute("INSERT INTO Item VALUES ('o', 'of old', 3)")
    try await new.database.execute("UPDATE Thing SET title = 'new', n = 9 WHERE id = 'x'")
    try await new.database.execute("DELETE FROM Thing WHERE id = 'gone'")
    try await new.database.execute("INSERT INTO Thing VALUES ('n', 'of new', 4)")
    try await sync([old, new, old])
    #expect(
      try await old.database.rows("SELECT id FROM Item ORDER BY id").map { $0[0] }
        == ["gone", "o", "same", "x"].map(SQLValue.text))
    try await old.database.close()
    let updated = try self.new(storage, path: path)
    try await sync([updated, new])
    #expect(
      try things(updated) == [
        [.text("n"), .text("of new"), .integer(4)], [.text("o"), .text("of old"), .integer(3)],
        [.text("same"), .text("s"), .integer(1)], [.text("x"), .text(oldIsLater ? "old" : "new"), .integer(9)],
      ])
    try await expectSame([updated, new], on: storage)
    try await updated.database.execute("UPDATE Thing SET title = 'later' WHERE id = 'same'")
    try await sync([updated, new])
    try await expectSame([updated, new], on: storage)
    try await updated.database.close()
    // Declared for good: opening it again changes nothing.
    let again = try self.new(storage, path: path)
    try await sync([again])
    try await expectSame([again, new], on: storage)
    try await again.database.close()
  }

  @Test func aColumnAloneIsRenamed() async throws {
    let storage = MemoryStorage()
    let path = TemporaryFile.path()
    defer { TemporaryFile.remove(path) }
    let rename = Migration("2", "ALTER TABLE Item RENAME COLUMN a TO title")
    let options = Self.options([.column("a", to: "title", of: "Item")])
    let old = try old(storage, path: path)
    let new = try SimulatedReplica(storage: storage, options: options, migrations: [Self.first, rename])
    try await old.database.execute("INSERT INTO Item VALUES ('x', 'one', 1), ('y', 'one', 1)")
    try await sync([old, new])
    new.clock.advance(milliseconds: 100)
    try await new.database.execute("UPDATE Item SET title = 'new' WHERE id = 'x'")
    try await old.database.execute("UPDATE Item SET a = 'old' WHERE id = 'y'")
    try await sync([new, old])
    #expect(try await old.database.rows("SELECT a FROM Item WHERE id = 'x'").map { $0[0] } == [.text("one")])
    try await old.database.close()
    let updated = try SimulatedReplica(
      storage: storage, path: path, options: options, migrations: [Self.first, rename])
    try await sync([updated, new])
    for replica in [updated, new] {
      #expect(
        try await replica.database.rows("SELECT title FROM Item ORDER BY id").map { $0[0] }
          == [.text("new"), .text("old")])
    }
    #expect(try updated.database.stateFingerprint() == new.database.stateFingerprint())
    try await updated.database.close()
  }

  @Test func renamesFollowOneAnother() async throws {
    let storage = MemoryStorage()
    let path = TemporaryFile.path()
    defer { TemporaryFile.remove(path) }
    let third = Migration("3", "ALTER TABLE Thing RENAME TO Object")
    let all = Self.renames + [.table("Thing", to: "Object")]
    let oldest = try old(storage)
    let middle = try new(storage, path: path)
    let newest = try SimulatedReplica(
      storage: storage, options: Self.options(all), migrations: [Self.first, Self.second, third])
    try await oldest.database.execute("INSERT INTO Item VALUES ('x', 'one', 1)")
    try await sync([oldest, middle])
    try await middle.database.execute("UPDATE Thing SET n = 2")
    try await sync([middle, newest])
    #expect(
      try await newest.database.rows("SELECT title, n FROM Object").map { [$0[0], $0[1]] }
        == [[.text("one"), .integer(2)]])
    try await newest.database.execute("INSERT INTO Object VALUES ('y', 'two', 2)")
    try await sync([newest, middle])
    try await middle.database.close()
    let updated = try SimulatedReplica(
      storage: storage, path: path, options: Self.options(all), migrations: [Self.first, Self.second, third])
    try await oldest.database.execute("UPDATE Item SET a = 'uno'")
    try await sync([oldest, updated, newest])
    #expect(try updated.database.fingerprint() == newest.database.fingerprint())
    #expect(try updated.database.stateFingerprint() == newest.database.stateFingerprint())
    #expect(
      try await updated.database.rows("SELECT title FROM Object ORDER BY id").map { $0[0] }
        == [.text("uno"), .text("two")])
    try await updated.database.close()
  }

  /// An older app keeps what it does not know, under the new names, and its snapshot has both.
  @Test func aSnapshotOfAnOlderAppHasBothNames() async throws {
    let storage = MemoryStorage()
    let (old, new) = (try old(storage), try new(storage))
    try await old.database.execute("INSERT INTO Item VALUES ('x', 'one', 1), ('y', 'two', 2)")
    try await sync([old, new])
    new.clock.advance(milliseconds: 100)
    try await new.database.execute("UPDATE Thing SET title = 'new' WHERE id = 'x'")
    try await sync([new, old])
    var options = Self.options()
    options.smallestSnapshot = 1
    let engine = SyncEngine(
      old.database, storage: storage, vault: TransparentVault(),
      options: {
        var options = SyncEngine.Options()
        options.smallestSnapshot = 1
        return options
      }())
    #expect(try await engine.sync().wroteSnapshot)
    for object in try await storage.listAll(prefix: "log/") { try await storage.delete(object.key) }
    // It shows that something came before it.
    try await old.database.execute("INSERT INTO Item VALUES ('late', 'three', 3)")
    try await sync([old, new])
    let newcomer = try SimulatedReplica(storage: storage, options: options, migrations: [Self.first, Self.second])
    #expect(try await newcomer.engine.sync().mergedSnapshot)
    #expect(try things(newcomer) == things(new))
    #expect(try newcomer.database.stateFingerprint() == new.database.stateFingerprint())
  }

  @Test func aNameThatIsUsedForSomethingElseIsRefused() async throws {
    let storage = MemoryStorage()
    let reused = try SimulatedReplica(
      storage: storage, options: Self.options([.table("Item", to: "Thing")]),
      migrations: [Self.first, Migration("2", "CREATE TABLE Thing (id TEXT PRIMARY KEY NOT NULL)")])
    let error = await #expect(throws: SyncError.self) { _ = try await reused.engine.sync() }
    #expect(error?.code == .ambiguousRename)
    let column = try SimulatedReplica(
      storage: storage, options: Self.options([.column("a", to: "n", of: "Item")]), migrations: [Self.first])
    let second = await #expect(throws: SyncError.self) { _ = try await column.engine.sync() }
    #expect(second?.code == .ambiguousRename)
    let (first, other) = (
      SyncRename.table("Former", to: "Item"), Self.options([.table("Former", to: "Other")])
    )
    let declared = try SimulatedReplica(
      storage: storage, options: Self.options([first]),
      migrations: [Self.first, Migration("2", "CREATE TABLE Other (id TEXT PRIMARY KEY NOT NULL)")])
    _ = try await declared.engine.sync()
    try await declared.database.execute("INSERT INTO Other VALUES ('o')")
    _ = try await declared.engine.sync()
    let contrary = SyncEngine(declared.database, storage: storage, vault: TransparentVault(), options: other)
    let third = await #expect(throws: SyncError.self) { _ = try await contrary.sync() }
    #expect(third?.code == .ambiguousRename)
  }

  @Test func aTableThatAVaultDoesNotGetIsLeftOutUnderItsFormerNameToo() async throws {
    let (home, work) = (MemoryStorage(), MemoryStorage())
    let old = try old(home)
    var options = Self.options()
    options.leavesOut = ["THING"]
    let new = try self.new(home)
    let vault = TransparentVault(id: "work")
    let engine = SyncEngine(new.database, storage: work, vault: vault, options: options)
    try await old.database.execute("INSERT INTO Item VALUES ('secret', 'one', 1)")
    _ = try await old.engine.sync()
    for _ in 0..<2 {
      _ = try await engine.sync()
      _ = try await new.engine.sync()
    }
    #expect(try things(new).count == 1)
    let member = try SimulatedReplica(
      storage: work, vault: vault, options: Self.options(), migrations: [Self.first, Self.second])
    try await sync([member])
    #expect(try things(member).isEmpty)
    #expect(try member.database.heldRows().isEmpty)
  }
}
