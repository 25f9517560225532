import ClientSupport
import DimpleChangelog
import DimpleStore

/// Writes a transaction that the system refuses, as a failing disk would, then another with room enough. Says the error's
/// code, where the first was stopped, and the second's number.
enum OutgrowMode {
  /// - Parameters:
  ///   - limit: How many bytes long any file may become by what this process writes.
  ///   - spills: Whether there is so little memory that pages are written in the middle of a statement.
  static func run(_ path: String, limit: UInt64, spills: Bool) throws {
    var configuration = Configuration().tracking()
    if spills { configuration.cacheSizeBytes = 40_000 }
    let db = try Database(
      path, configuration: configuration,
      migrations: [Migration("schema", "CREATE TABLE item(id INTEGER PRIMARY KEY, text, n)")])
    guard let changelog = db.changelog else { return }
    try db.write { try insert(1...60, "'before'", $0) }
    // The write-ahead log begins anew, and the database's own file is not written before the end.
    try db.checkpoint(.truncate)
    try FileLimit.set(limit)
    let stopped = write(db)
    try FileLimit.set(nil)
    let next = try db.write { connection in
      try connection.execute("UPDATE item SET text = 'next' WHERE id = 1")
      return try changelog.lastTransaction(connection)
    }
    print(stopped.code.map { "\($0)" } ?? "none", stopped.place, next)
    try db.close()
  }

  private static func write(_ db: Database) -> (code: StoreError.Code?, place: String) {
    var place = "inStatement"
    do {
      try db.write { connection in
        try connection.execute("UPDATE item SET text = 'first' WHERE id = 1")
        try insert(101...140, "hex(zeroblob(2000))", connection)
        place = "atCommit"
      }
      return (nil, "nowhere")
    } catch { return ((error as? StoreError)?.code, place) }
  }

  private static func insert(_ ids: ClosedRange<Int>, _ text: String, _ connection: Connection) throws {
    try connection.execute(
      """
      WITH n(i) AS (SELECT \(ids.lowerBound) UNION ALL SELECT i + 1 FROM n WHERE i < \(ids.upperBound))
      INSERT INTO item SELECT i, \(raw: text), 0 FROM n
      """)
  }
}
