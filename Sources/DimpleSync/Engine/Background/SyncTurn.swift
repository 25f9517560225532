internal import DimpleStore

/// The right to sync one database, until it is ended: at most one in all engines and processes.
struct SyncTurn: Sendable {
  private let key: SyncQueue.Key
  private let lock: FileLock?

  /// Waits for its turn: in this process suspended, for another process by looking again, at first after 10 ms, at last
  /// once a second.
  ///
  /// Where the file system has no locks, processes do not wait for each other: two syncs at once cost requests, and harm
  /// nothing.
  ///
  /// - Throws: `CancellationError`, `StoreError`.
  static func begin(_ database: Database, clock: any Clock<Duration>) async throws -> SyncTurn {
    let key = try await key(of: database)
    try await SyncQueue.shared.enter(key)
    do {
      guard case .file(let path) = key else { return SyncTurn(key: key, lock: nil) }
      return SyncTurn(key: key, lock: try await lock(path + "-sync", clock))
    } catch {
      SyncQueue.shared.leave(key)
      throw error
    }
  }

  /// The next one's turn; called once.
  func end() {
    // The file first: whoever is next in this process would find it locked.
    lock?.unlock()
    SyncQueue.shared.leave(key)
  }

  static func key(of database: Database) async throws -> SyncQueue.Key {
    if database.isInMemory { return .memory(ObjectIdentifier(database)) }
    // SQLite's own name for it is absolute and without links.
    let path = try await database.read { connection in
      let statement = try connection.prepare("SELECT file FROM pragma_database_list WHERE name = 'main'")
      defer { statement.reset() }
      return try statement.step() ? statement.text(0) : ""
    }
    return .file(path.isEmpty ? database.path : path)
  }

  private static func lock(_ path: String, _ clock: any Clock<Duration>) async throws -> FileLock? {
    var delay = Duration.milliseconds(10)
    while true {
      try Task.checkCancellation()
      switch FileLock.attempt(path) {
      case .locked(let lock): return lock
      case .unavailable: return nil
      case .heldByAnother:
        try await clock.sleep(for: delay)
        delay = min(delay * 2, .seconds(1))
      }
    }
  }
}
