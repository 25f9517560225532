import DimpleChangelog
import DimpleStore
import SQLitePeer
import Samples

extension Suite {
  /// What tracking costs, against the same statement untracked: in the C library and in the store.
  static var changelog: Suite { Suite(name: "changelog") { size in try ChangelogBenchmarks(size: size).all } }
}

private struct ChangelogBenchmarks {
  private let tracked: Database
  private let untracked: Database
  private let sqlite: SQLiteStore
  private let keys: [Int64]

  init(size: Size) throws {
    let migrations = [Migration("create Track", "\(raw: Track.createTable)")]
    tracked = try Database(
      TemporaryFolder.newPath("tracked.db"), configuration: Configuration().tracking(), migrations: migrations)
    untracked = try Database(TemporaryFolder.newPath("untracked.db"), migrations: migrations)
    sqlite = try SQLiteStore(path: TemporaryFolder.newPath("sqlite.db"), creating: Track.createTable)
    keys = (1...size(10_000)).map(Int64.init)
  }

  var all: [Benchmark] {
    [
      benchmark("insert, tracked", before: []) { key in
        "INSERT INTO Track VALUES (\(key), 'Track', NULL, 120000, 4000000, 0.99)"
      } sqlite: {
        "INSERT INTO Track VALUES (?, 'Track', NULL, 120000, 4000000, 0.99)"
      },
      benchmark("update one column, tracked", before: keys) { key in
        "UPDATE Track SET milliseconds = milliseconds + 1 WHERE id = \(key)"
      } sqlite: {
        "UPDATE Track SET milliseconds = milliseconds + 1 WHERE id = ?"
      },
      benchmark("delete, tracked", before: keys) { key in
        "DELETE FROM Track WHERE id = \(key)"
      } sqlite: {
        "DELETE FROM Track WHERE id = ?"
      },
    ]
  }

  /// One statement a key, in one transaction, on a table that holds just the rows `before`.
  private func benchmark(
    _ name: String, before: [Int64], _ statement: @escaping (Int64) -> SQL, sqlite text: () -> String
  ) -> Benchmark {
    let text = text()
    return Benchmark(
      name: name, unit: "row", count: keys.count,
      contenders: [
        Contender(name: Contender.ours, prepare: { try reset(tracked, before) }) { try run(statement, on: tracked) },
        Contender(
          name: "SQLite",
          prepare: {
            try sqlite.execute("DELETE FROM Track")
            _ = try sqlite.insert(before.map { Track(number: Int($0)) })
          }
        ) { try sqlite.forEachKey(keys, text) },
        Contender(name: "untracked", prepare: { try reset(untracked, before) }) { try run(statement, on: untracked) },
      ])
  }

  private func run(_ statement: (Int64) -> SQL, on database: Database) throws -> Int {
    try database.write { connection in try keys.reduce(0) { $0 + (try connection.execute(statement($1))) } }
  }

  private func reset(_ database: Database, _ keys: [Int64]) throws {
    try database.write { connection in
      try connection.execute("DELETE FROM Track")
      for key in keys { try connection.insert(Track(number: Int(key))) }
    }
  }
}
