internal import DimpleStore

/// The triggers that track one table. Each carries all it needs to know of the table as a constant, so that it is right on
/// every connection, whatever another process has done to the schema.
///
/// SQLite passes at most 127 arguments to a function (https://sqlite.org/limits.html): the columns of wide tables are
/// handed over in several calls. All calls stand in WHEN, joined by `|`, which does not short-circuit.
struct TriggerBuilder {
  private static let maximumArguments = 100

  let table: TrackedTable

  static func name(_ table: Int64, _ event: String) -> String { "dimple_\(table)_\(event)" }

  /// Name and SQL of each trigger.
  var triggers: [(name: String, sql: String)] {
    [
      trigger("insert", condition: calls("dimple_insert", row: "NEW", table.columns)),
      trigger("update", condition: updateCalls),
      trigger("delete", condition: calls("dimple_delete", row: "OLD", table.isParent ? table.columns : [])),
    ].map { ($0.0, $0.1) }
  }

  private func trigger(_ event: String, condition: String) -> (String, String) {
    let name = Self.name(table.id, event)
    return (
      name,
      """
      CREATE TRIGGER \(SQL.quote(identifier: name)) AFTER \(event.uppercased()) ON \(SQL.quote(identifier: table.name)) \
      WHEN \(condition) \
      BEGIN INSERT INTO dimple_log(hlc, payload) VALUES (dimple_tick(), dimple_payload()); END
      """
    )
  }

  private func calls(_ function: String, row: String, _ columns: [TrackedColumn]) -> String {
    let key = table.keyColumns.map { reference(row, $0) }
    let chunks = Self.chunks(columns, size: Self.maximumArguments - key.count)
    let first =
      "\(function)(\(([shape(chunks.first ?? [])] + key + (chunks.first ?? []).map { reference(row, $0) }).joined(separator: ", ")))"
    let rest = chunks.dropFirst().map { chunk in
      "dimple_more(\(([ids(chunk)] + chunk.map { reference(row, $0) }).joined(separator: ", ")))"
    }
    return ([first] + rest).joined(separator: " | ")
  }

  private var updateCalls: String {
    let key = table.keyColumns.map { reference("OLD", $0) } + table.keyColumns.map { reference("NEW", $0) }
    let chunks = Self.chunks(table.columns, size: (Self.maximumArguments - key.count) / 2)
    func pairs(_ chunk: [TrackedColumn]) -> [String] { chunk.flatMap { [reference("OLD", $0), reference("NEW", $0)] } }
    let first =
      "dimple_update(\(([shape(chunks.first ?? [])] + key + pairs(chunks.first ?? [])).joined(separator: ", ")))"
    let rest = chunks.dropFirst().map { chunk in
      "dimple_more_update(\(([ids(chunk)] + pairs(chunk)).joined(separator: ", ")))"
    }
    return ([first] + rest).joined(separator: " | ")
  }

  private func reference(_ row: String, _ column: TrackedColumn) -> String {
    "\(row).\(SQL.quote(identifier: column.name))"
  }

  /// The table's id, how many columns its key has, then the ids of the columns that follow.
  private func shape(_ columns: [TrackedColumn]) -> String {
    Self.blob([table.id, Int64(table.keyColumns.count)] + columns.map(\.id))
  }

  private func ids(_ columns: [TrackedColumn]) -> String { Self.blob(columns.map(\.id)) }

  private static func blob(_ numbers: [Int64]) -> String {
    var writer = ByteWriter()
    for number in numbers { writer.varint(UInt64(number)) }
    let digits = writer.bytes.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }
    return "x'\(digits.joined())'"
  }

  private static func chunks(_ columns: [TrackedColumn], size: Int) -> [[TrackedColumn]] {
    stride(from: 0, to: columns.count, by: max(1, size)).map {
      Array(columns[$0..<min($0 + max(1, size), columns.count)])
    }
  }
}
