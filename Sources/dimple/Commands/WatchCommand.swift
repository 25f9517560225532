internal import ArgumentParser
internal import DimpleDb

/// `dimple watch DB SQL`
struct WatchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch", abstract: "Print a query's result now, and again whenever it changes.",
    discussion: """
      Sees the commits of other processes, too. Ends with Ctrl-C, or after --count results.

      EXAMPLES
        dimple watch app.db "SELECT count(*) FROM Todo"
        dimple watch app.db "SELECT * FROM Todo ORDER BY text" --json
      """)

  @Argument(help: "The database file.") var db: String
  @Argument(help: "One SQL statement that reads.") var sql: String
  @Option(help: "Stop after this many results.") var count: Int?
  @OptionGroup var output: OutputOptions

  func run() async throws {
    let database = try OpenDatabase.existing(db)
    defer { try? database.close() }
    var left = count ?? .max
    for try await rows in database.observeRows("\(raw: sql)") {
      if output.json {
        Console.print(#"{"rows":["# + rows.map(RowPrinter.object).joined(separator: ",") + "]}")
      } else {
        Console.print("— \(rows.count) row\(rows.count == 1 ? "" : "s")")
        RowPrinter(json: false).print(rows)
      }
      left -= 1
      if left <= 0 { break }
    }
  }
}
