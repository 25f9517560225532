import DimpleReactive
import DimpleStore
import GRDBPeer
import SQLitePeer
import Samples

extension Suite {
  /// From a commit to the new value: write, then wait until whoever watches has it.
  static var reactive: Suite {
    Suite(name: "reactive") { size in
      let many = size(1_000)
      return try [
        ReactiveBenchmark(queries: 1, commits: size(200)).benchmark("from commit to value, one query", changed: 1),
        ReactiveBenchmark(queries: many).benchmark(
          "from commit to values, \(many) queries, all changed", changed: many),
        ReactiveBenchmark(queries: many).benchmark("from commit to value, \(many) queries, one changed", changed: 1),
      ]
    }
  }
}

/// Queries for one row each, on databases of their own.
private final class ReactiveBenchmark {
  private let keys: [Int64]
  private let commits: Int
  private let ours: Database
  private let grdb: GRDBStore
  private let sqlite: SQLiteStore
  private let sqliteReader: SQLiteStore
  private let values: LatestValues
  private let grdbValues: LatestValues
  private var watchers: [Task<Void, any Error>] = []
  private var observations: GRDBObservations?

  init(queries: Int, commits: Int = 1) throws {
    keys = (1...queries).map(Int64.init)
    self.commits = commits
    ours = try Database(
      TemporaryFolder.newPath("ours.db"), migrations: [Migration("create Track", "\(raw: Track.createTable)")])
    grdb = try GRDBStore(path: TemporaryFolder.newPath("grdb.db"), creating: Track.createTable)
    let path = TemporaryFolder.newPath("sqlite.db")
    sqlite = try SQLiteStore(path: path, creating: Track.createTable)
    sqliteReader = try SQLiteStore(path: path, creating: nil)
    values = LatestValues(queries: queries)
    grdbValues = LatestValues(queries: queries)
  }

  func benchmark(_ name: String, changed: Int) -> Benchmark {
    let update = "UPDATE Track SET milliseconds = milliseconds + 1 WHERE id <= \(changed)"
    return Benchmark(
      name: name, unit: "commit", count: commits, setUp: start, tearDown: stop,
      contenders: [
        Contender(name: Contender.ours) { [self] in
          try await eachCommit(changed, values) { try await ours.execute("\(raw: update)") }
        },
        // Runs every query again, in one transaction: it does not know which could have changed.
        Contender(name: "SQLite") { [self] in
          for _ in 0..<commits {
            try sqlite.execute(update)
            try sqliteReader.execute("BEGIN")
            _ = try sqliteReader.fetch(keys: keys)
            try sqliteReader.execute("COMMIT")
          }
          return commits
        },
        Contender(name: "GRDB") { [self] in
          try await eachCommit(changed, grdbValues) { try await grdb.executeAsync(update) }
        },
      ])
  }

  private func eachCommit(
    _ changed: Int, _ values: LatestValues, commit: () async throws -> Void
  ) async throws -> Int {
    for _ in 0..<commits {
      let before = values.first(changed)
      try await commit()
      await values.waitUntilAllDiffer(from: before)
    }
    return commits
  }

  /// Fills the tables, starts a watcher per query, and waits for their first values.
  private func start() async throws {
    let tracks = keys.map { Track(number: Int($0)) }
    try await ours.write { connection in for track in tracks { try connection.insert(track) } }
    _ = try grdb.insert(tracks)
    _ = try sqlite.insert(tracks)
    watchers = keys.map { key in
      let query = ours.observeOne(Track.self, "SELECT * FROM Track WHERE id = \(key)")
      return Task { [values] in
        for try await track in query { values.receive(track?.milliseconds ?? 0, of: Int(key - 1)) }
      }
    }
    observations = grdb.observe(keys: keys) { [grdbValues] value, key in grdbValues.receive(value, of: Int(key - 1)) }
    await values.waitUntilAllDiffer(from: keys.map { _ in nil })
    await grdbValues.waitUntilAllDiffer(from: keys.map { _ in nil })
  }

  private func stop() {
    for watcher in watchers { watcher.cancel() }
    watchers = []
    observations = nil
  }
}
