internal import DimpleChangelog
internal import DimpleMutex
internal import DimpleStore

/// The schema as merges see it, read again only when it has changed.
///
/// What a merge reads may give names their numbers, in its transaction: it counts only once that is committed.
final class MergeSchemaCache: Sendable {
  struct Entry: Sendable {
    /// SQLite's.
    var version: Int64
    /// The names' numbers were these.
    var renames: Int64?
    var schema: MergeSchema
  }

  private let rowsPerStatement: Int
  private let entry = Mutex<Entry?>(nil)

  /// - Parameter rowsPerStatement: See ``MergeSchema/rowsPerStatement``.
  init(rowsPerStatement: Int) { self.rowsPerStatement = rowsPerStatement }

  /// As it was when it was last remembered.
  var known: MergeSchema? { entry.withLock { $0?.schema } }

  /// The schema, inside a merge transaction.
  func load(_ connection: Connection, _ changelog: Changelog) throws -> Entry {
    let version = try connection.schemaVersion()
    let renames = try SyncSetting.renames.integer(connection)
    if let known = entry.withLock({ $0 }), known.version == version, known.renames == renames { return known }
    var names = try NameTable(connection)
    let schema = try MergeSchema(
      changelog.trackedTables(connection), names: &names, enforcesForeignKeys: connection.enforcesForeignKeys,
      rowsPerStatement: rowsPerStatement, connection)
    return Entry(version: version, renames: renames, schema: schema)
  }

  /// The transaction that loaded it is committed.
  func remember(_ loaded: Entry) { entry.withLock { $0 = loaded } }
}
