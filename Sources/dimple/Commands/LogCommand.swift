internal import ArgumentParser
internal import DimpleDb

/// `dimple log DB`
struct LogCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "log", abstract: "Print the changes made on this device, oldest first.",
    discussion: """
      EXAMPLES
        dimple log app.db
        dimple log app.db --after 41 --json     only transactions 42 and later
      """)

  @Argument(help: "The database file.") var db: String
  @Option(help: "Only transactions with a higher number.") var after: Int64 = 0
  @Option(help: "At most this many changes.") var limit: Int?
  @OptionGroup var output: OutputOptions

  func run() async throws {
    let database = try OpenDatabase.tracked(db)
    defer { try? database.close() }
    guard let changelog = database.changelog else { return }
    for change in try changelog.changes(after: after, limit: limit).prefix(limit ?? .max) {
      Console.print(output.json ? Self.object(change) : Self.line(change))
    }
  }

  private static func line(_ change: Change) -> String {
    let key = change.key.map(RowPrinter.cell).joined(separator: ", ")
    let columns = change.columns.map { "\($0.name)=\(RowPrinter.cell($0.value))" }.joined(separator: " ")
    return "#\(change.transaction) \(change.stamp.uuid) \(change.operation.rawValue) \(change.table)(\(key)) \(columns)"
  }

  private static func object(_ change: Change) -> String {
    var writer = JSONWriter()
    writer.raw(#"{"transaction":"#)
    writer.integer(change.transaction)
    writer.raw(#","id":"#)
    writer.string(change.stamp.uuid.description)
    writer.raw(#","author":"#)
    writer.string(change.stamp.replica.description)
    writer.raw(#","table":"#)
    writer.string(change.table)
    writer.raw(#","op":"#)
    writer.string(change.operation.rawValue)
    writer.raw(#","key":"#)
    writer.list(change.key, from: UInt8(ascii: "["), to: UInt8(ascii: "]")) { ValueJSON.write($1, to: &$0) }
    writer.raw(#","columns":"#)
    writer.list(change.columns, from: UInt8(ascii: "{"), to: UInt8(ascii: "}")) { writer, column in
      writer.string(column.name)
      writer.raw(":")
      ValueJSON.write(column.value, to: &writer)
    }
    writer.raw("}")
    return String(decoding: writer.bytes, as: UTF8.self)
  }
}
