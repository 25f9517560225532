internal import DimpleStore

/// How large a database's log is, and of what: ``Changelog/statistics()``.
public struct ChangelogStatistics: Sendable, Hashable {
  /// One table's part of the log.
  public struct Table: Sendable, Hashable {
    /// The name of now, or the last one of a table that was dropped.
    public var name: String
    /// Whether it was dropped, or is not tracked any more; its changes stay in the log.
    public var isGone: Bool
    /// A changed key is a delete and an insert.
    public var inserts = 0
    /// See ``inserts``.
    public var updates = 0
    /// See ``inserts``.
    public var deletes = 0
    /// What its keys and values take, in bytes, without what surrounds them.
    public var valueBytes = 0
    /// The first and the last change.
    public var times: ClosedRange<HybridTime>

    /// All its changes.
    public var changes: Int { inserts + updates + deletes }
  }

  /// The tables that have changes in the log, the one with the most bytes first.
  public var tables: [Table] = []
  /// The numbers of the first and the last transaction in the log; `nil` if it is empty.
  public var transactions: ClosedRange<Int64>?
  /// The first and the last change; `nil` if there is none.
  public var times: ClosedRange<HybridTime>?
  /// Rows of the log's table.
  public var logRows = 0
  /// What the log's rows hold, in bytes; pages of the file have some more.
  public var logBytes = 0
  /// What the record of merges holds, in bytes.
  public var mergeBytes = 0

  /// All changes in the log.
  public var changes: Int { tables.reduce(0) { $0 + $1.changes } }
}

extension Changelog {
  /// The log's size, by table. Reads the whole log.
  ///
  /// - Throws: ``ChangelogError``: `.damagedLog`, `.notAttached`; `StoreError`.
  public func statistics() throws -> ChangelogStatistics {
    try database(for: "measure the log").read { try statistics($0) }
  }

  /// As the synchronous form, on a thread of the database's own. Cancelling the task ends it.
  public func statistics() async throws -> ChangelogStatistics {
    try await database(for: "measure the log").read { try self.statistics($0) }
  }

  private func statistics(_ connection: Connection) throws -> ChangelogStatistics {
    var statistics = ChangelogStatistics()
    guard try LogTables.exist(connection) else { return statistics }
    (statistics.logRows, statistics.logBytes) = try size("dimple_log", connection)
    if try MergeLog.exists(connection) { statistics.mergeBytes = try size("dimple_merge", connection).bytes }
    let catalog = try CatalogTables(connection: connection).load()
    var tables: [String: ChangelogStatistics.Table] = [:]
    try transactions(connection, after: 0, names: LogNameHistory(catalog.namedByID)) { transaction in
      statistics.transactions = (statistics.transactions?.lowerBound ?? transaction.number)...transaction.number
      for change in transaction.changes {
        let entry = Int64(change.table).flatMap { catalog.tables[$0] }
        var table =
          tables[change.table]
          ?? ChangelogStatistics.Table(
            name: entry?.name ?? "", isGone: entry?.state.isTracked != true,
            times: change.stamp.time...change.stamp.time)
        table.add(change)
        tables[change.table] = table
      }
      return true
    }
    statistics.tables = tables.values.sorted { ($1.valueBytes, $0.name) < ($0.valueBytes, $1.name) }
    if let first = statistics.tables.map(\.times.lowerBound).min(),
      let last = statistics.tables.map(\.times.upperBound).max()
    {
      statistics.times = first...last
    }
    return statistics
  }

  private func size(_ table: String, _ connection: Connection) throws -> (rows: Int, bytes: Int) {
    let statement = try connection.prepare("SELECT count(*), total(length(payload)) FROM \(table)")
    defer { statement.reset() }
    guard try statement.step() else { return (0, 0) }
    return (Int(statement.int64(0)), Int(statement.double(1)))
  }
}

extension ChangelogStatistics.Table {
  fileprivate mutating func add(_ change: Change) {
    switch change.operation {
    case .insert: inserts += 1
    case .update: updates += 1
    case .delete: deletes += 1
    }
    var writer = ByteWriter()
    for value in change.key { writer.value(value) }
    for column in change.columns { writer.value(column.value) }
    valueBytes += writer.bytes.count
    times = min(times.lowerBound, change.stamp.time)...max(times.upperBound, change.stamp.time)
  }
}
