internal import ArgumentParser
internal import DimpleDb

/// `dimple query DB SQL`
struct QueryCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "query", abstract: "Run one SQL statement and print its rows.",
    discussion: """
      Writes to a tracked database are tracked, like an app's own.

      EXAMPLES
        dimple query app.db "SELECT * FROM Todo WHERE completed = 0"
        dimple query app.db "UPDATE Todo SET completed = 1 WHERE id = 7"
        dimple query app.db "SELECT * FROM Todo" --json | jq .text
      """)

  @Argument(help: "The database file.") var db: String
  @Argument(help: "One SQL statement.") var sql: String
  @OptionGroup var output: OutputOptions

  func run() async throws {
    let database = try OpenDatabase.existing(db)
    defer { try? database.close() }
    let statement: SQL = "\(raw: sql)"
    let rows: [Row]
    do {
      rows = try await database.rows(statement)
    } catch let error as StoreError where error.code == .readOnly || error.code == .sqlError {
      // A statement that writes; or one that is wrong, which the writer will say, too.
      rows = try await database.write { try $0.rows(statement) }
    }
    RowPrinter(json: output.json).print(rows)
  }
}
