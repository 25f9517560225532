internal import DimpleMutex
package import DimpleStore

/// The SQL functions that the triggers call.
extension Changelog {
  package func connectionDidOpen(_ connection: Connection, role: ConnectionRole) throws {
    try UUIDFunctions.define(on: connection)
    guard role == .writer else { return }
    let recorder = ChangeRecorder(connection.running, clock: options.clock)
    let link = try attach(recorder)
    try define("dimple_insert", connection, link) { try recorder.pack(.insert, $0, $1) }
    try define("dimple_delete", connection, link) { try recorder.pack(.delete, $0, $1) }
    try define("dimple_more", connection, link) { try recorder.packMore($0, $1) }
    try define("dimple_update", connection, link) { try recorder.packUpdate($0, $1) }
    try define("dimple_update_more", connection, link) { try recorder.packMoreUpdate($0, $1) }
  }

  /// One changelog follows one writer: its clock and numbers are those of one file.
  private func attach(_ recorder: ChangeRecorder) throws -> WriterLink {
    let link = WriterLink(changelog: self)
    try state.withLock { state in
      guard state.writer == nil else {
        throw ChangelogError(
          .alreadyAttached, operation: "open a database", message: "The changelog belongs to another open database.",
          hint: "Make a configuration with tracking for each database.")
      }
      let old = state
      state = State(recorder: recorder)
      state.writer = link
      // The same database with a new writer, after a suspension or a failure: it will not be told that it did open.
      if let database = old.database {
        state.database = database
        state.isOpen = old.isOpen
        state.replica = old.committedReplica
        state.committedReplica = old.committedReplica
        state.undoHolds = old.undoHolds
      }
    }
    return link
  }

  private func define(
    _ name: String, _ connection: Connection, _ link: WriterLink,
    _ body: @escaping (borrowing FunctionCall, Connection) throws -> Void
  ) throws {
    // The connection owns its functions.
    try connection.createFunction(name, deterministic: false) { [unowned connection] call in
      do { try body(call, connection) } catch let error as NullKey {
        throw link.changelog.nullKey(error.table, "track a write")
      }
    }
  }

  func nullKey(_ table: Int64, _ operation: String) -> ChangelogError {
    let name = state.withLock { $0.schema?.catalog.tables[table]?.name }
    return ChangelogError(
      .nullKey, operation: operation,
      message:
        "A row\(name.map { " of “\($0)”" } ?? "") has NULL in its primary key: nothing names it on other devices.",
      hint: "Give the key a value, and declare its columns NOT NULL.")
  }
}

/// A writer connection's way to its changelog. Held by the connection's functions alone, and so gone when it is.
final class WriterLink: Sendable {
  /// Unowned: the connection's database holds it.
  unowned let changelog: Changelog

  init(changelog: Changelog) { self.changelog = changelog }
}
