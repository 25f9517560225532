public import DimpleStore

/// One local commit, as the log has it.
package struct LocalTransaction: Sendable {
  /// 1, 2, 3 …
  package var number: Int64
  /// In the order they were made.
  package var changes: [Change]
}

extension Changelog {
  /// The changes made in this database, oldest first.
  ///
  /// - Parameters:
  ///   - transaction: Only those of transactions with a higher number.
  ///   - limit: At most this many.
  /// - Throws: ``ChangelogError/Code/damagedLog``; `StoreError`.
  public func changes(
    in database: Database, after transaction: Int64 = 0, limit: Int? = nil
  ) throws -> [Change] {
    try database.read { connection in
      var changes: [Change] = []
      try transactions(connection, after: transaction) { local in
        changes += local.changes
        return limit.map { changes.count < $0 } ?? true
      }
      return limit.map { Array(changes.prefix($0)) } ?? changes
    }
  }

  /// Calls `body` with every transaction whose number is higher than `after`, ascending, until it returns `false`. One is in
  /// memory at a time.
  package func transactions(
    _ connection: Connection, after: Int64, _ body: (LocalTransaction) throws -> Bool
  ) throws {
    guard try LogTables.exist(connection) else { return }
    let start = try LogSearch(connection).firstTime(ofTransactionsAfter: after)
    let names = try LogNames(connection)
    let replica = replicaID
    var current: LocalTransaction?
    let statement = try connection.prepare("SELECT hlc, payload FROM dimple_log WHERE hlc >= ? ORDER BY hlc")
    defer { statement.reset() }
    try statement.bind(.integer(start), at: 1)
    while try statement.step() {
      let payload = try LogPayload(statement.bytes(1))
      let changes = names.changes(payload, at: HybridTime(rawValue: statement.int64(0)), replica)
      if payload.transaction == current?.number {
        current?.changes += changes
      } else {
        if let complete = current, try !body(complete) { return }
        current = LocalTransaction(number: payload.transaction, changes: changes)
      }
    }
    if let complete = current { _ = try body(complete) }
  }
}

/// Finds a transaction in the log, whose numbers ascend with the times, without an index.
private struct LogSearch {
  let connection: Connection

  init(_ connection: Connection) { self.connection = connection }

  /// The time from which on all rows belong to transactions with a number higher than `number`.
  func firstTime(ofTransactionsAfter number: Int64) throws -> Int64 {
    if number <= 0 { return 0 }
    var low: Int64 = 0
    var high = HybridTime.maximum.rawValue
    // low is at or before, high after the first row of a later transaction.
    while low < high {
      let middle = low + (high - low) / 2
      guard let row = try firstRow(from: middle) else {
        high = middle
        continue
      }
      if row.transaction > number { high = middle } else { low = row.time + 1 }
    }
    return low
  }

  private func firstRow(from time: Int64) throws -> (time: Int64, transaction: Int64)? {
    let statement = try connection.prepare("SELECT hlc, payload FROM dimple_log WHERE hlc >= ? ORDER BY hlc LIMIT 1")
    defer { statement.reset() }
    try statement.bind(.integer(time), at: 1)
    guard try statement.step() else { return nil }
    return (statement.int64(0), try LogPayload(statement.bytes(1)).transaction)
  }
}

/// Names for ids, also of what was dropped since.
private struct LogNames {
  private var tables: [Int64: String] = [:]
  private var columns: [Int64: String] = [:]

  init(_ connection: Connection) throws {
    for row in try connection.rows("SELECT id, name FROM dimple_table") {
      tables[try row.get("id")] = try row.get("name") as String
    }
    for row in try connection.rows("SELECT id, name FROM dimple_column") {
      columns[try row.get("id")] = try row.get("name") as String
    }
  }

  /// One change, or for a rekey two.
  func changes(_ payload: LogPayload, at time: HybridTime, _ replica: ReplicaID) -> [Change] {
    func change(_ operation: Change.Operation, _ key: [SQLValue], _ time: HybridTime, hasColumns: Bool) -> Change {
      Change(
        stamp: Stamp(time: time, replica: replica), transaction: payload.transaction,
        table: tables[payload.table] ?? "?", key: key, operation: operation,
        columns: hasColumns
          ? payload.columns.map { ColumnValue(name: columns[$0.id] ?? "?", value: $0.value) } : [])
    }
    return switch payload.operation {
    case .insert: [change(.insert, payload.key, time, hasColumns: true)]
    case .update: [change(.update, payload.key, time, hasColumns: true)]
    case .delete: [change(.delete, payload.key, time, hasColumns: true)]
    case .rekey:
      [
        change(.delete, payload.key, HybridTime(rawValue: time.rawValue - 1), hasColumns: false),
        change(.insert, payload.newKey, time, hasColumns: true),
      ]
    }
  }
}

extension HybridTime {
  /// 60 bits.
  package static let maximum = HybridTime(rawValue: 1 << 60 - 1)
}

extension Database {
  /// The change log of a database opened with tracking; `nil` for the store alone.
  public var changelog: Changelog? { `extension`(Changelog.self) }
}
