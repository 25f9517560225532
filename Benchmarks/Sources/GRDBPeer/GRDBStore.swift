import GRDB
import Samples

/// The same jobs as GRDB's documentation does them: records, Codable, a pool.
package final class GRDBStore: Sendable {
  let pool: DatabasePool

  /// - Parameter creating: the statement that creates the table; `nil` if the file has it.
  package init(path: String, creating createTable: String?, readerCount: Int? = nil) throws {
    var configuration = GRDB.Configuration()
    if let readerCount { configuration.maximumReaderCount = readerCount }
    pool = try DatabasePool(path: path, configuration: configuration)
    if let createTable { try pool.write { try $0.execute(sql: createTable) } }
  }

  package func execute(_ sql: String) throws { try pool.write { try $0.execute(sql: sql) } }

  package func executeAsync(_ sql: String) async throws { try await pool.write { try $0.execute(sql: sql) } }

  /// A transaction each.
  package func writeEachKey(_ keys: [Int64], _ sql: String) throws -> Int {
    for key in keys { try pool.write { try $0.execute(sql: sql, arguments: [key]) } }
    return keys.count
  }

  /// A transaction each.
  package func writeEachKeyAsync(_ keys: [Int64], _ sql: String) async throws -> Int {
    for key in keys { try await pool.write { try $0.execute(sql: sql, arguments: [key]) } }
    return keys.count
  }
}
