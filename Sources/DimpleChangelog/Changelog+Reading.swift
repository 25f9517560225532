internal import DimpleMutex
package import DimpleStore

extension LocalTransaction {
  /// Takes columns out of the last changes, whose values lie elsewhere.
  fileprivate mutating func leave(_ places: [ReducedPayload.Place], in count: Int) {
    // Backwards, so that the others keep their places. Of a rekey, the first change has the old values.
    for place in places.reversed() {
      let index = changes.count - (count == 2 && place.isOld ? 2 : 1)
      let column = changes[index].columns.remove(at: place.cell)
      large.append(LargeColumn(change: index, name: column.name, value: place.value))
    }
  }
}

/// One local commit, as the log has it.
package struct LocalTransaction: Sendable {
  /// 1, 2, 3 …
  package var number: Int64
  /// In the order they were made.
  package var changes: [Change]
  /// Columns that are in none of the changes, as their values are large; empty unless asked for.
  package var large: [LargeColumn] = []
}

extension Changelog {
  /// The changes made in this database, oldest first. Those that came from other replicas are not among them.
  ///
  /// - Parameters:
  ///   - transaction: Only changes of transactions with a higher number; pass the last one's to read on.
  ///   - limit: Stops after the transaction in which this many changes are reached; a transaction is never cut.
  /// - Throws: ``ChangelogError``: `.historyRemoved` where some of them were removed, unless `transaction` is 0;
  ///   `.damagedLog`, `.notAttached`; `StoreError`.
  public func changes(after transaction: Int64 = 0, limit: Int? = nil) throws -> [Change] {
    try changes(in: database(for: "read the log"), after: transaction, limit: limit)
  }

  /// The same for a database at hand.
  package func changes(in database: Database, after transaction: Int64 = 0, limit: Int? = nil) throws -> [Change] {
    if limit == 0 { return [] }
    return try database.read { connection in
      try checkKept(after: transaction, connection)
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
    _ connection: Connection, after: Int64, naming: LogNaming = .present, _ body: (LocalTransaction) throws -> Bool
  ) throws {
    guard try LogTables.exist(connection) else { return }
    try completeLog(connection)
    try transactions(connection, after: after, names: names(naming, connection), body)
  }

  /// The same with large values left where they are: they are not in memory with their transactions.
  ///
  /// - Parameters:
  ///   - threshold: Longer texts and blobs, in bytes, are left, outside of keys.
  ///   - inspect: Sees each before its transaction, its bytes only inside the call.
  package func transactions(
    _ connection: Connection, after: Int64, naming: LogNaming = .present, leavingLongerThan threshold: Int,
    _ inspect: (LargeValue, UnsafeRawBufferPointer) throws -> Void, _ body: (LocalTransaction) throws -> Bool
  ) throws {
    guard try LogTables.exist(connection) else { return }
    try completeLog(connection)
    try withoutActuallyEscaping(inspect) { inspect in
      try transactions(
        connection, after: after, names: names(naming, connection),
        leaving: LargeValueReading(threshold: threshold, inspect: inspect), body)
    }
  }

  /// The same by names that are at hand.
  func transactions(
    _ connection: Connection, after: Int64, names: LogNameHistory, leaving large: LargeValueReading? = nil,
    _ body: (LocalTransaction) throws -> Bool
  ) throws {
    var reader = LogReader(names: names, identities: try storedIdentities(connection))
    var current: LocalTransaction?
    let statement = try connection.prepare("SELECT hlc, payload FROM dimple_log WHERE hlc >= ? ORDER BY hlc")
    defer { statement.reset() }
    let start = max(after, try keptTransaction(connection) - 1)
    try statement.bind(.integer(LogSearch(connection: connection).firstTime(ofTransactionsAfter: start)), at: 1)
    while try statement.step() {
      let row = try LogTables.entries(statement, leaving: large)
      for (index, entry) in row.entries.enumerated() {
        let changes = try reader.changes(entry.record, at: entry.time)
        if entry.record.transaction == current?.number {
          current?.changes += changes
        } else {
          if let complete = current, try !body(complete) { return }
          current = LocalTransaction(number: entry.record.transaction, changes: changes)
        }
        if !row.places.isEmpty { current?.leave(row.places.filter { $0.entry == index }, in: changes.count) }
      }
    }
    if let complete = current { _ = try body(complete) }
  }

  /// Calls `body` with the log's rows as they are stored, of transactions whose number is higher than `after`, ascending, until
  /// it returns `false`. docs/CHANGELOG_FORMAT.md describes the payload, which is valid inside the call.
  package func payloads(
    _ connection: Connection, after: Int64, _ body: (HybridTime, UnsafeRawBufferPointer) throws -> Bool
  ) throws {
    guard try LogTables.exist(connection) else { return }
    try completeLog(connection)
    let statement = try connection.prepare("SELECT hlc, payload FROM dimple_log WHERE hlc >= ? ORDER BY hlc")
    defer { statement.reset() }
    let start = max(after, try keptTransaction(connection) - 1)
    try statement.bind(.integer(LogSearch(connection: connection).firstTime(ofTransactionsAfter: start)), at: 1)
    while try statement.step() {
      let time = HybridTime(rawValue: statement.int64(0))
      guard try statement.withBytes(1, { try body(time, $0) }) else { return }
    }
  }

  /// The time from which on all changes in the log belong to transactions with a higher number than `transaction`.
  package func time(ofTransactionsAfter transaction: Int64, _ connection: Connection) throws -> HybridTime {
    guard try LogTables.exist(connection) else { return .maximum }
    return HybridTime(rawValue: try LogSearch(connection: connection).firstTime(ofTransactionsAfter: transaction))
  }

  /// The number of the transaction of which one of ``payloads(_:after:_:)`` is.
  package func transaction(ofPayload payload: UnsafeRawBufferPointer, at time: HybridTime) throws -> Int64 {
    do { return try LogRun.summary(of: Array(payload.prefix(LogRun.prefixSize)), at: time.rawValue).transaction } catch
    {
      throw LogTables.damaged(at: time, error)
    }
  }

  /// The number of the first transaction that the log still has; one more than the last where it has none.
  package func firstTransaction(_ connection: Connection) throws -> Int64 {
    guard try LogTables.exist(connection) else { return 1 }
    try completeLog(connection)
    let first = try LogSearch(connection: connection).firstRow(from: 0)?.transaction
    return max(try first ?? lastTransaction(connection) + 1, try keptTransaction(connection))
  }
}

/// Finds a transaction in the log, whose numbers ascend with the times, without an index.
struct LogSearch {
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
    do { return (hlc, try LogRun.summary(of: LogTables.prefix(statement), at: hlc).transaction) } catch {
      throw LogTables.damaged(at: HybridTime(rawValue: hlc), error)
    }
  }
}
