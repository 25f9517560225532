internal import ArgumentParser
internal import DimpleDb

/// `dimple sync DB REMOTE`
struct SyncCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sync", abstract: "Sync a tracked database with a vault, once.",
    discussion: """
      REMOTE is a folder, or s3://bucket/prefix with --endpoint and --region. A vault is founded where there is none.
      The passphrase comes from DIMPLE_PASSPHRASE, --passphrase-file or the terminal; the S3 keys from AWS_ACCESS_KEY_ID,
      AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.

      EXAMPLES
        dimple sync app.db /mnt/stick/vault
        dimple sync app.db s3://my-bucket/app --endpoint https://s3.eu-central-1.amazonaws.com --region eu-central-1
      """)

  @Argument(help: "The database file.") var db: String
  @Argument(help: "A folder, or s3://bucket/prefix.") var remote: String
  @Flag(help: "No encryption: whoever reads the storage reads the data.") var unencrypted = false
  @OptionGroup var passphrase: PassphraseOptions
  @OptionGroup var s3: S3Options
  @OptionGroup var output: OutputOptions

  func run() async throws {
    let database = try OpenDatabase.tracked(db)
    defer { try? database.close() }
    let encryption: Encryption = unencrypted ? .none : .passphrase(try passphrase.passphrase())
    let engine = SyncEngine(database, remote: try s3.remote(remote), encryption: encryption)
    let report = try await engine.sync()
    Console.print(output.json ? Self.object(report) : Self.text(report))
    for warning in report.warnings where warning.code != .skipped { Console.warn(warning.message) }
    for skipped in report.skipped { Console.warn("skipped \(skipped.key): \(skipped.error)") }
  }

  static func text(_ report: SyncReport) -> String {
    var parts = [
      "pushed \(counted(report.pushedTransactions, "transaction")) in \(counted(report.pushedPacks, "pack"))",
      "pulled \(report.pulledTransactions) in \(report.pulledPacks)", "\(counted(report.changedRows, "row")) changed",
    ]
    if report.heldRows > 0 { parts.append("\(report.heldRows) rows held (dimple held)") }
    if report.postponedTransactions > 0 {
      parts.append("\(report.postponedTransactions) postponed: stamped in the future")
    }
    return parts.joined(separator: ", ")
  }

  private static func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

  private static func object(_ report: SyncReport) -> String {
    """
    {"pushedTransactions":\(report.pushedTransactions),"pushedPacks":\(report.pushedPacks),\
    "joinedPacks":\(report.joinedPacks),\
    "pulledTransactions":\(report.pulledTransactions),"pulledPacks":\(report.pulledPacks),\
    "changedRows":\(report.changedRows),"heldRows":\(report.heldRows),\
    "postponedTransactions":\(report.postponedTransactions),"skippedObjects":\(report.skipped.count)}
    """
  }
}
