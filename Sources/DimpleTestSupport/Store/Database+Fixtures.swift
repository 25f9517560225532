public import DimpleStore

#if canImport(FoundationEssentials)
  internal import FoundationEssentials
#else
  internal import Foundation
#endif

extension Database {
  /// A fresh database in memory with the schema and some rows, for a test or a preview:
  ///
  /// ```swift
  /// let db = try Database.fixture(migrations, "INSERT INTO Todo (id, text) VALUES ('1', 'milk')")
  /// ```
  ///
  /// - Parameters:
  ///   - migrations: as the app has them.
  ///   - scripts: statements to run afterwards, all in one transaction.
  /// - Throws: ``StoreError`` of a migration or of a script.
  public static func fixture(
    _ migrations: [Migration] = [], configuration: Configuration = Configuration(), _ scripts: SQL...
  ) throws -> Database {
    let database = try Database.inMemory(configuration: configuration, migrations: migrations)
    try database.write { connection in
      for script in scripts { try connection.script(script) }
    }
    return database
  }

  /// As the form with SQL, the statements being those of UTF-8 files.
  ///
  /// - Throws: ``StoreError``; what the file system says.
  public static func fixture(
    _ migrations: [Migration] = [], configuration: Configuration = Configuration(), files: [String]
  ) throws -> Database {
    let database = try Database.inMemory(configuration: configuration, migrations: migrations)
    let scripts = try files.map { try String(contentsOfFile: $0, encoding: .utf8) }
    try database.write { connection in
      for script in scripts { try connection.script(SQL(raw: script)) }
    }
    return database
  }

  /// Throws unless the query returns just these rows, in this order, type for type: `try` it in a test of any framework.
  ///
  /// ```swift
  /// try db.expect("SELECT text, completed FROM Todo ORDER BY text", [["bread", 1], ["milk", 0]])
  /// ```
  ///
  /// - Throws: ``QueryMismatch``, which shows both; ``StoreError`` of the query.
  public func expect(_ sql: SQL, _ rows: [[any SQLConvertible]]) throws {
    let expected = rows.map { $0.map(\.sqlValue) }
    let found = try self.rows(sql).map { row in row.columnNames.indices.map { row[$0] } }
    guard found == expected else { throw QueryMismatch(sql: sql.text, expected: expected, found: found) }
  }
}

/// A query returned other rows than a test expected. Shows values: it is for tests.
public struct QueryMismatch: Error, Sendable, CustomStringConvertible {
  /// The query.
  public let sql: String
  /// What should have been.
  public let expected: [[SQLValue]]
  /// What was.
  public let found: [[SQLValue]]

  /// Both, the rows that differ marked.
  public var description: String {
    let lines = (0..<max(expected.count, found.count)).map { index -> String in
      let wanted = index < expected.count ? "\(expected[index])" : "no row"
      let got = index < found.count ? "\(found[index])" : "no row"
      return wanted == got ? "  \(got)" : "! \(got), expected \(wanted)"
    }
    return "\(sql)\n" + lines.joined(separator: "\n")
  }
}
