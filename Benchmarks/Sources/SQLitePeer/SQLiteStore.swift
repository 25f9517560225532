import CSQLite
import Samples

/// The same jobs on the C library, with prepared statements and nothing around them: the floor.
///
/// Opened without mutexes, as a connection that one thread uses at a time may be.
package final class SQLiteStore {
  let connection: OpaquePointer
  private var statements: [String: OpaquePointer] = [:]

  /// - Parameter creating: the statement that creates the table; `nil` if the file has it.
  package init(path: String, creating createTable: String?) throws {
    var handle: OpaquePointer?
    let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX
    guard sqlite3_open_v2(path, &handle, flags, nil) == SQLITE_OK, let handle else {
      throw SQLiteFailure(message: "cannot open \(path)")
    }
    connection = handle
    sqlite3_busy_timeout(handle, 5_000)
    for pragma in ["journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON", "temp_store = MEMORY"] {
      try execute("PRAGMA \(pragma)")
    }
    if let createTable { try execute(createTable) }
  }

  deinit {
    for statement in statements.values { sqlite3_finalize(statement) }
    sqlite3_close(connection)
  }

  package func execute(_ sql: String) throws { try check(sqlite3_exec(connection, sql, nil, nil, nil)) }

  /// One statement for each key, a transaction each.
  package func writeEachKey(_ keys: [Int64], _ sql: String) throws -> Int {
    let begin = try prepare("BEGIN IMMEDIATE")
    let statement = try prepare(sql)
    let commit = try prepare("COMMIT")
    for key in keys {
      try finish(begin)
      sqlite3_bind_int64(statement, 1, key)
      try finish(statement)
      try finish(commit)
    }
    return keys.count
  }

  func prepare(_ sql: String) throws -> OpaquePointer {
    if let statement = statements[sql] { return statement }
    var statement: OpaquePointer?
    try check(sqlite3_prepare_v3(connection, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil))
    guard let statement else { throw SQLiteFailure(message: "an empty statement") }
    statements[sql] = statement
    return statement
  }

  @inline(__always) func finish(_ statement: OpaquePointer) throws {
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
