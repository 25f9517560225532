/// What a query reads: tables by their names in the schema, and of each the columns.
///
/// From SQLite's authorizer, so views, subqueries and triggers are seen through. The column `""` says that rows are
/// counted without a column being read.
package struct ReadSet: Sendable, Hashable {
  /// Columns by table.
  package var tables: [String: Set<String>]

  /// From its parts.
  package init(tables: [String: Set<String>] = [:]) { self.tables = tables }
}
