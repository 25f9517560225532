internal import ArgumentParser
internal import DimpleDb

/// `dimple fingerprint DB`
struct FingerprintCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fingerprint", abstract: "Print one line: a hash of all tracked rows, equal on devices that agree.",
    discussion: """
      EXAMPLES
        dimple fingerprint phone.db
        dimple fingerprint phone.db --tables     a line per table as well
      """)

  @Argument(help: "The database file.") var db: String
  @Flag(help: "A line per table, too.") var tables = false
  @OptionGroup var output: OutputOptions

  func run() async throws {
    let database = try OpenDatabase.tracked(db)
    defer { try? database.close() }
    let fingerprint = try database.fingerprint()
    for table in tables ? fingerprint.tables : [] {
      var writer = JSONWriter()
      writer.raw(#"{"table":"#)
      writer.string(table.name)
      writer.raw(#","rows":"#)
      writer.integer(Int64(table.rowCount))
      writer.raw(#","digest":"#)
      writer.string(table.digest)
      writer.raw("}")
      Console.print(
        output.json
          ? String(decoding: writer.bytes, as: UTF8.self) : "\(table.digest)  \(table.name) (\(table.rowCount) rows)")
    }
    Console.print(output.json ? #"{"fingerprint":"\#(fingerprint)"}"# : "\(fingerprint)")
  }
}
