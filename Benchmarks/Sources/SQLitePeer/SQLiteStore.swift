import CSQLite
import Music

/// The same jobs on the C library, with prepared statements and nothing around them: the floor.
package final class SQLiteStore {
  private let connection: OpaquePointer
  private var statements: [String: OpaquePointer] = [:]

  package init(path: String, createsTable: Bool = true) throws {
    var handle: OpaquePointer?
    guard sqlite3_open(path, &handle) == SQLITE_OK, let handle else {
      throw SQLiteFailure(message: "cannot open \(path)")
    }
    connection = handle
    for pragma in ["journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON", "temp_store = MEMORY"] {
      try execute("PRAGMA \(pragma)")
    }
    if createsTable { try execute(Track.createTable) }
  }

  deinit {
    for statement in statements.values { sqlite3_finalize(statement) }
    sqlite3_close(connection)
  }

  package func execute(_ sql: String) throws { try check(sqlite3_exec(connection, sql, nil, nil, nil)) }

  package func insert(_ tracks: [Track], transaction: Bool) throws -> Int {
    let statement = try prepare("INSERT INTO Track VALUES (?, ?, ?, ?, ?, ?)")
    if transaction { try execute("BEGIN IMMEDIATE") }
    for track in tracks {
      sqlite3_bind_int64(statement, 1, track.id)
      bind(track.name, to: statement, at: 2)
      if let composer = track.composer { bind(composer, to: statement, at: 3) } else { sqlite3_bind_null(statement, 3) }
      sqlite3_bind_int64(statement, 4, Int64(track.milliseconds))
      sqlite3_bind_int64(statement, 5, Int64(track.bytes))
      sqlite3_bind_double(statement, 6, track.price)
      try finish(statement)
    }
    if transaction { try execute("COMMIT") }
    return tracks.count
  }

  /// One statement for each key, in one transaction.
  package func forEachKey(_ keys: [Int64], _ sql: String) throws -> Int {
    let statement = try prepare(sql)
    try execute("BEGIN IMMEDIATE")
    for key in keys {
      sqlite3_bind_int64(statement, 1, key)
      try finish(statement)
    }
    try execute("COMMIT")
    return keys.count
  }

  package func fetchAll() throws -> Int {
    let statement = try prepare("SELECT * FROM Track")
    var tracks: [Track] = []
    while sqlite3_step(statement) == SQLITE_ROW { tracks.append(Track(columnsOf: statement)) }
    sqlite3_reset(statement)
    return tracks.reduce(0) { $0 &+ $1.checksum }
  }

  package func fetch(keys: [Int64]) throws -> Int {
    let statement = try prepare("SELECT * FROM Track WHERE id = ?")
    var checksum = 0
    for key in keys {
      sqlite3_bind_int64(statement, 1, key)
      if sqlite3_step(statement) == SQLITE_ROW { checksum &+= Track(columnsOf: statement).checksum }
      sqlite3_reset(statement)
    }
    return checksum
  }

  private func prepare(_ sql: String) throws -> OpaquePointer {
    if let statement = statements[sql] { return statement }
    var statement: OpaquePointer?
    try check(sqlite3_prepare_v3(connection, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil))
    guard let statement else { throw SQLiteFailure(message: "an empty statement") }
    statements[sql] = statement
    return statement
  }

  private func bind(_ text: String, to statement: OpaquePointer, at index: Int32) {
    var text = text
    text.withUTF8 { bytes in
      _ = bytes.withMemoryRebound(to: CChar.self) {
        sqlite3_bind_text(statement, index, $0.baseAddress, Int32($0.count), dimple_sqlite_transient())
      }
    }
  }

  private func finish(_ statement: OpaquePointer) throws {
    let code = sqlite3_step(statement)
    sqlite3_reset(statement)
    guard code == SQLITE_DONE || code == SQLITE_ROW else { return try check(code) }
  }

  private func check(_ code: Int32) throws {
    guard code != SQLITE_OK else { return }
    throw SQLiteFailure(message: String(cString: sqlite3_errmsg(connection)))
  }
}

package struct SQLiteFailure: Error { package var message: String }

private func text(_ statement: OpaquePointer, _ column: Int32) -> String {
  String(
    decoding: UnsafeBufferPointer(
      start: sqlite3_column_text(statement, column), count: Int(sqlite3_column_bytes(statement, column))),
    as: UTF8.self)
}

extension Track {
  /// A hand-written mapping.
  fileprivate init(columnsOf statement: OpaquePointer) {
    self.init(
      id: sqlite3_column_int64(statement, 0), name: text(statement, 1),
      composer: sqlite3_column_type(statement, 2) == SQLITE_NULL ? nil : text(statement, 2),
      milliseconds: Int(sqlite3_column_int64(statement, 3)), bytes: Int(sqlite3_column_int64(statement, 4)),
      price: sqlite3_column_double(statement, 5))
  }
}
