public import DimpleStore

#if canImport(FoundationEssentials)
  internal import FoundationEssentials
#else
  internal import Foundation
#endif

/// Proves that a database of every version that was ever released becomes one of today's.
///
/// ```swift
/// @Test func everyOldDatabaseMigrates() throws {
///   let history = SchemaHistory(migrations)
///   try history.verify(recordedIn: "Tests/Schemas")
///   try history.verify { name, old in
///     if name == "create Todo" { try old.execute("INSERT INTO Todo (id, text) VALUES ('1', 'old')") }
///   } then: { _, new in
///     #expect(try new.queryOne(String.self, "SELECT text FROM Todo") ?? "old" == "old")
///   }
/// }
/// ```
public struct SchemaHistory: Sendable {
  private let migrations: [Migration]
  private let configuration: Configuration

  /// The migrations as the app has them today, and how it opens the database.
  public init(_ migrations: [Migration], configuration: Configuration = Configuration()) {
    self.migrations = migrations
    self.configuration = configuration
  }

  /// A migration did not do what it had to.
  public struct Failure: Error, Sendable, CustomStringConvertible {
    /// The version that it began with, by its last migration.
    public let version: String
    /// What is wrong, and what to do.
    public let description: String
  }

  /// For each version: makes a database as that version left it, fills it, migrates it to today's, and compares its schema
  /// with a new one's. Then looks for damage and for rows without their parents.
  ///
  /// - Parameters:
  ///   - fill: gets the version's last migration's name, and the database; puts rows of that time in it.
  ///   - then: gets the same name, and the migrated database; expects what should have become of the rows.
  /// - Throws: ``Failure``; what a migration or the closures threw.
  public func verify(
    fill: (_ version: String, Database) throws -> Void = { _, _ in },
    then: (_ version: String, Database) throws -> Void = { _, _ in }
  ) throws {
    let expected = try SchemaHistory.schema(of: .inMemory(configuration: configuration, migrations: migrations))
    for (index, last) in migrations.enumerated() {
      let folder = try TemporaryFolder()
      let path = folder.path("history.db")
      let old = try Database(path, configuration: configuration, migrations: Array(migrations[...index]))
      try fill(last.name, old)
      try old.close()
      let new = try Database(path, configuration: configuration, migrations: migrations)
      let found = try SchemaHistory.schema(of: new)
      guard found == expected else {
        throw Failure(version: last.name, description: "'\(last.name)' becomes\n\(found)\ninstead of\n\(expected)")
      }
      if let damage = try new.integrityCheck().first {
        throw Failure(version: last.name, description: "'\(last.name)' is damaged after migrating: \(damage)")
      }
      if let row = try new.rows("PRAGMA foreign_key_check").first {
        throw Failure(version: last.name, description: "'\(last.name)' has rows without their parents in \(row[0])")
      }
      try then(last.name, new)
      try new.close()
    }
  }

  /// Compares each version's schema with the one recorded in a folder when it was released, so that an edit of a migration
  /// in code, which has no checksum, does not pass unnoticed.
  ///
  /// - Throws: ``Failure`` if one differs or was never recorded.
  public func verify(recordedIn folder: String) throws {
    for (index, last) in migrations.enumerated() {
      let database = try Database.inMemory(
        configuration: configuration, migrations: Array(migrations[...index]))
      let schema = try SchemaHistory.schema(of: database)
      let path = "\(folder)/\(last.name).sql"
      guard FileManager.default.fileExists(atPath: path) else {
        throw Failure(version: last.name, description: "No schema is recorded in \(path). Call record(in:) once.")
      }
      let recorded = try String(contentsOfFile: path, encoding: .utf8)
      guard recorded == schema else {
        throw Failure(
          version: last.name, description: "'\(last.name)' now gives\n\(schema)\nbut was released as\n\(recorded)")
      }
    }
  }

  /// Records the schema of each version that has no record yet, in a file of its name. The folder must exist.
  public func record(in folder: String) throws {
    for (index, last) in migrations.enumerated() {
      let path = "\(folder)/\(last.name).sql"
      guard !FileManager.default.fileExists(atPath: path) else { continue }
      let database = try Database.inMemory(
        configuration: configuration, migrations: Array(migrations[...index]))
      try Data(SchemaHistory.schema(of: database).utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
    }
  }

  /// A database's schema as SQL, the store's own tables and triggers left out.
  public static func schema(of database: Database) throws -> String {
    try database.query(
      String.self,
      """
      SELECT sql || ';' FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'dimple~_%' ESCAPE '~'
      AND name NOT LIKE 'sqlite~_%' ESCAPE '~' ORDER BY type = 'table' DESC, type, name
      """
    ).joined(separator: "\n") + "\n"
  }
}
