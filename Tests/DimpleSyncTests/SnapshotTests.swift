import DimpleChangelog
import DimpleRemote
import DimpleStore
import DimpleTestSupport
import Testing

@testable import DimpleSync

@Suite("Snapshots")
struct SnapshotTests {
  private let fleet = SnapshotFleet(storage: MemoryStorage())

  /// Into tables that have rows already, which an older app has without the newest columns.
  @Test func columnsOfSeveralTablesThatAreNotKnownAreJoined() async throws {
    let fleet = SnapshotFleet(
      storage: MemoryStorage(),
      schema: "CREATE TABLE A (id TEXT PRIMARY KEY NOT NULL); CREATE TABLE B (id TEXT PRIMARY KEY NOT NULL);")
    let new = try fleet.replica(
      schema: "CREATE TABLE A (id TEXT PRIMARY KEY NOT NULL, x); CREATE TABLE B (id TEXT PRIMARY KEY NOT NULL, x, y);")
    let old = try fleet.replica()
    for table in ["A", "B"] { try await old.database.execute("INSERT INTO \(identifier: table) VALUES ('own')") }
    try await new.database.execute("INSERT INTO A VALUES ('a', 1)")
    try await new.database.execute("INSERT INTO B VALUES ('b', 1, 2)")
    let reports = [try await new.engine.sync(), try await new.engine.sync()]
    #expect(reports.contains { $0.wroteSnapshot })
    try await fleet.removePacks()
    try await new.database.execute("INSERT INTO A VALUES ('late', 3)")
    _ = try await new.engine.sync()
    #expect(try await old.engine.sync().mergedSnapshot)
    _ = try await new.engine.sync()
    #expect(try old.database.stateFingerprint() == new.database.stateFingerprint())
    // The digest that was kept is that of the state.
    #expect(try await old.engine.verify().findings.allSatisfy { $0.code != .damagedState })
  }

  @Test func aNewcomerReadsTheSnapshotAndThePacksBeyondIt() async throws {
    let writer = try fleet.replica()
    try await fleet.write(writer)
    try await writer.database.execute("UPDATE Item SET text = 'later' WHERE id = 'item 7'")
    try await writer.database.execute("DELETE FROM Item WHERE id = 'item 8'")
    _ = try await writer.engine.sync()
    let counting = CountingStorage(fleet.storage)
    let newcomer = try fleet.replica(counting)
    let report = try await newcomer.engine.sync()
    #expect(report.skipped.map(\.error.description) == [])
    #expect(report.mergedSnapshot)
    // The pack of what was written since.
    #expect((report.pulledPacks, report.pulledTransactions) == (1, 2))
    let parts = try await fleet.snapshots().candidates[0].manifest.name.index
    #expect(parts > 3)
    #expect((counting.counts.lists, counting.counts.gets) == (2, Int(parts) + 2))
    try fleet.expectEqual(writer, newcomer)
    #expect(try await newcomer.engine.sync().isEmpty)
    // It goes on as if it had read the packs.
    try await newcomer.database.execute("UPDATE Item SET text = 'mine' WHERE id = 'item 9'")
    try await writer.database.execute("UPDATE Item SET code = 1000 WHERE id = 'item 9'")
    for replica in [newcomer, writer, newcomer] { #expect(try await replica.engine.sync().skipped.isEmpty) }
    try fleet.expectEqual(writer, newcomer)
    #expect(try await newcomer.database.queryOne(Int.self, "SELECT code FROM Item WHERE id = 'item 9'") == 1000)
  }

  @Test func aSnapshotInAFileIsTakenWhileTheAppWrites() async throws {
    let path = TemporaryFile.path()
    defer { TemporaryFile.remove(path) }
    let memory = MemoryStorage()
    // The app writes between the parts.
    let target = Late<Database>()
    let racing = FaultyStorage(memory, schedule: .none) { request in
      if request.operation == .put, request.key.hasPrefix("snap/") {
        try await target.value?.execute("UPDATE Item SET text = text || '!' WHERE id < 'item 3'")
      }
    }
    let fleet = SnapshotFleet(storage: racing)
    let writer = try fleet.replica(path: path)
    target.value = writer.database
    try await fleet.write(writer)
    let newcomer = try fleet.replica(memory)
    _ = try await newcomer.engine.sync()
    // What the newcomer has is one moment: before all of those writes.
    #expect(try await newcomer.database.queryOne(Int.self, "SELECT count(*) FROM Item WHERE text LIKE '%!'") == 0)
    _ = try await writer.engine.sync()
    _ = try await newcomer.engine.sync()
    try fleet.expectEqual(writer, newcomer)
    try await writer.database.close()
  }

  @Test func packsThatAreGoneAreMadeUpForByTheSnapshot() async throws {
    let (writer, reader) = (try fleet.replica(), try fleet.replica())
    try await writer.database.execute("INSERT INTO List VALUES ('list 0', 'first')")
    _ = try await writer.engine.sync()
    _ = try await reader.engine.sync()
    try await reader.database.execute("UPDATE List SET title = 'of the reader' WHERE id = 'list 0'")
    try await fleet.write(writer)
    let gone = try await fleet.storage.listAll(prefix: "log/")
    try await writer.database.execute("INSERT INTO List VALUES ('last', 'x')")
    _ = try await writer.engine.sync()
    for object in gone { try await fleet.storage.delete(object.key) }
    let report = try await reader.engine.sync()
    #expect(report.mergedSnapshot)
    #expect(report.skipped.isEmpty)
    _ = try await writer.engine.sync()
    try fleet.expectEqual(writer, reader)
    // The newer local write is not lost.
    #expect(
      try await writer.database.queryOne(String.self, "SELECT title FROM List WHERE id = 'list 0'") == "of the reader")
  }

  @Test func deadHeldAndKeptRowsTravel() async throws {
    let (one, two) = (try fleet.replica(), try fleet.replica())
    two.clock.advance(milliseconds: 10)
    // The same code twice: one is held. A child of a list that the other deletes: the list is kept.
    try await one.database.execute("INSERT INTO List VALUES ('kept', 'x')")
    try await one.database.execute("INSERT INTO Item VALUES ('a', NULL, 'first', 7)")
    _ = try await one.engine.sync()
    _ = try await two.engine.sync()
    try await two.database.execute("DELETE FROM List WHERE id = 'kept'")
    try await two.database.execute("INSERT INTO Item VALUES ('dead', NULL, 'x', 99)")
    try await two.database.execute("DELETE FROM Item WHERE id = 'dead'")
    try await one.database.execute("INSERT INTO Item VALUES ('child', 'kept', 'x', 8)")
    try await one.database.execute("INSERT INTO Item VALUES ('b', NULL, 'of one', 10)")
    try await two.database.execute("INSERT INTO Item VALUES ('c', NULL, 'of two', 10)")
    for replica in [one, two, one, two] { _ = try await replica.engine.sync() }
    try fleet.expectEqual(one, two)
    #expect(try one.database.heldRows().count == 1)
    try await fleet.write(one, items: 100..<150)
    try await fleet.removePacks()
    try await fleet.storage.put("log/none", [])
    let newcomer = try fleet.replica()
    try await one.database.execute("INSERT INTO List VALUES ('late', 'x')")
    _ = try await one.engine.sync()
    _ = try await newcomer.engine.sync()
    try fleet.expectEqual(one, newcomer)
    #expect(try newcomer.database.heldRows().map(\.reason) == [.notUnique])
    // The held row appears when the other goes.
    try await newcomer.database.execute("DELETE FROM Item WHERE code = 10")
    for replica in [newcomer, one] { _ = try await replica.engine.sync() }
    try fleet.expectEqual(one, newcomer)
    #expect(try await one.database.queryOne(Int.self, "SELECT count(*) FROM Item WHERE code = 10") == 1)
  }

  /// SYNC_CASES 23.
  @Test func aSnapshotWrittenByAnOlderAppKeepsWhatItDidNotUnderstand() async throws {
    let newer =
      SnapshotFleet.schema.replacing("title TEXT", with: "title TEXT, colour TEXT NOT NULL DEFAULT 'red'")
      + "CREATE TABLE Tag (id TEXT PRIMARY KEY NOT NULL, n INTEGER);"
    var quiet = SyncEngine.Options()
    quiet.smallestSnapshot = .max
    let new = try fleet.replica(schema: newer, options: quiet)
    try await new.database.execute("INSERT INTO List VALUES ('list 0', 'x', 'blue')")
    try await new.database.execute("INSERT INTO Tag VALUES ('t', 5)")
    _ = try await new.engine.sync()
    let old = try fleet.replica()
    _ = try await old.engine.sync()
    try await old.database.execute("UPDATE List SET title = 'of the old app' WHERE id = 'list 0'")
    try await fleet.write(old)
    try await fleet.removePacks()
    try await old.database.execute("INSERT INTO List VALUES ('late', 'x')")
    _ = try await old.engine.sync()
    let newcomer = try fleet.replica(schema: newer)
    #expect(try await newcomer.engine.sync().mergedSnapshot)
    #expect(
      try await newcomer.database.query(String.self, "SELECT title || colour FROM List WHERE id = 'list 0'") == [
        "of the old appblue"
      ])
    #expect(
      try await newcomer.database.query(String.self, "SELECT DISTINCT colour FROM List WHERE id <> 'list 0'") == ["red"]
    )
    #expect(try await newcomer.database.query(Int.self, "SELECT n FROM Tag") == [5])
    // An app without the table keeps it for later.
    let older = try fleet.replica()
    _ = try await older.engine.sync()
    try fleet.expectEqual(old, older)
  }

  @Test func mergingAnOldSnapshotNeverTakesANewerWriteBack() async throws {
    let (writer, reader) = (try fleet.replica(), try fleet.replica())
    try await fleet.write(writer)
    let old = try await fleet.snapshots()
    let kept = try await withThrowingTaskGroup(of: (String, [UInt8]).self) { group in
      for object in old.objects {
        group.addTask { (object.key, try await self.fleet.storage.get(object.key, maximumSize: 1 << 20)) }
      }
      return try await group.reduce(into: [String: [UInt8]]()) { $0[$1.0] = $1.1 }
    }
    try await writer.database.execute("UPDATE Item SET text = 'new'")
    try await writer.database.execute("DELETE FROM Item WHERE code > 30")
    _ = try await writer.engine.sync()
    // The reader has all the packs, and is shown an old snapshot as one that was begun.
    _ = try await reader.engine.sync()
    let before = try reader.database.fingerprint()
    for (key, bytes) in kept { try await fleet.storage.put(key, bytes) }
    let record = try #require(old.candidates.first?.manifest.name.record)
    try await reader.database.write { connection in
      try connection.withInternalAccess {
        try SnapshotTable(vault: "transparent", connection: connection).setLoading(.init(record: record, next: 0))
      }
    }
    #expect(try await reader.engine.sync().mergedSnapshot)
    #expect(try reader.database.fingerprint() == before)
  }

  @Test func aCrashInTheMiddleGoesOnWhereItWas() async throws {
    let writer = try fleet.replica()
    try await fleet.write(writer, items: 0..<80)
    let faulty = FaultyStorage(fleet.storage, schedule: .none)
    let counting = CountingStorage(faulty)
    let newcomer = try fleet.replica(counting)
    let parts = Int(try await fleet.snapshots().candidates[0].manifest.name.index)
    // Each time, one more part than the last time arrives.
    for limit in 2..<5 {
      let gets = Counter()
      faulty.schedule = FaultSchedule { request in
        guard request.operation == .get, request.key.hasPrefix("snap/") else { return nil }
        return gets.next() > limit ? .failBefore : nil
      }
      await #expect(throws: RemoteError.self) { _ = try await newcomer.engine.sync() }
      let vector = try await newcomer.database.read {
        try SeenTable(vault: "transparent", connection: $0).load().vector
      }
      #expect(vector.isEmpty, "Nothing counts as seen before all of it is.")
    }
    faulty.schedule = .none
    counting.reset()
    let report = try await newcomer.engine.sync()
    #expect(report.mergedSnapshot)
    #expect(counting.counts.gets < parts + 1)
    try fleet.expectEqual(writer, newcomer)
    #expect(try await newcomer.engine.sync().isEmpty)
  }

  @Test func theAppMayWriteWhileASnapshotComesIn() async throws {
    let writer = try fleet.replica()
    try await fleet.write(writer)
    let target = Late<Database>()
    let racing = FaultyStorage(fleet.storage, schedule: .none) { request in
      guard request.operation == .get, request.key.hasPrefix("snap/") else { return }
      try await target.value?.execute("INSERT OR REPLACE INTO Item VALUES ('item 39', NULL, 'mine', 39)")
    }
    let newcomer = try fleet.replica(racing)
    newcomer.clock.advance(milliseconds: 1000)
    target.value = newcomer.database
    _ = try await newcomer.engine.sync()
    target.value = nil
    for replica in [newcomer, writer, newcomer] { #expect(try await replica.engine.sync().skipped.isEmpty) }
    try fleet.expectEqual(writer, newcomer)
    #expect(try await writer.database.queryOne(String.self, "SELECT text FROM Item WHERE id = 'item 39'") == "mine")
  }

  @Test func whatTheAppBringsAlongIsJoined() async throws {
    let writer = try fleet.replica()
    try await fleet.write(writer)
    let newcomer = try fleet.replica()
    newcomer.clock.advance(milliseconds: 1000)
    try await newcomer.database.execute("INSERT INTO List VALUES ('list 0', 'mine')")
    try await newcomer.database.execute("INSERT INTO Item VALUES ('extra', 'list 0', 'x', 5)")
    #expect(try await newcomer.engine.sync().mergedSnapshot)
    for replica in [writer, newcomer] { _ = try await replica.engine.sync() }
    try fleet.expectEqual(writer, newcomer)
    #expect(try await writer.database.queryOne(String.self, "SELECT title FROM List WHERE id = 'list 0'") == "mine")
    #expect(try newcomer.database.heldRows().map(\.reason) == [.notUnique])
  }

  /// One part brings two tables, each with a column that this app does not know, where it has rows of both.
  @Test func anOlderAppWithRowsOfItsOwnTakesASnapshotOfNewerTables() async throws {
    let newer = SnapshotFleet.schema.replacing("title TEXT", with: "title TEXT, colour TEXT")
      .replacing("text TEXT", with: "text TEXT, weight INTEGER")
    var whole = SnapshotFleet.options
    whole.snapshotPartSize = 8 << 20
    let new = try fleet.replica(schema: newer, options: whole)
    for index in 0..<40 {
      try await new.database.write { connection in
        try connection.execute("INSERT INTO List VALUES (\("list \(index)"), 'x', 'blue')")
        try connection.execute(
          "INSERT INTO Item (id, list, text, code, weight) VALUES (\("item \(index)"), \("list \(index)"), 'x', \(index), 3)"
        )
      }
    }
    let reports = [try await new.engine.sync(), try await new.engine.sync()]
    #expect(reports.contains { $0.wroteSnapshot })
    let old = try fleet.replica(options: whole)
    try await old.database.execute("INSERT INTO List VALUES ('mine', 'x')")
    try await old.database.execute("INSERT INTO Item (id, list, text, code) VALUES ('mine', 'mine', 'x', 1000)")
    let report = try await old.engine.sync()
    #expect(report.mergedSnapshot && report.skipped.isEmpty)
    #expect(try await old.database.queryOne(Int.self, "SELECT count(*) FROM Item") == 41)
    for replica in [new, old] { _ = try await replica.engine.sync() }
    #expect(try old.database.stateFingerprint() == new.database.stateFingerprint())
  }

  @Test func aStricterSchemaDecidesForItself() async throws {
    let writer = try fleet.replica(
      schema:
        "CREATE TABLE List (id TEXT PRIMARY KEY NOT NULL, title TEXT); CREATE TABLE Item (id TEXT PRIMARY KEY NOT NULL, list TEXT, text TEXT, code INTEGER)"
    )
    try await writer.database.execute("INSERT INTO Item VALUES ('b', 'nowhere', 'orphan', 100)")
    try await writer.database.execute("INSERT INTO Item VALUES ('z', NULL, 'earlier', 200)")
    try await writer.database.execute("INSERT INTO Item VALUES ('a', NULL, 'later', 200)")
    try await fleet.write(writer)
    let newcomer = try fleet.replica()
    #expect(try await newcomer.engine.sync().mergedSnapshot)
    let byPacks = try SimulatedReplica(
      storage: fleet.storage, options: quiet, migrations: [Migration("schema", "\(raw: SnapshotFleet.schema)")])
    #expect(try await !byPacks.engine.sync().mergedSnapshot)
    try fleet.expectEqual(byPacks, newcomer)
    #expect(try Set(newcomer.database.heldRows().map(\.reason)) == [.missingParent, .notUnique])
  }

  private var quiet: SyncEngine.Options {
    var options = SyncEngine.Options()
    options.smallestSnapshot = .max
    return options
  }
}
