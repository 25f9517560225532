internal import DimpleMutex
package import DimpleStore

/// One local commit, as the log has it.
package struct LocalTransaction: Sendable {
  /// 1, 2, 3 …
  package var number: Int64
  /// In the order they were made.
  package var changes: [Change]
}

extension Changelog {
  /// The changes made in this database, oldest first. Those that came from other replicas are not among them.
  ///
  /// - Parameters:
  ///   - transaction: Only changes of transactions with a higher number; pass the last one's to read on.
  ///   - limit: Stops after the transaction in which this many changes are reached; a transaction is never cut.
  /// - Throws: ``ChangelogError``: `.damagedLog`, `.notAttached`; `StoreError`.
  public func changes(after transaction: Int64 = 0, limit: Int? = nil) throws -> [Change] {
    try changes(in: database(for: "read the log"), after: transaction, limit: limit)
  }

  /// The same for a database at hand.
  package func changes(in database: Database, after transaction: Int64 = 0, limit: Int? = nil) throws -> [Change] {
    if limit == 0 { return [] }
    return try database.read { connection in
      var changes: [Change] = []
      try transactions(connection, after: transaction) { local in
        changes += local.changes
        return limit.map { changes.count < $0 } ?? true
      }
      return changes
    }
  }

  /// Calls `body` with every transaction whose number is higher than `after`, ascending, until it returns `false`. One is in
  /// memory at a time.
  package func transactions(
    _ connection: Connection, after: Int64, _ body: (LocalTransaction) throws -> Bool
  ) throws {
    guard try LogTables.exist(connection) else { return }
    try transactions(
      connection, after: after, names: CatalogTables(connection: connection).load(), body)
  }

  /// The same, tables and columns called what a catalogue calls them.
  func transactions(
    _ connection: Connection, after: Int64, names catalog: Catalog, _ body: (LocalTransaction) throws -> Bool
  ) throws {
    let reader = LogReader(catalog: catalog, identities: try storedIdentities(connection))
    var current: LocalTransaction?
    let statement = try connection.prepare("SELECT hlc, payload FROM dimple_log WHERE hlc >= ? ORDER BY hlc")
    defer { statement.reset() }
    try statement.bind(.integer(LogSearch(connection: connection).firstTime(ofTransactionsAfter: after)), at: 1)
    while try statement.step() {
      let time = HybridTime(rawValue: statement.int64(0))
      let record: LogRecord
      do { record = try LogRecord(payload: statement.bytes(1)) } catch { throw LogTables.damaged(at: time, error) }
      let changes = try reader.changes(record, at: time)
      if record.transaction == current?.number {
        current?.changes += changes
      } else {
        if let complete = current, try !body(complete) { return }
        current = LocalTransaction(number: record.transaction, changes: changes)
      }
    }
    if let complete = current { _ = try body(complete) }
  }

  /// The number of the first transaction that the log still has; one more than the last where it has none.
  package func firstTransaction(_ connection: Connection) throws -> Int64 {
    try LogSearch(connection: connection).firstRow(from: 0)?.transaction ?? lastTransaction(connection) + 1
  }

  /// The time from which on all rows belong to transactions with a number higher than `number`.
  func firstTime(ofTransactionsAfter number: Int64, _ connection: Connection) throws -> Int64 {
    try LogSearch(connection: connection).firstTime(ofTransactionsAfter: number)
  }
}

/// Finds a transaction in the log, whose numbers ascend with the times, without an index.
private struct LogSearch {
  let connection: Connection

  /// The time from which on all rows belong to transactions with a number higher than `number`.
  func firstTime(ofTransactionsAfter number: Int64) throws -> Int64 {
    if number <= 0 { return 0 }
    guard let newest = try LogTables.newest(connection), newest.transaction > number else {
      return HybridTime.maximum.rawValue
    }
    var low: Int64 = 0
    var high = newest.time.rawValue
    // low is at or before, high at or after the first row of a later transaction.
    while low < high {
      let middle = low + (high - low) / 2
      guard let row = try firstRow(from: middle), row.transaction <= number else {
        high = middle
        continue
      }
      low = row.time + 1
    }
    return low
  }

  func firstRow(from time: Int64) throws -> (time: Int64, transaction: Int64)? {
    let statement = try connection.prepare("SELECT hlc, payload FROM dimple_log WHERE hlc >= ? ORDER BY hlc LIMIT 1")
    defer { statement.reset() }
    try statement.bind(.integer(time), at: 1)
    guard try statement.step() else { return nil }
    let hlc = statement.int64(0)
    do { return (hlc, try LogRecord.transaction(ofPayload: statement.bytes(1))) } catch {
      throw LogTables.damaged(at: HybridTime(rawValue: hlc), error)
    }
  }
}
