internal import CSQLite

/// Listens while SQLite compiles statements: collects what they read and write, and refuses what is not the caller's.
///
/// One per connection, and confined with it. https://sqlite.org/c3ref/c_alter_table.html lists the action codes.
final class Authorizer {
  /// Of the statement that is being compiled, or stepped for the first time (SQLite recompiles after a schema change), which
  /// keeps them: counting references here would cost a short statement some percent.
  @exclusivity(unchecked) unowned(unsafe) var effects: StatementEffects?
  /// Above 0 inside `withInternalAccess`.
  var internalDepth = 0
  /// True while the store itself begins or ends a transaction or sets a connection option.
  var allowsControl = false
  /// A temporary trigger was made on the connection, or was about to be.
  private(set) var hasTemporaryTriggers = false
  /// Why the last refused statement was refused.
  var refusal: Refusal?

  struct Refusal {
    let message: String
    let hint: String
  }

  var isInternal: Bool { internalDepth > 0 || effects?.isInternal == true }

  /// Starts listening; the connection keeps the authorizer alive.
  func install(on database: OpaquePointer) {
    sqlite3_set_authorizer(
      database,
      { context, action, first, second, schema, source in
        guard let context else { return SQLITE_OK }
        let authorizer = Unmanaged<Authorizer>.fromOpaque(context).takeUnretainedValue()
        return authorizer.authorize(action, first, second, schema, source)
      }, Unmanaged.passUnretained(self).toOpaque())
  }

  private typealias Name = UnsafePointer<CChar>?

  private func authorize(_ action: Int32, _ first: Name, _ second: Name, _ schema: Name, _ source: Name) -> Int32 {
    switch action {
    case SQLITE_READ:
      effects?.noteRead(table: Self.text(first), column: Self.text(second))
      return SQLITE_OK
    case SQLITE_INSERT, SQLITE_DELETE, SQLITE_UPDATE:
      return authorizeWrite(action, Self.text(first), Self.text(second), schema: Self.text(schema), source: source)
    case SQLITE_TRANSACTION, SQLITE_SAVEPOINT:
      return authorizeControl(action)
    case SQLITE_PRAGMA:
      return authorizePragma(Self.text(first), isAssignment: second != nil)
    case SQLITE_FUNCTION:
      guard source == nil, !isInternal, ReservedNames.contains(Self.text(second)) else { return SQLITE_OK }
      return refuse("'\(Self.text(second))' is for the store's own triggers.", "Leave it to them.")
    case SQLITE_CREATE_TEMP_TRIGGER:
      hasTemporaryTriggers = true
      return SQLITE_OK
    case SQLITE_SELECT, SQLITE_RECURSIVE:
      return SQLITE_OK
    default:
      return authorizeSchema(action, Self.text(first), Self.text(second))
    }
  }

  private func authorizeWrite(
    _ action: Int32, _ table: String, _ column: String, schema: String, source: Name
  ) -> Int32 {
    if source == nil, !isInternal, ReservedNames.contains(table) {
      return refuse(
        "'\(table)' belongs to the store and is not for writing.",
        "Tables whose names begin with '\(ReservedNames.prefix)' hold the change log and the sync state.")
    }
    guard schema != "temp" else { return SQLITE_OK }
    if action == SQLITE_UPDATE {
      effects?.noteUpdate(table: table, column: column)
    } else {
      effects?.noteRowsChange(table: table)
    }
    return SQLITE_OK
  }

  private func authorizeControl(_ action: Int32) -> Int32 {
    if allowsControl { return SQLITE_OK }
    return action == SQLITE_SAVEPOINT
      ? refuse("Savepoints are not written as SQL here.", "Use connection.savepoint { }.")
      : refuse("Transactions are not written as SQL here.", "Use database.write { } or database.read { }.")
  }

  private func authorizePragma(_ name: String, isAssignment: Bool) -> Int32 {
    if !isAssignment { effects?.asksForSetting = true }
    guard isAssignment, !allowsControl, Self.ownPragmas.contains(name.lowercased()) else { return SQLITE_OK }
    return refuse("PRAGMA \(name) is set by the store.", "See Configuration.")
  }

  /// Settings that tracking, snapshots and the pool rely on.
  private static let ownPragmas: Set<String> = [
    "journal_mode", "locking_mode", "query_only", "recursive_triggers", "foreign_keys", "writable_schema",
    "trusted_schema", "read_uncommitted", "legacy_alter_table",
  ]

  private func authorizeSchema(_ action: Int32, _ first: String, _ second: String) -> Int32 {
    switch action {
    case SQLITE_CREATE_TABLE, SQLITE_CREATE_VIEW, SQLITE_CREATE_VTABLE, SQLITE_CREATE_INDEX, SQLITE_CREATE_TRIGGER,
      SQLITE_DROP_TABLE, SQLITE_DROP_VIEW, SQLITE_DROP_VTABLE, SQLITE_DROP_INDEX:
      return authorizeSchemaChange(action, name: first, table: second)
    case SQLITE_DROP_TRIGGER:
      // Dropping a table drops its triggers, and SQLite asks for each.
      if effects?.droppedTables.contains(second) == true { return SQLITE_OK }
      return authorizeSchemaChange(action, name: first, table: second)
    case SQLITE_ALTER_TABLE:
      return authorizeSchemaChange(action, name: second, table: second)
    default:
      return SQLITE_OK
    }
  }

  private func authorizeSchemaChange(_ action: Int32, name: String, table: String) -> Int32 {
    // ANALYZE creates its tables; they are SQLite's, and change no query's result.
    if name.hasPrefix("sqlite_stat") { return SQLITE_OK }
    let isReserved = ReservedNames.contains(name) || ReservedNames.contains(table) && action != SQLITE_CREATE_VTABLE
    if isReserved, !isInternal {
      return refuse(
        "'\(name)' belongs to the store.", "Names that begin with '\(ReservedNames.prefix)' are kept for it.")
    }
    effects?.changesSchema = true
    switch action {
    case SQLITE_DROP_TABLE, SQLITE_DROP_VTABLE:
      effects?.droppedTables.insert(name)
      effects?.noteRowsChange(table: name)
    case SQLITE_ALTER_TABLE:
      effects?.alteredTables.insert(name)
      effects?.noteRowsChange(table: name)
    default: break
    }
    return SQLITE_OK
  }

  private func refuse(_ message: String, _ hint: String) -> Int32 {
    refusal = Refusal(message: message, hint: hint)
    return SQLITE_DENY
  }

  private static func text(_ name: Name) -> String {
    guard let name else { return "" }
    return String(cString: name)
  }
}
