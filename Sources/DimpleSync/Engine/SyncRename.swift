internal import DimpleStore

/// A table or column that has another name than in an earlier version of the app: what devices with that version write under
/// the old name belongs to the new one. See ``SyncEngine/Options/renames``.
public struct SyncRename: Sendable, Hashable {
  /// `nil` for a table itself.
  let table: String?
  let old: String
  let new: String

  /// A table was renamed. Names are compared as they are written.
  public static func table(_ old: String, to new: String) -> SyncRename { SyncRename(table: nil, old: old, new: new) }

  /// A column was renamed, in the table that has this name now.
  public static func column(_ old: String, to new: String, of table: String) -> SyncRename {
    SyncRename(table: table, old: old, new: new)
  }
}

extension SyncEngine.Options {
  /// SQLite compares names of tables without regard to ASCII case. A table that is left out is so by its former names, too.
  var leavesOutKeys: Set<String> {
    var keys = Set(leavesOut.map { $0.lowercased() })
    for rename in renames.reversed() where rename.table == nil && keys.contains(rename.new.lowercased()) {
      keys.insert(rename.old.lowercased())
    }
    return keys
  }
}
