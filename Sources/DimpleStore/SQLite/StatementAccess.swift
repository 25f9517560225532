internal import CSQLite

/// What a statement touches, collected by SQLite's authorizer while it is prepared: its triggers' and foreign key actions'
/// writes included. https://sqlite.org/c3ref/set_authorizer.html
struct StatementAccess {
  var reads = ReadSet()
  var writes: [String: TableChange] = [:]
  var changesSchema = false
  /// The tables that it alters or drops.
  var schemaTargets = SchemaTargets()
  /// Why the authorizer refused it.
  var refusal: String?
  /// The authorizer was asked at all.
  private(set) var isNoted = false

  private static let schemaActions: Set<Int32> = [
    SQLITE_CREATE_INDEX, SQLITE_CREATE_TABLE, SQLITE_CREATE_TRIGGER, SQLITE_CREATE_VIEW, SQLITE_CREATE_VTABLE,
    SQLITE_DROP_INDEX, SQLITE_DROP_TABLE, SQLITE_DROP_TRIGGER, SQLITE_DROP_VIEW, SQLITE_DROP_VTABLE, SQLITE_ALTER_TABLE,
  ]

  /// Takes note of one action; what it returns goes to SQLite.
  mutating func note(
    _ action: Int32, _ first: String?, _ second: String?, schema: String?, trigger: String?, isInternal: Bool
  ) -> Int32 {
    isNoted = true
    switch action {
    case SQLITE_READ:
      if let first { reads.tables[first, default: []].insert(second ?? "") }
    case SQLITE_INSERT, SQLITE_DELETE, SQLITE_UPDATE:
      guard let first, schema != "temp" else { break }
      if !isInternal, trigger == nil, first.hasPrefix("dimple_") {
        return refuse("The table \(first) is the library's own.")
      }
      noteWrite(action, table: first, column: second)
    case SQLITE_TRANSACTION where !isInternal:
      return refuse("Transactions are made by write { } and read { }, not by SQL.")
    case SQLITE_SAVEPOINT where !isInternal:
      return refuse("Savepoints are made by savepoint { }, not by SQL.")
    default:
      guard Self.schemaActions.contains(action), schema != "temp" else { break }
      changesSchema = true
      // ALTER TABLE is told as (database, table), DROP TABLE as (table, nothing).
      if action == SQLITE_ALTER_TABLE, let second { schemaTargets.altered.insert(second) }
      if action == SQLITE_DROP_TABLE, let first { schemaTargets.dropped.insert(first) }
    }
    return SQLITE_OK
  }

  private mutating func refuse(_ reason: String) -> Int32 {
    refusal = reason
    return SQLITE_DENY
  }

  private mutating func noteWrite(_ action: Int32, table: String, column: String?) {
    if table.hasPrefix("sqlite_") || table.hasPrefix("dimple_") { return }
    if action == SQLITE_UPDATE {
      writes[table, default: TableChange()].updatedColumns.insert(column ?? "")
    } else {
      writes[table, default: TableChange()].insertedOrDeleted = true
    }
  }
}

/// The tables at which a change of the schema aims.
package struct SchemaTargets: Sendable, Equatable {
  package var altered: Set<String> = []
  package var dropped: Set<String> = []

  package init() {}
}
