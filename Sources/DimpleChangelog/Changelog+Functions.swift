internal import DimpleMutex
package import DimpleStore

/// The SQL functions that the triggers call.
extension Changelog {
  package func connectionDidOpen(_ connection: Connection, role: ConnectionRole) throws {
    try UUIDFunctions.define(on: connection)
    guard role == .writer else { return }
    let link = try attach()
    try define("dimple_pack_insert", connection, link) { try $0.pack(.insert, $1) }
    try define("dimple_pack_delete", connection, link) { try $0.pack(.delete, $1) }
    try define("dimple_pack_more", connection, link) { try $0.packMore($1) }
    try define("dimple_diff_more", connection, link) { try $0.diffMore($1) }
    try define("dimple_payload", connection, link) { try $0.takeUpdate($1) }
    let clock = options.clock
    try define("dimple_diff", connection, link) { try $0.diff($1, clock: clock) }
    try define("dimple_tick", connection, link) { recorder, call in
      call.setResult(int64: try recorder.tick(milliseconds: clock.milliseconds()).rawValue)
    }
  }

  /// One changelog follows one writer: its clock and numbers are those of one file.
  private func attach() throws -> WriterLink {
    let link = WriterLink(changelog: self)
    try state.withLock { state in
      guard state.writer == nil else {
        throw ChangelogError(
          .alreadyAttached, operation: "open a database", message: "The changelog belongs to another open database.",
          hint: "Make a configuration with tracking for each database.")
      }
      let old = state
      state = State()
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
    _ body: @escaping (inout ChangeRecorder, borrowing FunctionCall) throws -> Void
  ) throws {
    try connection.createFunction(name, deterministic: false) { call in
      do { try link.changelog.state.withLock { try body(&$0.recorder, call) } } catch let error as NullKey {
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
