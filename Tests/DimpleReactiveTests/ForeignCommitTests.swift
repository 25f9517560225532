import DimpleChangelog
import DimpleReactive
import DimpleStore
import DimpleTestSupport
import Foundation
import Testing

/// With tracking, the log says what others' commits changed. How often each query ran is counted by a function in its SQL.
@Suite("A commit of others re-runs the live queries that read what it changed, and no other", .timeLimit(.minutes(10)))
struct ForeignCommitTests {
  @Test("Another Database of the same file: by table and column, and always where the log says nothing")
  func anotherDatabase() async throws {
    let queries = Queries.tracked.merging(["Local": "SELECT ran('Local'), count(*) FROM Local"]) { $1 }
    let live = try await LiveQueries(Queries.schema + "CREATE TABLE Local(x)", queries, untracked: ["Local"])
    let theirs = try live.open()
    func commit(_ sql: @escaping (Int) -> SQL) -> (Int) throws -> Void { { try theirs.execute(sql($0)) } }
    try await live.expect(reruns: ["x of A"], commit { "UPDATE A SET x = \($0) WHERE id = 1" })
    try await live.expect(reruns: ["y of A", "A and B"], commit { "UPDATE A SET y = \($0) WHERE id = 2" })
    try await live.expect(reruns: ["B", "A and B"], commit { "INSERT INTO B VALUES (\("k\($0)"), \($0))" })
    try await live.expect(
      reruns: ["x of A", "y of A", "rows of A", "A and B"], commit { "INSERT INTO A VALUES (\($0 + 10), 8, 8)" })
    try await live.expect(reruns: ["B", "A and B"], commit { "UPDATE B SET x = \(-$0)" })
    // Nothing that the log has, and so none but the table itself.
    try await live.expect(reruns: ["Local"], commit { "INSERT INTO Local VALUES (\($0))" })
    try await theirs.close()
    try live.end()
  }

  @Test("Another process")
  func anotherProcess() async throws {
    let live = try await LiveQueries(Queries.schema, Queries.tracked)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
      .appendingPathComponent("ChangelogClient")
    process.arguments = ["hammer", live.path, "1", "20"]
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    while try await live.next("T") != 20 {}
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    let counts = live.runs.counts
    // Some of its commits may be seen at once.
    #expect((2...21).contains(counts["T"] ?? 0))
    #expect(counts.filter { $0.key != "T" } == Queries.tracked.filter { $0.key != "T" }.mapValues { _ in 1 })
    try live.end()
  }
}

private enum Queries {
  static let schema = """
    CREATE TABLE A(id INTEGER PRIMARY KEY, x, y);
    CREATE TABLE B(k TEXT PRIMARY KEY, x);
    CREATE TABLE T(id TEXT PRIMARY KEY, n);
    INSERT INTO A VALUES (1, 0, 0), (2, 0, 0);
    """

  /// Of one row each, so that the function is called once a run.
  static let tracked: [String: SQL] = [
    "x of A": "SELECT ran('x of A'), sum(x) FROM A",
    "y of A": "SELECT ran('y of A'), sum(y) FROM A",
    "rows of A": "SELECT ran('rows of A'), count(*) FROM A",
    "B": "SELECT ran('B'), sum(x) FROM B",
    "A and B": "SELECT ran('A and B'), sum(y) + (SELECT total(x) FROM B) FROM A",
    "T": "SELECT ran('T'), count(*) FROM T",
  ]
}

/// A file, and a loop over each of some live queries of it.
private final class LiveQueries {
  let runs = Runs()
  let path: String
  private let folder: URL
  private let schema: String
  private let untracked: Set<String>
  private let database: Database
  private var values: [String: AsyncStream<Row>.AsyncIterator] = [:]
  private var loops: [Task<Void, any Error>] = []

  /// All have their first results.
  init(_ schema: String, _ queries: [String: SQL], untracked: Set<String> = []) async throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("dimple-foreign-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    path = folder.appendingPathComponent("test.db").path
    (self.schema, self.untracked) = (schema, untracked)
    database = try Self.open(path, schema, untracked, [runs.function])
    for (name, sql) in queries {
      let (stream, continuation) = AsyncStream.makeStream(of: Row.self)
      let rows = database.observeRows(sql)
      loops.append(Task { for try await row in rows { row.first.map { _ = continuation.yield($0) } } })
      values[name] = stream.makeAsyncIterator()
      _ = try await next(name)
    }
    #expect(runs.counts == queries.mapValues { _ in 1 })
  }

  /// Another database of the same file.
  func open() throws -> Database { try Self.open(path, schema, untracked, []) }

  private static func open(
    _ path: String, _ schema: String, _ untracked: Set<String>, _ functions: [SQLFunction]
  ) throws -> Database {
    var options = Changelog.Options()
    options.untracked = untracked
    var configuration = Configuration().tracking(options)
    configuration.functions = functions
    return try Database(path, configuration: configuration, migrations: [Migration("schema", "\(raw: schema)")])
  }

  /// The next result of a query; 0 for `NULL`.
  func next(_ name: String) async throws -> Double {
    switch try #require(await values[name]?.next())[1] {
    case .integer(let number): Double(number)
    case .real(let number): number
    default: 0
    }
  }

  /// Lets others commit some times, awaits the new result of each query named, and counts.
  func expect(
    reruns names: Set<String>, _ commit: (Int) throws -> Void, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    let before = runs.counts
    let commits = 5
    for number in 1...commits {
      try commit(number)
      for name in names { _ = try await next(name) }
    }
    let after = runs.counts
    // What is not in the log may have been changed by any of their commits.
    for name in values.keys where name != "Local" {
      let reruns = (after[name] ?? 0) - (before[name] ?? 0)
      #expect(reruns == (names.contains(name) ? commits : 0), "\(name)", sourceLocation: sourceLocation)
    }
  }

  func end() throws {
    for loop in loops { loop.cancel() }
    try database.close()
    try FileManager.default.removeItem(at: folder)
  }
}

/// How often each query ran.
private final class Runs: @unchecked Sendable {  // guarded by its lock
  private let lock = NSLock()
  private var numbers: [String: Int] = [:]

  var counts: [String: Int] { lock.withLock { numbers } }

  var function: SQLFunction {
    SQLFunction("ran", argumentCount: 1, deterministic: false) { [self] arguments in
      if case .text(let name) = arguments[0] { lock.withLock { numbers[name, default: 0] += 1 } }
      return arguments[0]
    }
  }
}
