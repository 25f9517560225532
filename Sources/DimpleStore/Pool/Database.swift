internal import DimpleMutex
internal import Logging

/// An SQLite database: one connection that writes, several that read, and the rules by which they are lent out.
///
/// `Sendable`: use it from any thread and any task. Each form of access exists synchronously, where the calling thread
/// waits and runs the closure itself, and `async`, where the task waits suspended and the closure runs on a thread of the
/// database's own. Accesses are served in the order they came.
///
/// Do not use a database inside one of its own closures, use the connection given: it throws `nestedTransaction`, where
/// it would otherwise wait for itself.
public final class Database: Sendable {
  /// The file, as it was given; `:memory:` for an in-memory database.
  public let path: String
  /// How it was opened.
  public let configuration: Configuration
  let place: DatabasePlace
  let writer: Lane
  let readers: Lane
  let commits: CommitHub
  let snapshots: SnapshotPool
  private let lifetime: (any Sendable)?
  let watcherBox = Mutex<WeakWatcher>(WeakWatcher())

  /// Opens or creates a database file, in WAL mode, and applies the migrations that it lacks.
  ///
  /// The folder must exist. `:memory:` opens an in-memory database.
  ///
  /// - Throws: ``StoreError``: `cannotOpen`, `notADatabase`, `corrupt`, `busy`, `migrationHistoryChanged`,
  ///   `newerDatabase`, or what a migration threw.
  public convenience init(
    _ path: String, configuration: Configuration = Configuration(), migrations: [Migration] = []
  ) throws {
    try self.init(path, configuration: configuration, migrations: migrations, lifetime: nil) { _ in }
  }

  /// - Parameters:
  ///   - lifetime: kept as long as the database.
  ///   - fill: called with the writer before anything is migrated, outside a transaction.
  init(
    _ path: String, configuration: Configuration, migrations: [Migration], lifetime: (any Sendable)?,
    fill: (Connection) throws -> Void
  ) throws {
    self.path = path
    self.lifetime = lifetime
    self.configuration = configuration
    let commits = CommitHub()
    self.commits = commits
    let place = try DatabasePlace(path)
    self.place = place
    let isInMemory = place == .memory
    let hasReaders = !isInMemory && configuration.hasReaders
    let open: @Sendable (ConnectionRole) throws -> Connection = { role in
      let connection = try Connection(place: place, role: role, configuration: configuration, commits: commits)
      try connection.setUp()
      return connection
    }
    snapshots = SnapshotPool(limit: configuration.maximumSnapshotCount) { try open(.reader) }
    let label = "dimple.\(configuration.label)"
    let writer = Lane(count: 1, label: "\(label).writer", canReopen: !isInMemory) { try open(.writer) }
    self.writer = writer
    readers =
      hasReaders
      ? Lane(count: configuration.readerCount, label: "\(label).reader", canReopen: true) { try open(.reader) }
      : writer
    // Opens the writer even where there is nothing to migrate, so that a file that is no database is told now.
    try writer.run { connection in
      try fill(connection)
      try connection.inSingleRead { _ = try commits.readDataVersion(on: $0) }
    }
    try Migrator(migrations: migrations, logger: configuration.logger).migrate(self)
    for observer in configuration.extensions { try observer.databaseDidOpen(self) }
    configuration.logger?.debug("Opened", metadata: ["database": "\(configuration.label)"])
  }

  /// A new, empty database in memory; it is gone when the last reference to it is.
  public static func inMemory(
    configuration: Configuration = Configuration(), migrations: [Migration] = []
  ) throws -> Database {
    try Database(":memory:", configuration: configuration, migrations: migrations)
  }

  /// Whether it lives in memory only.
  public var isInMemory: Bool { place == .memory }

  /// The extension of a type, if the database was opened with one.
  package func `extension`<E: DatabaseExtension>(_ type: E.Type) -> E? {
    configuration.extensions.lazy.compactMap { $0 as? E }.first
  }

  /// Closes: waits for the closures that run, refuses those that wait, and frees all connections.
  ///
  /// Everything after that throws `closed`; closing again does nothing. A database that is simply let go is closed too.
  public func close() throws {
    try checkCanEnd(operation: "close")
    snapshots.close()
    readers.close()
    writer.close()
  }

  /// Closes, the waiting suspended.
  public func close() async throws {
    snapshots.close()
    await readers.close()
    await writer.close()
  }

  /// Throws if this thread is inside a closure of the database or of a snapshot, and would wait for itself to end.
  func checkCanEnd(operation: String) throws {
    try checkNotNested(operation: operation)
    guard !snapshots.isHeldByCurrentThread else {
      throw StoreError(
        .nestedTransaction, operation: operation,
        message: "The database was to end inside a closure of one of its snapshots.", hint: "Call it after the closure."
      )
    }
  }

  /// Throws if this thread is inside one of the database's closures.
  func checkNotNested(operation: String) throws {
    guard !writer.isHeldByCurrentThread, !readers.isHeldByCurrentThread else {
      throw StoreError(
        .nestedTransaction, operation: operation,
        message: "The database was used inside one of its own read or write closures.",
        hint: "Use the connection that the closure is given; for a part that can fail alone, connection.savepoint { }.")
    }
  }
}
