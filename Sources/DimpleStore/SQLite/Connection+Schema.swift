internal import CSQLite

/// The tables that a schema change is about.
package struct SchemaTargets: Sendable, Equatable {
  /// By ALTER TABLE.
  package var altered: Set<String> = []
  /// By DROP TABLE.
  package var dropped: Set<String> = []
}

extension Connection {
  /// The collating sequence that a column was declared with.
  package func collation(ofColumn column: String, in table: String) -> String {
    var name: UnsafePointer<CChar>?
    let code = sqlite3_table_column_metadata(handle, "main", table, column, nil, &name, nil, nil, nil)
    return code == SQLITE_OK ? name.map { String(cString: $0) } ?? "BINARY" : "BINARY"
  }

  /// Whether foreign keys are enforced on this connection by its configuration.
  package var enforcesForeignKeys: Bool { configuration.foreignKeys }
}
