internal import ArgumentParser
internal import DimpleDb

/// `dimple held DB`
struct HeldCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "held", abstract: "List rows that sync keeps but cannot show, and why.",
    discussion: """
      EXAMPLES
        dimple held app.db
      """)

  @Argument(help: "The database file.") var db: String
  @OptionGroup var output: OutputOptions

  func run() async throws {
    let database = try OpenDatabase.tracked(db)
    defer { try? database.close() }
    for row in try database.heldRows() {
      guard output.json else {
        Console.print("\(row.table)(\(row.key.map(RowPrinter.cell).joined(separator: ", "))): \(row.reason)")
        continue
      }
      var writer = JSONWriter()
      writer.raw(#"{"table":"#)
      writer.string(row.table)
      writer.raw(#","key":"#)
      writer.list(row.key, from: UInt8(ascii: "["), to: UInt8(ascii: "]")) { ValueJSON.write($1, to: &$0) }
      writer.raw(#","reason":"#)
      writer.string(row.reason.description)
      writer.raw("}")
      Console.print(String(decoding: writer.bytes, as: UTF8.self))
    }
  }
}
