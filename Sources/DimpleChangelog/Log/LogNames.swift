package import DimpleStore

/// Which names tables and columns have that were renamed since a transaction.
package enum LogNaming: Sendable {
  /// Those of now.
  case present
  /// Those at the transaction's commit, as others know them.
  case asOfCommit
}

/// The names of what payloads tell by numbers, for some transactions. What is gone has its last name.
package struct LogNames: Sendable {
  /// The transactions.
  package let range: ClosedRange<Int64>
  /// By the table's id.
  package let tables: [Int64: String]
  /// By the table's id, then the column's.
  package let columns: [Int64: [Int64: String]]

  fileprivate init(_ catalog: Catalog, _ range: ClosedRange<Int64>) {
    self.range = range
    tables = catalog.tables.mapValues(\.name)
    columns = catalog.tables.mapValues { table in
      Dictionary(table.columns.map { ($0.id, $0.name) }) { first, _ in first }
    }
  }
}

/// The names of all transactions.
package struct LogNameHistory: Sendable {
  private let catalog: Catalog
  private let former: FormerNames

  /// - Parameter former: Without, the catalogue's names are those of all.
  init(_ catalog: Catalog, _ former: FormerNames = FormerNames()) {
    self.catalog = catalog
    self.former = former
  }

  /// The names of a transaction, and of its neighbours as far as theirs are the same.
  package func names(of transaction: Int64) -> LogNames {
    if former.isEmpty { return LogNames(catalog, 0...Int64.max) }
    let ends = former.lastTransactions
    let first = ends.last { $0 < transaction }.map { $0 + 1 } ?? 0
    return LogNames(
      former.apply(to: catalog, of: transaction), first...max(first, ends.first { $0 >= transaction } ?? .max))
  }

  /// The names of now.
  package var present: LogNames { names(of: .max) }

  /// The names of every transaction, from the first on.
  package var all: [LogNames] { (former.lastTransactions + [.max]).map(names) }
}

extension Changelog {
  /// What the tables and columns in the log's payloads are called by others: each transaction's names are those at its commit.
  package func logNames(_ connection: Connection) throws -> LogNameHistory {
    guard try LogTables.exist(connection) else { return LogNameHistory(Catalog()) }
    return try names(.asOfCommit, connection)
  }

  func names(_ naming: LogNaming, _ connection: Connection) throws -> LogNameHistory {
    let catalog = try CatalogTables(connection: connection).load()
    return switch naming {
    case .present: LogNameHistory(catalog)
    case .asOfCommit: LogNameHistory(catalog, try FormerNames(connection))
    }
  }
}
