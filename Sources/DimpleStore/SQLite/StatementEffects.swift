/// What a statement reads and writes, its triggers and foreign key actions included, as the authorizer told while it was
/// compiled. https://sqlite.org/c3ref/set_authorizer.html
final class StatementEffects {
  /// Compiled inside `withInternalAccess`: may write the store's own tables, and its schema changes are its own.
  let isInternal: Bool
  /// Columns by table.
  var reads: [String: Set<String>] = [:]
  /// Changes by table.
  var writes: [String: TableChange] = [:]
  /// Creates, alters or drops something outside the temporary schema.
  var changesSchema = false
  /// Asks for a setting: SQLite does not count all of these as reading only.
  var asksForSetting = false
  /// Reads tables of the store's own, and is not the store's.
  var readsOwnTables = false
  /// Its text mentions `FAIL`.
  var mayFail = false
  /// Tables the statement drops; their triggers go with them.
  var droppedTables: Set<String> = []
  /// Tables the statement alters.
  var alteredTables: Set<String> = []
  /// The epoch of ``PendingChanges`` in which the writes were last noted.
  var notedInEpoch: UInt64 = 0

  init(isInternal: Bool) { self.isInternal = isInternal }

  func noteRead(table: String, column: String) {
    if !isInternal, ReservedNames.contains(table) { readsOwnTables = true }
    reads[table, default: []].insert(column)
  }

  func noteRowsChange(table: String) {
    guard !StatementEffects.isHidden(table) else { return }
    writes[table, default: TableChange()].insertedOrDeleted = true
  }

  func noteUpdate(table: String, column: String) {
    guard !StatementEffects.isHidden(table) else { return }
    // A table with an INTEGER PRIMARY KEY reports reads of the rowid under that column's name, but `SET rowid` as ROWID.
    if column == "ROWID" { noteRowsChange(table: table) }
    writes[table, default: TableChange()].updatedColumns.insert(column)
  }

  /// An `OR REPLACE` removes rows without the authorizer being told.
  func countUpdatesAsRowChanges() {
    for table in writes.keys { writes[table]?.insertedOrDeleted = true }
  }

  /// SQLite's own tables and the store's are in nobody's results.
  private static func isHidden(_ table: String) -> Bool {
    table.hasPrefix("sqlite_") || ReservedNames.contains(table)
  }
}

/// Names that belong to the store: everything that begins with `dimple_`, in any case.
enum ReservedNames {
  static let prefix = "dimple_"

  static func contains(_ name: String) -> Bool {
    let bytes = name.utf8
    guard bytes.count >= prefix.utf8.count else { return false }
    return zip(bytes, prefix.utf8).allSatisfy { byte, expected in
      byte == expected || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) && byte | 0x20 == expected
    }
  }
}
