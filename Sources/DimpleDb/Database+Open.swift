internal import DimpleChangelog
public import DimpleStore

extension Database {
  /// Opens a database with everything on: the migrations are applied, and every table is tracked, so that its changes can
  /// be watched, read back and synced.
  ///
  /// ```swift
  /// let db = try Database.open("myapp.db", migrations: [
  ///   Migration("create Todo", "CREATE TABLE Todo (id TEXT PRIMARY KEY, text TEXT NOT NULL)"),
  /// ])
  /// ```
  ///
  /// Rows that were there before the table was first tracked become changes of their own once, so that they sync, too.
  /// `Database(_:)`, without `open`, opens the store alone.
  ///
  /// - Parameters:
  ///   - path: A file, created if missing.
  ///   - configuration: How connections behave.
  ///   - untracked: Tables to keep to this device.
  ///   - migrations: In order; each is applied once, in a transaction.
  /// - Throws: `StoreError`, `ChangelogError`.
  public static func open(
    _ path: String, configuration: Configuration = Configuration(), untracked: Set<String> = [],
    migrations: [Migration] = []
  ) throws -> Database {
    try Database(path, configuration: configuration.tracking(.init(untracked: untracked)), migrations: migrations)
  }

  /// The same, with all that can be chosen for change tracking: how long the log is kept, columns that stay here, and so on.
  ///
  /// - Throws: `StoreError`, `ChangelogError`.
  public static func open(
    _ path: String, configuration: Configuration = Configuration(), tracking: Changelog.Options,
    migrations: [Migration] = []
  ) throws -> Database {
    try Database(path, configuration: configuration.tracking(tracking), migrations: migrations)
  }

  /// A tracked database in memory, gone with its last reference: for tests and previews.
  ///
  /// - Throws: `StoreError`, `ChangelogError`.
  public static func openInMemory(
    configuration: Configuration = Configuration(), untracked: Set<String> = [], migrations: [Migration] = []
  ) throws -> Database {
    try Database.inMemory(configuration: configuration.tracking(.init(untracked: untracked)), migrations: migrations)
  }
}

extension Changelog.Options {
  fileprivate init(untracked: Set<String>) {
    self.init()
    self.untracked = untracked
  }
}
