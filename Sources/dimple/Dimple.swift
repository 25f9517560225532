internal import ArgumentParser

/// The command-line tool: look into, watch, sync and demonstrate a DimpleDb database.
@main
struct Dimple: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dimple",
    abstract: "A reactive, syncing SQLite database, from the terminal.",
    discussion: """
      EXAMPLES
        dimple demo                               two devices, one folder, edits that meet
        dimple query app.db "SELECT * FROM Todo"  any SQL; writes are tracked
        dimple watch app.db "SELECT * FROM Todo"  the result, live
        dimple sync app.db /mnt/stick/vault       through a folder
        dimple sync app.db s3://bucket/prefix     through a bucket, with --endpoint and --region

      Secrets come from the environment (DIMPLE_PASSPHRASE, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN),
      a file, or the terminal, where they are not echoed. With --json, output is one JSON object a line.
      The exit code is 0 only for success.
      """,
    version: "0.1.0",
    subcommands: [
      DemoCommand.self, QueryCommand.self, WatchCommand.self, LogCommand.self, AdoptCommand.self, SyncCommand.self,
      HeldCommand.self, VerifyCommand.self, RepairCommand.self, ReplicasCommand.self, FingerprintCommand.self,
      AgeCommand.self, S3Command.self,
    ])
}
