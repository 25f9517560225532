internal import Dispatch
internal import Logging
internal import Synchronization

/// An SQLite database: one writer and several snapshot readers, safe to use from any thread and task.
///
/// ```swift
/// let database = try Database("app.db", migrations: [Migration("create Todo", "CREATE TABLE Todo (…)")])
/// try database.write { connection in
///   try connection.execute("UPDATE Todo SET completed = \(true) WHERE id = \(id)")
/// }
/// ```
///
/// Every verb has a synchronous and an asynchronous form of the same name; in an asynchronous context, write `try await`.
/// Verbs throw ``StoreError``.
public final class Database: Sendable {
  /// The file; `:memory:` for a database in memory.
  public let path: String
  let configuration: Configuration
  let writer: ConnectionPool
  let readers: ConnectionPool
  let broadcast = CommitBroadcast()
  let watcher: ExternalCommitWatcher?
  /// Where asynchronous callers' closures run: never on the cooperative pool, which they could block.
  let queue: DispatchQueue
  let activeThreads = Mutex<Set<UInt>>([])

  /// Opens a database, creating the file if it is missing, and applies migrations that are not yet applied.
  ///
  /// This is the store alone. With change tracking and sync, use `Database.open`.
  ///
  /// - Throws: ``StoreError``: ``StoreError/Code/cannotOpen``, ``StoreError/Code/notADatabase``,
  ///   ``StoreError/Code/migrationHistoryChanged``, ``StoreError/Code/newerDatabase``, those of the migrations.
  public convenience init(
    _ path: String, configuration: Configuration = Configuration(), migrations: [Migration] = []
  ) throws {
    try self.init(path: path, inMemory: false, configuration, migrations)
  }

  /// A database in memory, gone with its last reference: for tests and previews.
  ///
  /// It has one connection: reads and writes run one after the other.
  public static func inMemory(
    configuration: Configuration = Configuration(), migrations: [Migration] = []
  ) throws -> Database {
    try Database(path: ":memory:", inMemory: true, configuration, migrations)
  }

  private init(
    path: String, inMemory: Bool, _ configuration: Configuration, _ migrations: [Migration]
  ) throws {
    self.path = path
    self.configuration = configuration
    queue = DispatchQueue(label: "DimpleStore", attributes: .concurrent)
    // Opened here, so that a file that is no database is found now.
    let first = Mutex<ConnectionPool.Lease?>(
      ConnectionPool.Lease(try Connection(path: path, role: .writer, configuration: configuration)))
    writer = ConnectionPool(capacity: 1) {
      if let lease = first.withLock({ lease in
        defer { lease = nil }; return lease
      }) {
        return lease.connection
      }
      return try Connection(path: path, role: .writer, configuration: configuration)
    }
    readers =
      inMemory
      ? writer
      : ConnectionPool(capacity: max(1, configuration.readerCount)) {
        try Connection(path: path, role: .reader, configuration: configuration)
      }
    watcher = inMemory ? nil : ExternalCommitWatcher(path: path)
    try Migrator(migrations).run(on: self)
    for observer in configuration.extensions { try observer.databaseDidOpen(self) }
    configuration.logger?.debug("opened", metadata: ["path": "\(path)"])
  }

  /// Closes all connections. Work under way ends first, in its own time; work that comes later fails with
  /// ``StoreError/Code/closed``.
  public func close() throws {
    watcher?.stop()
    writer.close()
    readers.close()
  }

  deinit { watcher?.stop() }

  /// The extension of this type, if the database was opened with one.
  package func `extension`<E: DatabaseExtension>(_ type: E.Type) -> E? {
    configuration.extensions.lazy.compactMap { $0 as? E }.first
  }

  /// Calls `handler` after every commit, on the committing thread: it must be quick.
  package func observeCommits(_ handler: @escaping @Sendable (CommitEvent) -> Void) -> CommitObservation {
    watcher?.start(self)
    return broadcast.add(handler)
  }
}
