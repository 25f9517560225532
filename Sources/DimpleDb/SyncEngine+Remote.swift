public import DimpleStore
public import DimpleSync

extension SyncEngine {
  /// Prepares to sync `database` with a vault at `remote`; nothing is read, written or checked before the first `sync()`.
  public init(
    _ database: Database, remote: Remote, encryption: Encryption, options: Options = Options()
  ) {
    self.init(database, storage: try remote.storage(), vault: encryption.provider, options: options)
  }
}
