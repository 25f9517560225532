package import DimpleStore
internal import Synchronization

/// The SQL functions that the triggers call.
extension Changelog {
  package func connectionDidOpen(_ connection: Connection, role: ConnectionRole) throws {
    try connection.createFunction("uuid7", argumentCount: 0, deterministic: false) { call in
      call.setResult(UUIDv7().sqlValue)
    }
    guard role == .writer else { return }
    try define("dimple_pack_insert", connection) { try $0.pack(.insert, $1) }
    try define("dimple_pack_delete", connection) { try $0.pack(.delete, $1) }
    try define("dimple_pack_more", connection) { try $0.packMore($1) }
    try define("dimple_diff_more", connection) { try $0.diffMore($1) }
    try define("dimple_payload", connection) { try $0.takeUpdate($1) }
    let clock = options.clock
    try define("dimple_diff", connection) { try $0.diff($1, milliseconds: clock.milliseconds()) }
    try define("dimple_tick", connection) { recorder, call in
      call.setResult(.integer(try recorder.tick(milliseconds: clock.milliseconds()).rawValue))
    }
  }

  private func define(
    _ name: String, _ connection: Connection, _ body: @escaping (inout ChangeRecorder, borrowing FunctionCall) throws -> Void
  ) throws {
    // Unowned: the connection's database holds the changelog.
    try connection.createFunction(name, deterministic: false) { [unowned self] call in
      do { try state.withLock { try body(&$0.recorder, call) } } catch let error as NullKey {
        throw nullKey(error.table, "track a write")
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
