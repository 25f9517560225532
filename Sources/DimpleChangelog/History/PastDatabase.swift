public import DimpleStore

/// The tables of a database as they were at a moment, in memory, to be queried with plain SQL: what
/// ``DimpleStore/Database/asOf(_:tables:)`` returns.
///
/// Tables have the names and stored columns of now, with their types, collations and primary keys; functions, aggregates
/// and collations of the configuration are there. Constraints, indexes, generated columns, views and triggers are not.
/// Nothing can be written.
///
/// `Sendable`: use it from any thread and any task; its reads take turns. It stays as it is, and goes with the last
/// reference to it.
public final class PastDatabase: Sendable {
  /// The last of the database's own transactions that it shows.
  public let transaction: Int64
  /// The names of its tables.
  public let tables: [String]
  private let database: Database

  init(transaction: Int64, tables: [String], database: Database) {
    self.transaction = transaction
    self.tables = tables
    self.database = database
  }

  /// Reads, on this thread. The closure may not write.
  public func read<T>(_ body: (Connection) throws -> T) throws -> T { try database.read(body) }

  /// Reads, on a thread of its own. Cancelling the task interrupts the query and throws `CancellationError`.
  public func read<T: Sendable>(_ body: @escaping @Sendable (Connection) throws -> T) async throws -> T {
    try await database.read(body)
  }
}

/// It is asked as any database is.
extension PastDatabase: Queryable, AsyncQueryable {
  /// As `read`.
  public func withConnection<T>(_ body: (Connection) throws -> T) throws -> T { try database.withConnection(body) }

  /// As `read`.
  public func withConnection<T: Sendable>(_ body: @escaping @Sendable (Connection) throws -> T) async throws -> T {
    try await database.withConnection(body)
  }
}

extension Database {
  /// The database as it was at a moment.
  ///
  /// ```swift
  /// let past = try db.asOf(.time(Date.now - 3600))
  /// let todos = try past.query(Todo.self, "SELECT * FROM Todo WHERE NOT completed")
  /// ```
  ///
  /// Made by copying what the tables show now and taking back what has changed since, which the log tells: so the result is
  /// in memory whole, and the cost is that of reading the tables asked for and the log from the moment on, and of
  /// searching the log before it for what these changes replaced.
  ///
  /// The schema is that of now: a column that came later holds its default, and a table that is gone is not there. Rows that
  /// were in a table before it was tracked are there from their adoption on. Tables that are not tracked have no past.
  /// docs/HISTORY.md has the limits.
  ///
  /// - Parameters:
  ///   - moment: A transaction, a time or a change.
  ///   - tables: The tables wanted, in any case; all tracked ones if `nil`.
  /// - Throws: ``ChangelogError``: `.noSuchMoment`; `.historyRemoved` where the log does not reach back to it;
  ///   `.foreignHistoryUnknown` where it depends on values of other replicas that were not kept; `.unknownTable`;
  ///   `.notAttached` without tracking; `.damagedLog`. `StoreError`.
  public func asOf(_ moment: PastMoment, tables: Set<String>? = nil) throws -> PastDatabase {
    let changelog = try requireChangelog(for: HistoryPoint.operation)
    return try read { try PastBuilder(changelog, $0, moment, tables).build(like: configuration) }
  }

  /// As the synchronous form, on a thread of the database's own. Cancelling the task ends it.
  public func asOf(_ moment: PastMoment, tables: Set<String>? = nil) async throws -> PastDatabase {
    let changelog = try requireChangelog(for: HistoryPoint.operation)
    let configuration = configuration
    return try await read { try PastBuilder(changelog, $0, moment, tables).build(like: configuration) }
  }

  func requireChangelog(for operation: String) throws -> Changelog {
    if let changelog { return changelog }
    throw ChangelogError(
      .notAttached, operation: operation, message: "The database was opened without change tracking.",
      hint: "Open it with Database.open, or with `Configuration().tracking()`.")
  }
}
