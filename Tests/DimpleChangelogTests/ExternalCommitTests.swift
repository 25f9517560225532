import DimpleChangelog
import DimpleStore
import DimpleTestSupport
import Testing

/// What others commit to the same file, as observers of commits get it.
@Suite("Commits of others are told by table, column and row", .timeLimit(.minutes(2)))
struct ExternalCommitTests {
  private static let schema = """
    CREATE TABLE A(id INTEGER PRIMARY KEY, x, y, g AS (x || '!'), here);
    CREATE TABLE B(k TEXT PRIMARY KEY, x);
    CREATE TABLE Local(x);
    INSERT INTO A(id, x) VALUES (1, 0), (2, 0);
    """
  private let file: TemporaryFile
  private let mine: TrackedDatabase
  private let theirs: TrackedDatabase
  private let events: AsyncStream<CommitEvent>
  private let observation: CommitObservation

  init() throws {
    let file = try TemporaryFile()
    func open(_ schema: String) throws -> TrackedDatabase {
      try TrackedDatabase(schema, path: file.path, untracked: ["Local"], untrackedColumns: ["A": ["here"]])
    }
    let mine = try open(Self.schema)
    let (stream, continuation) = AsyncStream.makeStream(of: CommitEvent.self)
    (self.file, self.mine, theirs, events) = (file, mine, try open(""), stream)
    observation = mine.database.observeCommits { continuation.yield($0) }
  }

  /// The next event that says anything of rows: two looks may fall on one commit.
  private func next(_ iterator: inout AsyncStream<CommitEvent>.Iterator) async throws -> CommitEvent {
    while let event = await iterator.next() {
      if event.knownTables.isEmpty || event.changesSchema { return event }
      if event.tables.values.contains(where: { $0.rows?.isEmpty != true }) { return event }
    }
    throw Stop()
  }

  private func touches(_ event: CommitEvent, _ sql: SQL) throws -> Bool {
    event.touches(try mine.database.read { try $0.readSet(of: sql) })
  }

  @Test func anUpdateByItsColumnsAndRows() async throws {
    var iterator = events.makeAsyncIterator()
    try theirs.script("UPDATE A SET x = 5 WHERE id = 2")
    let event = try await next(&iterator)
    #expect(event.isExternal && !event.changesSchema)
    let change = try #require(event.tables["A"])
    #expect(!change.insertedOrDeleted && change.rows == [[.integer(2)]])
    #expect(change.updatedColumns.isSuperset(of: ["x", "g"]) && !change.updatedColumns.contains("y"))
    #expect(try touches(event, "SELECT x FROM A") && touches(event, "SELECT g FROM A"))
    #expect(try !touches(event, "SELECT y FROM A") && !touches(event, "SELECT * FROM B"))
    #expect(try !touches(event, "SELECT count(*) FROM A"))
    // What is not in the log may have changed, for all that is known.
    #expect(try touches(event, "SELECT here FROM A") && touches(event, "SELECT * FROM Local"))
    #expect(try touches(event, "SELECT rowid FROM B") && touches(event, "SELECT * FROM dimple_log"))
    #expect(try touches(event, "SELECT y FROM A, Local"))
    _ = observation
  }

  @Test func insertsAndDeletes() async throws {
    var iterator = events.makeAsyncIterator()
    try theirs.script("INSERT INTO B VALUES ('k', 1)")
    let event = try await next(&iterator)
    #expect(event.tables["B"]?.insertedOrDeleted == true && event.tables["B"]?.rows == [[.text("k")]])
    #expect(try touches(event, "SELECT count(*) FROM B") && !touches(event, "SELECT count(*) FROM A"))
    try theirs.script("DELETE FROM A")
    let second = try await next(&iterator)
    #expect(second.tables["A"]?.rows == [[.integer(1)], [.integer(2)]] && second.tables["B"]?.rows == [])
  }

  @Test func theyAreToldBeforeAnOwnTransactionThatFollowsAndItIsNotTakenForTheirs() async throws {
    var iterator = events.makeAsyncIterator()
    try theirs.script("UPDATE A SET x = 1 WHERE id = 1")
    try mine.script("UPDATE A SET y = 1 WHERE id = 2")
    try theirs.script("UPDATE A SET x = 2 WHERE id = 1")
    var external: [TableChange] = []
    while external.count < 2 {
      let event = try await next(&iterator)
      if event.isExternal { external.append(try #require(event.tables["A"])) }
    }
    #expect(external.allSatisfy { $0.rows == [[.integer(1)]] && !$0.updatedColumns.contains("y") })
  }

  @Test func untrackedTablesAloneTouchNoTrackedOne() async throws {
    var iterator = events.makeAsyncIterator()
    try theirs.script("INSERT INTO Local VALUES (1)")
    let event = try #require(await iterator.next())
    #expect(event.isExternal)
    #expect(try touches(event, "SELECT * FROM Local") && !touches(event, "SELECT x FROM A"))
  }

  @Test func aChangedSchemaTouchesEverything() async throws {
    var iterator = events.makeAsyncIterator()
    try theirs.script("ALTER TABLE B ADD COLUMN z")
    let event = try await next(&iterator)
    #expect(event.changesSchema)
    #expect(try touches(event, "SELECT x FROM A"))
    try theirs.script("UPDATE A SET x = 9 WHERE id = 1")
    let second = try await next(&iterator)
    #expect(!second.changesSchema && second.tables["A"]?.rows == [[.integer(1)]])
  }

  @Test func aMergeIsToldLikeAWrite() async throws {
    var iterator = events.makeAsyncIterator()
    try await theirs.database.withMergeTransaction { [theirs] connection in
      try connection.script("UPDATE A SET y = 3 WHERE id = 1; INSERT INTO B VALUES ('m', 1)")
      let recorder = try theirs.changelog.mergeRecorder(connection, isFirst: true)
      let stamp = Stamp(time: HybridTime(milliseconds: 5), replica: ReplicaID(rawValue: 9))
      try recorder.record(
        .update, table: "A", key: [.integer(1)], columns: [ColumnValue(name: "y", value: .integer(3))], at: stamp)
      try recorder.record(
        .insert, table: "B", key: [.text("m")], columns: [ColumnValue(name: "x", value: .integer(1))], at: stamp)
      try recorder.finish()
    }
    var event = try await next(&iterator)
    // The merge makes a table of the library's own first.
    if event.changesSchema, event.tables["A"]?.rows == [] { event = try await next(&iterator) }
    #expect(event.tables["A"]?.rows == [[.integer(1)]] && event.tables["A"]?.updatedColumns.contains("y") == true)
    #expect(event.tables["B"]?.rows == [[.text("m")]] && event.tables["B"]?.insertedOrDeleted == true)
  }

  @Test func whatIsTooMuchToReadMayBeAnything() async throws {
    var iterator = events.makeAsyncIterator()
    try theirs.script(
      "WITH n(i) AS (VALUES (10) UNION ALL SELECT i + 1 FROM n WHERE i < 6000) INSERT INTO A(id) SELECT i FROM n")
    let event = try await next(&iterator)
    #expect(event.knownTables.isEmpty)
    #expect(try touches(event, "SELECT * FROM B"))
    try theirs.script("UPDATE A SET x = 9 WHERE id = 1")
    #expect(try await next(&iterator).tables["A"]?.rows == [[.integer(1)]])
  }

  @Test func whatWasTrimmedAwayMayBeAnything() async throws {
    var iterator = events.makeAsyncIterator()
    let trimming = try TrackedDatabase(
      path: file.path, untracked: ["Local"], untrackedColumns: ["A": ["here"]], retention: .minimal)
    // Both before anybody looks, or one after the other: either way nothing is missed.
    try trimming.script("UPDATE A SET x = 7 WHERE id = 1")
    try trimming.trim()
    var isTold = false
    while !isTold {
      let event = try await next(&iterator)
      isTold =
        try event.knownTables.isEmpty || event.tables["A"]?.rows == [[.integer(1)]] && touches(event, "SELECT x FROM A")
    }
  }
}
