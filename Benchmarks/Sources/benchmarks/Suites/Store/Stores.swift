import DimpleStore
import GRDBPeer
import SQLitePeer
import Samples

/// A sample's table in the three stores.
final class Stores<Row: SQLiteRow & Entity> {
  /// What the table holds before a run.
  enum Content {
    case nothing
    case allRows
  }

  let rows: [Row]
  let ours: Database
  let sqlite: SQLiteStore
  let grdb: GRDBStore
  private let paths = ["ours", "sqlite", "grdb"].map { TemporaryFolder.newPath("\($0).db") }
  /// Of those whose table holds all rows and no others.
  private var fullPaths: Set<String> = []

  init(count: Int) throws {
    rows = (1...count).map(Row.init(number:))
    ours = try Database(paths[0], migrations: [Migration("create the table", "\(raw: Row.createTable)")])
    sqlite = try SQLiteStore(path: paths[1], creating: Row.createTable)
    grdb = try GRDBStore(path: paths[2], creating: Row.createTable)
  }

  /// The same job for each store, on a table with that content.
  func contenders(
    on content: Content, ours: @escaping () async throws -> Int, sqlite: @escaping () async throws -> Int,
    grdb: @escaping () async throws -> Int
  ) -> [Contender] {
    let jobs = [(Contender.ours, ours), ("SQLite", sqlite), ("GRDB", grdb)]
    return zip(jobs, paths).map { job, path in
      Contender(name: job.0, prepare: { try self.prepare(content, path) }, run: job.1)
    }
  }

  private func prepare(_ content: Content, _ path: String) throws {
    if content == .allRows && fullPaths.contains(path) { return }
    let delete = "DELETE FROM \(Row.tableName)"
    switch path {
    case ours.path: try ours.execute("\(raw: delete)")
    case paths[1]: try sqlite.execute(delete)
    default: try grdb.execute(delete)
    }
    fullPaths.remove(path)
    if content == .allRows {
      try SQLiteStore(path: path, creating: nil).fill(rows)
      fullPaths.insert(path)
    }
  }
}
