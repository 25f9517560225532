internal import ArgumentParser
internal import DimpleDb

/// A tracked database and the vault it syncs with, as the commands that need both take them.
struct VaultOptions: ParsableArguments {
  @Argument(help: "The database file.") var db: String
  @Argument(help: "A folder, or s3://bucket/prefix.") var remote: String
  @Flag(help: "No encryption: whoever reads the storage reads the data.") var unencrypted = false
  @OptionGroup var passphrase: PassphraseOptions
  @OptionGroup var s3: S3Options

  /// Calls `body` with an engine, and closes the database.
  func withEngine<T>(_ body: (SyncEngine) async throws -> T) async throws -> T {
    let database = try OpenDatabase.tracked(db)
    defer { try? database.close() }
    let encryption: Encryption = unencrypted ? .none : .passphrase(try passphrase.passphrase())
    return try await body(SyncEngine(database, remote: try s3.remote(remote), encryption: encryption))
  }
}
