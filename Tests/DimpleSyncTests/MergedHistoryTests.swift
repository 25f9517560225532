import DimpleChangelog
import DimpleRemote
import DimpleStore
import DimpleSync
import DimpleTestSupport
import Testing

@Suite("History over merges")
struct MergedHistoryTests {
  private static let item = "CREATE TABLE Item (id TEXT PRIMARY KEY NOT NULL, a, b DEFAULT 0)"

  /// Replicas with one clock; the first keeps merged values if asked to.
  private struct Devices {
    let clock = ManualClock()
    let databases: [Database]
    private let engines: [SyncEngine]

    /// In memory, but for the first if there is a folder for it.
    init(_ count: Int, _ schema: String = item, keepsValues: Bool, folder: TemporaryFolder? = nil) throws {
      let storage = MemoryStorage()
      var databases: [Database] = []
      for index in 0..<count {
        var options = Changelog.Options()
        options.clock = clock.wallClock
        options.keepsMergedValues = keepsValues && index == 0
        databases.append(
          try Database(
            index == 0 ? folder?.path("first.db") ?? ":memory:" : ":memory:",
            configuration: Configuration().tracking(options), migrations: [Migration("schema", "\(raw: schema)")]))
      }
      self.databases = databases
      engines = databases.map { SyncEngine($0, storage: storage, vault: TransparentVault()) }
    }

    subscript(index: Int) -> Database { databases[index] }

    func changelog(_ index: Int = 0) throws -> Changelog { try #require(databases[index].changelog) }

    func write(_ index: Int, _ sql: String) async throws {
      clock.advance(milliseconds: 10)
      try await databases[index].write { try $0.script(SQL(raw: sql)) }
    }

    func sync(_ index: Int) async throws {
      clock.advance(milliseconds: 10)
      let report = try await engines[index].sync()
      #expect(report.skipped.map(\.error.description) == [])
    }

    func past(_ moment: PastMoment, _ sql: String) throws -> [[SQLValue]] {
      try rows(databases[0].asOf(moment).rows(SQL(raw: sql)))
    }

    var now: PastMoment { .time(HybridTime(milliseconds: clock.milliseconds, counter: 0xFFF)) }
  }

  private static func rows(_ rows: [Row]) -> [[SQLValue]] { rows.map { row in (0..<row.count).map { row[$0] } } }

  @Test(arguments: [true, false])
  func aRowsHistoryHasTheOthersChangesAndTheirAuthors(keepsValues: Bool) async throws {
    let devices = try Devices(2, keepsValues: keepsValues)
    try await devices.write(1, "INSERT INTO Item VALUES ('x', 'one', 1)")
    try await devices.sync(1)
    try await devices.sync(0)
    try await devices.write(0, "UPDATE Item SET b = 2")
    try await devices.sync(0)
    try await devices.sync(1)
    try await devices.write(1, "UPDATE Item SET a = 'two'")
    try await devices.sync(1)
    try await devices.sync(0)
    let (mine, theirs) = (try devices.changelog(0).replicaID, try devices.changelog(1).replicaID)
    let history = try await devices.changelog().history(of: "Item", key: ["x"])
    #expect(history.isComplete)
    #expect(history.versions.map(\.author) == [theirs, mine, theirs])
    #expect(history.versions.map(\.transaction) == [nil, 1, nil])
    #expect(history.versions.map(\.operation) == [.insert, .update, .update])
    #expect(history.versions.map(\.changedColumns) == [["a", "b"], ["b"], ["a"]])
    let stamps = try devices.changelog(1).changes().map(\.stamp)
    #expect([history.versions[0].stamp, history.versions[2].stamp] == stamps)
    // What nobody overwrote is known anyway.
    #expect(
      history.versions[2].values == [
        ColumnValue(name: "id", value: .text("x")), ColumnValue(name: "a", value: .text("two")),
        ColumnValue(name: "b", value: .integer(2)),
      ])
    #expect(history.versions[0].unknownColumns == (keepsValues ? [] : ["a", "b"]))
    #expect(history.versions[1].unknownColumns == (keepsValues ? [] : ["a"]))
  }

  @Test func theMomentBeforeAMergeIsKnownWhereValuesAreKept() async throws {
    let devices = try Devices(2, keepsValues: true)
    try await devices.write(1, "INSERT INTO Item VALUES ('x', 'one', 1)")
    try await devices.sync(1)
    let before = devices.now
    try await devices.sync(0)
    let between = devices.now
    try await devices.write(0, "UPDATE Item SET a = 'mine'")
    try await devices.write(1, "DELETE FROM Item")
    try await devices.sync(1)
    try await devices.sync(0)
    #expect(try devices.past(before, "SELECT * FROM Item") == [])
    #expect(try devices.past(between, "SELECT id, a, b FROM Item") == [[.text("x"), .text("one"), .integer(1)]])
    #expect(try devices.past(.transaction(1), "SELECT id, a FROM Item") == [[.text("x"), .text("mine")]])
    #expect(try devices.past(.transaction(0), "SELECT * FROM Item") == [])
    #expect(try devices.past(devices.now, "SELECT * FROM Item") == [])
  }

  @Test func whereTheyAreNotItIsAnErrorAndTheRestIsRight() async throws {
    let devices = try Devices(2, keepsValues: false)
    try await devices.write(1, "INSERT INTO Item VALUES ('x', 'one', 1)")
    try await devices.sync(1)
    try await devices.sync(0)
    let between = devices.now
    try await devices.write(0, "INSERT INTO Item VALUES ('y', 'mine', 1)")
    try await devices.write(0, "UPDATE Item SET a = 'more' WHERE id = 'y'")
    // Rows that only came, or only this replica wrote, need no value of others.
    #expect(try devices.past(between, "SELECT id FROM Item") == [[.text("x")]])
    #expect(try devices.past(.transaction(1), "SELECT a FROM Item ORDER BY a") == [[.text("mine")], [.text("one")]])
    #expect(try devices.past(.transaction(0), "SELECT a FROM Item") == [])
    try await devices.write(0, "UPDATE Item SET a = 'two' WHERE id = 'x'")
    let error = #expect(throws: ChangelogError.self) { try devices.past(between, "SELECT * FROM Item") }
    #expect(error?.code == .foreignHistoryUnknown)
  }

  /// As an earlier version left it, which kept no record of merges.
  @Test func mergesThatWereNotRecordedAreAnErrorNotAWrongAnswer() async throws {
    let devices = try Devices(2, keepsValues: true)
    try await devices.write(0, "INSERT INTO Item VALUES ('x', 'mine', 1)")
    try await devices.sync(0)
    try await devices.sync(1)
    try await devices.write(1, "UPDATE Item SET a = 'theirs'")
    try await devices.sync(1)
    try await devices.sync(0)
    try await devices[0].write { connection in
      try connection.withInternalAccess { try connection.script("DROP TABLE dimple_merge") }
    }
    for moment in [PastMoment.transaction(0), .transaction(1)] {
      let error = #expect(throws: ChangelogError.self) { try devices[0].asOf(moment) }
      #expect(error?.code == .foreignHistoryUnknown)
    }
    #expect(try await devices.changelog().history(of: "Item", key: ["x"]).isComplete == false)
    // From the next merge on there is a record again.
    try await devices.write(1, "UPDATE Item SET b = 5")
    try await devices.sync(1)
    try await devices.sync(0)
    let since = devices.now
    try await devices.write(0, "UPDATE Item SET b = 6")
    #expect(try devices.past(since, "SELECT a, b FROM Item") == [[.text("theirs"), .integer(5)]])
    try await devices.write(0, "UPDATE Item SET a = 'mine again'")
    let error = #expect(throws: ChangelogError.self) { try devices.past(since, "SELECT a FROM Item") }
    #expect(error?.code == .foreignHistoryUnknown)
  }

  @Test func undoSyncsAndRefusesToLoseWhatOthersWrote() async throws {
    let devices = try Devices(2, keepsValues: true)
    try await devices.write(1, "INSERT INTO Item VALUES ('x', 'theirs', 1)")
    try await devices.sync(1)
    try await devices.sync(0)
    try await devices.write(0, "UPDATE Item SET a = 'mine', b = 2")
    try await devices.changelog().undo(transaction: 1)
    #expect(try Self.rows(await devices[0].rows("SELECT a, b FROM Item")) == [[.text("theirs"), .integer(1)]])
    try await devices.sync(0)
    try await devices.sync(1)
    #expect(try Self.rows(await devices[1].rows("SELECT a, b FROM Item")) == [[.text("theirs"), .integer(1)]])

    try await devices.write(0, "UPDATE Item SET a = 'mine again', b = 3")
    let number = try #require(try devices.changelog().changes().last?.transaction)
    try await devices.sync(0)
    try await devices.sync(1)
    try await devices.write(1, "UPDATE Item SET a = 'theirs again'")
    try await devices.sync(1)
    try await devices.sync(0)
    let error = await #expect(throws: ChangelogError.self) {
      _ = try await devices.changelog().undo(transaction: number)
    }
    #expect(error?.conflicts.map(\.column) == ["a"])
    #expect(try error?.conflicts.first?.stamp?.replica == devices.changelog(1).replicaID)
    try await devices.changelog().undo(transaction: number, force: true)
    #expect(try Self.rows(await devices[0].rows("SELECT a, b FROM Item")) == [[.text("theirs"), .integer(1)]])
  }

  @Test func undoOverAValueThatIsNotKeptIsAnError() async throws {
    let devices = try Devices(2, keepsValues: false)
    try await devices.write(1, "INSERT INTO Item VALUES ('x', 'theirs', 1)")
    try await devices.sync(1)
    try await devices.sync(0)
    try await devices.write(0, "UPDATE Item SET a = 'mine'")
    try await devices.write(0, "UPDATE Item SET a = 'mine again'")
    #expect(try await devices.changelog().history(of: "Item", key: ["x"]).versions.map(\.transaction) == [nil, 1, 2])
    // What was mine is known.
    try await devices.changelog().undo(transaction: 2)
    let error = await #expect(throws: ChangelogError.self) { _ = try await devices.changelog().undo(transaction: 1) }
    #expect(error?.code == .foreignHistoryUnknown)
    #expect(try Self.rows(await devices[0].rows("SELECT a FROM Item")) == [[.text("mine")]])
  }

  @Test func theUndoStackRemembersWhatIsNotKept() async throws {
    let folder = try TemporaryFolder()
    let devices = try Devices(2, keepsValues: false, folder: folder)
    let undo = try UndoStack(devices[0])
    func items() async throws -> [[SQLValue]] {
      try await devices[0].read { try Self.rows($0.rows("SELECT id, a, b FROM Item ORDER BY id")) }
    }
    try await devices.write(1, "INSERT INTO Item VALUES ('x', 'theirs', 1), ('y', 'theirs too', 2)")
    try await devices.sync(1)
    try await devices.sync(0)
    var states = [try await items()]
    try await undo.write("Edit") { try $0.execute("UPDATE Item SET a = 'mine' WHERE id = 'x'") }
    states.append(try await items())
    undo.begin("Both")
    try await undo.write("Delete") { try $0.execute("DELETE FROM Item WHERE id = 'y'") }
    try await undo.write("Rekey") { try $0.execute("UPDATE Item SET id = 'z', a = 'mine' WHERE id = 'x'") }
    undo.end()
    states.append(try await items())
    for _ in 0..<2 {
      for expected in [states[1], states[0]] {
        try await undo.undo()
        #expect(try await items() == expected)
      }
      for expected in [states[1], states[2]] {
        try await undo.redo()
        #expect(try await items() == expected)
      }
    }
    // What others write next is theirs again, and overwritten by force comes back, too.
    try await devices.sync(0)
    try await devices.sync(1)
    try await devices.write(1, "UPDATE Item SET a = 'theirs again'")
    try await devices.sync(1)
    try await devices.sync(0)
    let error = await #expect(throws: ChangelogError.self) { try await undo.undo() }
    #expect(error?.code == .undoConflict)
    let before = try await items()
    try await undo.undo(force: true)
    try await undo.redo()
    #expect(try await items() == before)
    #expect(devices[0].path.hasSuffix("first.db"))
  }

  /// A table with a unique column and a parent, so that merges hold rows back, hide them and show NULL instead.
  private static let linked = """
    CREATE TABLE List (id INTEGER PRIMARY KEY, name UNIQUE);
    CREATE TABLE Item (
      id INTEGER PRIMARY KEY, list REFERENCES List ON DELETE CASCADE, other REFERENCES List ON DELETE SET NULL, a);
    """

  @Test(arguments: [true, false], [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64])
  func randomWritesAndSyncs(keepsValues: Bool, seed: UInt64) async throws {
    var random = SeededRandom(seed: seed)
    let devices = try Devices(3, Self.linked, keepsValues: keepsValues)
    let queries = ["SELECT * FROM List ORDER BY id", "SELECT * FROM Item ORDER BY id"]
    func shown() throws -> [[[SQLValue]]] { try queries.map { Self.rows(try devices[0].rows(SQL(raw: $0))) } }
    var expected: [(moment: PastMoment, tables: [[[SQLValue]]])] = []
    for _ in 0..<60 {
      let device = random.below(3)
      if random.oneIn(3) {
        try await devices.sync(device)
      } else {
        let statement = statement(&random)
        // A constraint refuses some.
        do { try await devices.write(device, statement) } catch is StoreError {}
      }
      expected.append((devices.now, try shown()))
    }
    var known = 0
    for (moment, tables) in expected {
      do {
        let past = try await devices[0].asOf(moment)
        #expect(try queries.map { Self.rows(try past.rows(SQL(raw: $0))) } == tables, "seed \(seed)")
        known += 1
      } catch let error as ChangelogError where error.code == .foreignHistoryUnknown {
        #expect(!keepsValues, "seed \(seed): \(error)")
      }
    }
    #expect(known > 0 && (!keepsValues || known == expected.count), "seed \(seed)")
  }

  private func statement(_ random: inout SeededRandom) -> String {
    let (id, list, other) = (random.below(4), random.below(3), random.below(3))
    return switch random.below(8) {
    case 0, 1: "INSERT OR REPLACE INTO List VALUES (\(list), \(random.below(3)))"
    case 2: "DELETE FROM List WHERE id = \(list)"
    case 3, 4: "INSERT OR REPLACE INTO Item VALUES (\(id), \(list), \(other), \(random.below(100)))"
    case 5: "UPDATE Item SET a = \(random.below(100)) WHERE id = \(id)"
    case 6: "UPDATE OR REPLACE Item SET id = \(id) WHERE id = \(other)"
    default: "DELETE FROM Item WHERE id = \(id)"
    }
  }
}
