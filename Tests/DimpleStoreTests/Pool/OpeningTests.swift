import DimpleMutex
import Foundation
import Logging
import Testing

@testable import DimpleStore

@Suite struct OpeningTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func setting(_ db: Database, _ name: String) throws -> [String] {
    let read = try db.read { try $0.rows(SQL(raw: "PRAGMA \(name)")) }
    let write = try db.write { try $0.rows(SQL(raw: "PRAGMA \(name)")) }
    return try (read + write).map { "\(try Int(sqlValue: $0[0]))" }
  }

  @Test func settingsReachEveryConnection() throws {
    var configuration = Configuration()
    configuration.synchronous = .full
    configuration.cacheSizeBytes = 512 * 1024
    let db = try Database(folder.path(), configuration: configuration)
    #expect(try setting(db, "synchronous") == ["2", "2"])
    #expect(try setting(db, "cache_size") == ["-512", "-512"])
    #expect(try setting(db, "recursive_triggers") == ["1", "1"])
  }

  @Test func aRollbackJournalServesReadsAndWritesByOneConnection() async throws {
    var configuration = Configuration()
    configuration.journalMode = .delete
    let path = folder.path()
    try await Database(path, migrations: [Todo.migration]).close()
    let db = try Database(path, configuration: configuration, migrations: [Todo.migration])
    #expect(try await db.queryOne(String.self, "PRAGMA journal_mode") == "delete")
    #expect(!db.isInMemory)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<10 {
        group.addTask { _ = try await db.save(Todo(text: "\(number)")) }
        group.addTask { _ = try await db.rows("SELECT * FROM Todo") }
      }
      try await group.waitForAll()
    }
    #expect(try await db.queryOne(Int.self, "SELECT count(*) FROM Todo") == 10)
    #expect(!FileManager.default.fileExists(atPath: path + "-wal"))
    #expect(storeError { _ = try db.snapshot() }?.code == .unsupportedFeature)
  }

  @Test func prepareIsCalledForEachConnectionAndItsErrorIsThrown() throws {
    let other = folder.path("other.db")
    try Database(other, migrations: [Todo.migration]).save(Todo(text: "attached"))
    var configuration = Configuration()
    configuration.prepareConnection = { try $0.execute("ATTACH \(other) AS other") }
    let db = try Database(folder.path(), configuration: configuration)
    #expect(try db.queryOne(String.self, "SELECT text FROM other.Todo") == "attached")
    #expect(try db.write { try $0.queryOne(String.self, "SELECT text FROM other.Todo") } == "attached")
    configuration.prepareConnection = { try $0.execute("nonsense") }
    #expect(storeError { _ = try Database(folder.path(), configuration: configuration) }?.code == .sqlError)
  }

  @Test func aTemporaryDatabaseLeavesNothing() throws {
    var db: Database? = try Database.temporary(migrations: [Todo.migration])
    let path = try #require(db?.path)
    _ = try db?.save(Todo(text: "a"))
    #expect(FileManager.default.fileExists(atPath: path))
    #expect(try db?.snapshot().read { try $0.queryOne(Int.self, "SELECT count(*) FROM Todo") } == 1)
    db = nil
    #expect(!FileManager.default.fileExists(atPath: (path as NSString).deletingLastPathComponent))
  }

  @Test func aCopyInMemoryHasTheContentsAndLeavesTheFile() throws {
    let original = try Database(folder.path(), migrations: [Todo.migration])
    try original.save(Todo(text: "still in the log"))
    let further = Migration("further", "ALTER TABLE Todo ADD COLUMN note TEXT")
    let copy = try Database.inMemoryCopy(of: folder.path(), migrations: [Todo.migration, further])
    #expect(copy.isInMemory)
    #expect(try copy.query(String.self, "SELECT text FROM Todo WHERE note IS NULL") == ["still in the log"])
    try copy.execute("DELETE FROM Todo")
    #expect(try original.queryOne(Int.self, "SELECT count(*) FROM Todo") == 1)
    #expect(storeError { try original.execute("UPDATE Todo SET note = ''") }?.code == .sqlError)
    #expect(storeError { _ = try Database.inMemoryCopy(of: folder.path("none.db")) }?.code == .cannotOpen)
  }

  @Test func aKeyIsRefusedWhereNothingIsEncrypted() {
    var configuration = Configuration()
    configuration.encryptionKey = { .passphrase("it's secret") }
    let error = storeError { _ = try Database(folder.path(), configuration: configuration) }
    #expect(error?.code == .unsupportedFeature)
    #expect(error.map { "\($0)".contains("secret") } == false)
    #expect("\(EncryptionKey.raw([1, 2]))" == "EncryptionKey")
  }

  @Test func aKeyIsQuotedAsSQLCipherTakesIt() {
    #expect(EncryptionKey.passphrase("it's \"secret\"; --").literal == "'it''s \"secret\"; --'")
    #expect(EncryptionKey.raw([0x00, 0x1F, 0xA0, 0xFF]).literal == "\"x'001fa0ff'\"")
  }
}

@Suite struct CallableTests {
  private struct Refused: Error, Equatable {}

  private func open() throws -> Database {
    var configuration = Configuration()
    configuration.functions = [
      SQLFunction("shout", argumentCount: 1) { .text(try String(sqlValue: $0[0]).uppercased()) },
      SQLFunction("refuse") { _ in throw Refused() },
    ]
    configuration.aggregates = [
      SQLAggregate("product", argumentCount: 1, initial: 1) { product, arguments in
        guard arguments[0] != .integer(13) else { throw Refused() }
        product *= try Int(sqlValue: arguments[0])
      } result: {
        .integer(Int64($0))
      }
    ]
    configuration.collations = [SQLCollation("by_length") { $0.utf8.count < $1.utf8.count }]
    return try Database.temporary(configuration: configuration)
  }

  @Test func functionsAreCalledByReadersAndTheWriter() throws {
    let db = try open()
    #expect(try db.queryOne(String.self, "SELECT shout(\("hé"))") == "HÉ")
    try db.execute("CREATE TABLE t (x, y AS (shout(x)) STORED)")
    try db.execute("INSERT INTO t (x) VALUES (\("a"))")
    #expect(try db.query(String.self, "SELECT y FROM t") == ["A"])
    let error = storeError { _ = try db.rows("SELECT refuse(1, 2)") }
    #expect(error?.code == .functionFailed)
    #expect(error?.underlying as? Refused == Refused())
  }

  @Test func aggregatesWorkPerGroupAndWithoutRows() throws {
    let db = try open()
    let sql: SQL = "SELECT product(column2) FROM (VALUES (1, 2), (1, 3), (2, 7)) GROUP BY column1 ORDER BY column1"
    #expect(try db.query(Int.self, sql) == [6, 7])
    #expect(try db.query(Int.self, "SELECT product(1) WHERE 0") == [1])
    let error = storeError { _ = try db.rows("SELECT product(column1) FROM (VALUES (2), (13), (5))") }
    #expect(error?.code == .functionFailed)
    #expect(error?.underlying as? Refused == Refused())
    #expect(try db.query(Int.self, sql) == [6, 7])
  }

  @Test func collationsOrderAndIndex() throws {
    let db = try open()
    try db.execute("CREATE TABLE t (x TEXT COLLATE by_length UNIQUE)")
    try db.execute("INSERT INTO t VALUES ('ccc'), ('a'), ('bb')")
    #expect(try db.query(String.self, "SELECT x FROM t ORDER BY x") == ["a", "bb", "ccc"])
    #expect(storeError { try db.execute("INSERT INTO t VALUES ('zz')") }?.code == .uniqueConstraint)
    #expect(try db.integrityCheck().isEmpty)
  }

  @Test func aTraceTellsStatementTimeAndRows() throws {
    let traces = Mutex<[StatementTrace]>([])
    var configuration = Configuration()
    configuration.trace = { trace in traces.withLock { $0.append(trace) } }
    let db = try Database.temporary(configuration: configuration, migrations: [Todo.migration])
    try db.save(Todo(text: "secret"))
    try db.save(Todo(text: "secret"))
    traces.withLock { traces in traces = [] }
    _ = try db.rows("SELECT text FROM Todo WHERE text = \("secret")")
    let seen = traces.withLock { $0 }.filter { $0.sql.hasPrefix("SELECT text") }
    #expect(seen.map(\.rowCount) == [2])
    #expect(seen.map(\.sql) == ["SELECT text FROM Todo WHERE text = ?"])
    #expect(seen.allSatisfy { $0.duration > .zero })
  }

  @Test func atLevelTraceTheLoggerGetsTheStatementsWithoutValues() throws {
    let lines = Mutex<[String]>([])
    var configuration = Configuration()
    var logger = Logger(label: "test") { _ in LineHandler { line in lines.withLock { $0.append(line) } } }
    logger.logLevel = .trace
    configuration.logger = logger
    let db = try Database.inMemory(configuration: configuration, migrations: [Todo.migration])
    try db.save(Todo(text: "secret"))
    let logged = lines.withLock { $0 }
    #expect(logged.contains { $0.contains("INSERT INTO") && $0.contains("rows") })
    #expect(!logged.contains { $0.contains("secret") })
  }

  @Test func withoutAHookSQLiteIsNotAskedToTrace() throws {
    var configuration = Configuration()
    var logger = Logger(label: "test") { _ in LineHandler { _ in } }
    logger.logLevel = .debug
    configuration.logger = logger
    for quiet in [Configuration(), configuration] {
      let db = try Database.temporary(configuration: quiet)
      #expect(try db.read { $0.tracer == nil } && db.write { $0.tracer == nil })
    }
    configuration.trace = { _ in }
    let db = try Database.temporary(configuration: configuration)
    #expect(try db.read { $0.tracer != nil } && db.write { $0.tracer != nil })
  }
}

/// Gives each line, its metadata included, to a closure.
private struct LineHandler: LogHandler {
  let take: @Sendable (String) -> Void
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.trace

  init(take: @escaping @Sendable (String) -> Void) { self.take = take }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    take("\(event.message) \(event.metadata ?? [:])")
  }
}
