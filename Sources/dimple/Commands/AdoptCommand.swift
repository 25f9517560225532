internal import ArgumentParser
internal import DimpleDb

/// `dimple adopt DB`
struct AdoptCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "adopt", abstract: "Start tracking an existing SQLite database.",
    discussion: """
      From then on every write by this library is tracked, and another program's write is refused, not lost. The rows that
      are there become changes, so that they sync. Every table needs a primary key, or is named by --untracked.

      EXAMPLES
        dimple adopt music.sqlite
        dimple adopt app.db --untracked Cache --untracked Session
      """)

  @Argument(help: "The database file.") var db: String
  @Option(help: "A table to leave alone; may be repeated.") var untracked: [String] = []
  @OptionGroup var output: OutputOptions

  func run() async throws {
    guard FileSystem.exists(db) else { throw Failure("There is no file \(db).") }
    let database = try Database.open(db, untracked: Set(untracked))
    defer { try? database.close() }
    let fingerprint = try database.fingerprint()
    let rows = fingerprint.tables.reduce(0) { $0 + $1.rowCount }
    Console.print(
      output.json
        ? #"{"tables":\#(fingerprint.tables.count),"rows":\#(rows)}"#
        : "\(fingerprint.tables.count) tables with \(rows) rows are tracked.")
  }
}
