package import DimpleStore

/// The schema, the ids and what follows from both, as one transaction sees them.
struct TrackedSchema: Sendable {
  /// `PRAGMA schema_version`; it rises with every change of the schema and falls back with a rollback.
  var version: Int64
  var snapshot: SchemaSnapshot
  var catalog: Catalog
  private(set) var tables: [TrackedTable]

  init(version: Int64, snapshot: SchemaSnapshot, catalog: Catalog) {
    self.version = version
    self.snapshot = snapshot
    self.catalog = catalog
    tables = TrackedTable.all(catalog, in: snapshot)
  }

  /// Reads all of it.
  static func load(_ reader: SchemaReader, reusing old: TrackedSchema?) throws -> TrackedSchema {
    TrackedSchema(
      version: try reader.connection.schemaVersion(),
      snapshot: try reader.snapshot(reusing: old?.snapshot ?? SchemaSnapshot()),
      catalog: try CatalogTables(connection: reader.connection).load())
  }
}

extension Connection {
  /// Rises with every change of the schema, by whomever.
  package func schemaVersion() throws -> Int64 { try pragma("PRAGMA schema_version") }

  /// Changes when another connection, of this process or another, has committed.
  func dataVersion() throws -> Int64 { try pragma("PRAGMA data_version") }

  private func pragma(_ sql: String) throws -> Int64 {
    let statement = try prepare(sql)
    defer { statement.reset() }
    return try statement.step() ? statement.int64(0) : 0
  }
}
