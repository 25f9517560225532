internal import ArgumentParser
internal import DimpleDb

/// `dimple verify DB REMOTE`
struct VerifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Check a whole vault, and a database against it.",
    discussion: """
      Reads every object: names, contents, signatures, chains, and whether anything is missing; then whether the tables show
      what the merged state says. Exits with 1 if anything is wrong.

      EXAMPLES
        dimple verify app.db /mnt/stick/vault
        dimple verify app.db s3://my-bucket/app --endpoint https://s3.eu-central-1.amazonaws.com --region eu-central-1
      """)

  @OptionGroup var vault: VaultOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    let report = try await vault.withEngine { try await $0.verify() }
    FindingPrinter(json: output.json).print(report)
    Console.print(
      output.json
        ? """
        {"packs":\(report.checkedPacks),"transactions":\(report.checkedTransactions),"rows":\(report.checkedRows),\
        "findings":\(report.findingCount)}
        """
        : "\(report.checkedPacks) packs with \(report.checkedTransactions) transactions and \(report.checkedRows) rows: "
          + (report.isHealthy ? "all well" : "\(report.findingCount) findings"))
    if !report.isHealthy { throw ExitCode(1) }
  }
}

/// `dimple repair DB REMOTE`
struct RepairCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "repair", abstract: "Mend what `verify` finds and this device can mend.",
    discussion: """
      Sends this database's own changes again that are gone from the vault or damaged there, and makes the tables show what
      the merged state says. Exits with 1 if anything is left.

      EXAMPLES
        dimple repair app.db /mnt/stick/vault
      """)

  @OptionGroup var vault: VaultOptions
  @OptionGroup var output: OutputOptions

  func run() async throws {
    let report = try await vault.withEngine { try await $0.repair() }
    FindingPrinter(json: output.json).print(report.remaining)
    Console.print(
      output.json
        ? """
        {"resentTransactions":\(report.resentTransactions),"removedObjects":\(report.removedObjects),\
        "correctedRows":\(report.correctedRows),"remaining":\(report.remaining.findingCount)}
        """
        : "\(report.resentTransactions) transactions sent again, \(report.removedObjects) objects removed, "
          + "\(report.correctedRows) rows corrected; "
          + (report.remaining.isHealthy ? "all well" : "\(report.remaining.findingCount) findings left"))
    if !report.remaining.isHealthy { throw ExitCode(1) }
  }
}
