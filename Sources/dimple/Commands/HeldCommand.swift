internal import ArgumentParser
internal import DimpleDb

/// `dimple held DB`
struct HeldCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "held", abstract: "List rows that sync keeps but cannot show, why, and what to do.",
    discussion: """
      Rows that were deleted and are shown as long as others refer to them are listed, too.

      EXAMPLES
        dimple held app.db
      """)

  @Argument(help: "The database file.") var db: String
  @OptionGroup var output: OutputOptions

  func run() async throws {
    let database = try OpenDatabase.tracked(db)
    defer { try? database.close() }
    for row in try database.heldRows() { show(row.table, row.key, row.reason.description, row.reason.hint) }
    for row in try database.keptRows() {
      show(row.table, row.key, "The row was deleted, and is shown as long as others refer to it.", row.hint)
    }
  }

  private func show(_ table: String, _ key: [SQLValue], _ reason: String, _ hint: String) {
    guard output.json else {
      return Console.print("\(table)(\(key.map(RowPrinter.cell).joined(separator: ", "))): \(reason) \(hint)")
    }
    var writer = JSONWriter()
    writer.raw(#"{"table":"#)
    writer.string(table)
    writer.raw(#","key":"#)
    writer.list(key, from: UInt8(ascii: "["), to: UInt8(ascii: "]")) { ValueJSON.write($1, to: &$0) }
    writer.raw(#","reason":"#)
    writer.string(reason)
    writer.raw(#","hint":"#)
    writer.string(hint)
    writer.raw("}")
    Console.print(String(decoding: writer.bytes, as: UTF8.self))
  }
}
