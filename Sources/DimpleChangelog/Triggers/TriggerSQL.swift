internal import DimpleStore

/// The triggers that track one table, as SQL. Pure: what is in the schema is compared with this, and replaced where it differs.
struct TriggerSQL: Sendable, Equatable {
  /// One trigger.
  struct Trigger: Sendable, Equatable {
    var name: String
    var sql: String
  }

  /// For inserts, updates and deletes.
  let triggers: [Trigger]

  /// Fewer than the 127 arguments that SQLite allows a function by default (https://sqlite.org/limits.html).
  static let maximumArguments = 100

  /// Triggers of a table.
  static let count = 3

  /// What the names of a table's triggers begin with.
  static func prefix(table id: Int64) -> String { "dimple_\(id)_" }

  /// The id in a trigger's name, if it is one of ours.
  static func table(ofTrigger name: String) -> Int64? {
    let parts = name.split(separator: "_", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0] == "dimple", ["insert", "update", "delete"].contains(parts[2]) else { return nil }
    return Int64(parts[1])
  }

  init(_ table: TrackedTable) {
    let writer = TriggerTextWriter(table: table)
    triggers = [
      writer.trigger("insert", writer.insert()), writer.trigger("update", writer.update()),
      writer.trigger("delete", writer.delete()),
    ]
  }
}

private struct TriggerTextWriter {
  let table: TrackedTable

  /// The call packs the change, and its result is 0. So the body is never run; but since it may raise an error, SQLite
  /// keeps what it needs to undo the whole statement should any error end it.
  func trigger(_ event: String, _ call: String) -> TriggerSQL.Trigger {
    let name = TriggerSQL.prefix(table: table.id) + event
    return TriggerSQL.Trigger(
      name: name,
      sql: """
        CREATE TRIGGER \(quote(name)) AFTER \(event.uppercased()) ON \(quote(table.name)) WHEN \(call) \
        BEGIN SELECT RAISE(ABORT, 'untracked'); END
        """)
  }

  func insert() -> String { pack("dimple_insert", table.columns, value: new) }

  func delete() -> String { pack("dimple_delete", table.keepsDeletedValues ? table.columns : [], value: old) }

  private func pack(_ function: String, _ columns: [TrackedColumn], value: (TrackedColumn) -> String) -> String {
    let keys = table.keyColumns.map(value)
    let (first, rest) = chunks(columns, first: TriggerSQL.maximumArguments - 1 - keys.count)
    let call = "\(function)(\(list([shape(first, hasMore: !rest.isEmpty)] + keys + first.map(value))))"
    return rest.enumerated().reduce(call) { inner, chunk in
      let (index, columns) = chunk
      let shape = continuation(columns, hasMore: index < rest.count - 1)
      return "dimple_more(\(list([inner, shape] + columns.map(value))))"
    }
  }

  func update() -> String {
    let keys = table.keyColumns
    let (first, rest) = chunks(
      table.columns, first: (TriggerSQL.maximumArguments - 1) / 2 - keys.count, argumentsEach: 2)
    let values = keys.map(old) + keys.map(new) + first.map(old) + first.map(new)
    let call = "dimple_update(\(list([shape(first, hasMore: !rest.isEmpty)] + values)))"
    return rest.enumerated().reduce(call) { inner, chunk in
      let (index, columns) = chunk
      let shape = continuation(columns, hasMore: index < rest.count - 1)
      return "dimple_update_more(\(list([inner, shape] + columns.map(old) + columns.map(new))))"
    }
  }

  private func shape(_ columns: [TrackedColumn], hasMore: Bool) -> String {
    var flags: TriggerShape.Flags = table.keepsDeletedValues ? .keepsOldValues : []
    if hasMore { flags.insert(.hasMore) }
    return blob(
      TriggerShape(
        table: table.id, keyCount: table.keyColumns.count, flags: flags, columns: columns.map(\.id)
      ).bytes)
  }

  private func continuation(_ columns: [TrackedColumn], hasMore: Bool) -> String {
    blob(TriggerShape.continuation(columns.map(\.id), flags: hasMore ? .hasMore : []))
  }

  /// Columns for a first call and for each further one; the nesting of the calls gives their order.
  private func chunks(
    _ columns: [TrackedColumn], first: Int, argumentsEach: Int = 1
  ) -> (first: [TrackedColumn], rest: [[TrackedColumn]]) {
    let size = (TriggerSQL.maximumArguments - 2) / argumentsEach
    let rest = stride(from: min(first, columns.count), to: columns.count, by: size).map {
      Array(columns[$0..<min($0 + size, columns.count)])
    }
    return (Array(columns.prefix(first)), rest)
  }

  private func old(_ column: TrackedColumn) -> String { "OLD.\(quote(column.name))" }

  /// `NEW`, but for a column that may have changed while this very update ran: SQLite performs the actions of foreign keys
  /// before it fires AFTER triggers, and leaves `NEW` as it was.
  private func new(_ column: TrackedColumn) -> String {
    let value = "NEW.\(quote(column.name))"
    guard mayChange(column), !table.keyColumns.contains(column) else { return value }
    let row = table.keyColumns.map { "\(quote($0.name)) IS NEW.\(quote($0.name))" }.joined(separator: " AND ")
    return "(SELECT \(quote(column.name)) FROM \(quote(table.name)) WHERE \(row))"
  }

  /// By an action of a foreign key of the table to itself, or by a trigger that one of another table sets off.
  private func mayChange(_ column: TrackedColumn) -> Bool {
    table.isWrittenAmidUpdates
      || table.foreignKeys.contains { key in
        key.actsOnUpdate && SQLName(key.parentTable) == SQLName(table.name)
          && key.columns.contains { SQLName($0) == SQLName(column.name) }
      }
  }
}

private func quote(_ name: String) -> String { SQL.quoted(identifier: name) }

private func list(_ arguments: [String]) -> String { arguments.joined(separator: ", ") }

private func blob(_ bytes: [UInt8]) -> String {
  let digits = Array("0123456789abcdef")
  return "x'" + String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }) + "'"
}
