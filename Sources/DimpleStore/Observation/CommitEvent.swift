/// What one committed transaction changed.
///
/// An over-estimate, never an under-estimate: statements are known by the columns they assign, not by the values.
package struct CommitEvent: Sendable, Hashable {
  /// Changes by the table's name in the schema; tables that begin with `dimple_` are left out.
  package var tables: [String: TableChange]
  /// Another process, or another `Database` of the same file, committed: anything may have changed but the tables of
  /// ``knownTables``.
  package var isExternal: Bool
  /// Of an external commit, the tables of which ``tables`` says all that may have changed, by their names in the schema.
  package var knownTables: Set<String>
  /// The schema changed: any query may read differently.
  package var changesSchema: Bool

  /// From its parts.
  package init(
    tables: [String: TableChange] = [:], isExternal: Bool = false, knownTables: Set<String> = [],
    changesSchema: Bool = false
  ) {
    self.tables = tables
    self.isExternal = isExternal
    self.knownTables = knownTables
    self.changesSchema = changesSchema
  }

  /// Whether the schema is another now, or may be: then a query may read other tables than before.
  package var mayChangeSchema: Bool { changesSchema || isExternal && knownTables.isEmpty }

  /// Whether a query that reads `set` may have a new result.
  package func touches(_ set: ReadSet) -> Bool {
    if mayChangeSchema { return true }
    for (table, columns) in set.tables {
      if isExternal, !knownTables.contains(table) { return true }
      guard let change = tables[table] else { continue }
      if change.insertedOrDeleted || !change.updatedColumns.isDisjoint(with: columns) { return true }
    }
    return false
  }
}
