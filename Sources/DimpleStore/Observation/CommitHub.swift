internal import DimpleMutex

/// Tells observers of commits: this database's own, and others'.
final class CommitHub: Sendable {
  private struct State {
    var handlers: [UInt64: @Sendable (CommitEvent) -> Void] = [:]
    var lastID: UInt64 = 0
    /// What `PRAGMA data_version` said last on the writer. It changes when, and only when, somebody else committed.
    var dataVersion: Int64?
  }

  private let state = Mutex(State())
  private let handlerCount = Atomic(0)

  /// Adds a handler; it runs on the committing thread, in the order of commits.
  func add(_ handler: @escaping @Sendable (CommitEvent) -> Void) -> UInt64 {
    state.withLock { state in
      state.lastID += 1
      state.handlers[state.lastID] = handler
      handlerCount.store(state.handlers.count, ordering: .relaxed)
      return state.lastID
    }
  }

  func remove(_ id: UInt64) {
    state.withLock { state in
      state.handlers[id] = nil
      handlerCount.store(state.handlers.count, ordering: .relaxed)
    }
  }

  /// Whether anybody wants to know.
  var hasHandlers: Bool { handlerCount.load(ordering: .relaxed) > 0 }

  func deliver(_ event: CommitEvent) {
    let handlers = state.withLock { $0.handlers.sorted { $0.key < $1.key } }
    for (_, handler) in handlers { handler(event) }
  }

  /// Looks, on the writer, whether somebody else committed since the last look; if so, tells the observers.
  ///
  /// Called inside each write transaction, when nobody else can commit, and by the watcher when the writer is idle: so
  /// no foreign commit is missed, and none of this database's own is taken for one.
  func noticeExternalCommit(on connection: Connection) throws {
    guard hasHandlers else { return }
    if try readDataVersion(on: connection) { deliver(externalEvent(connection)) }
  }

  /// What an extension knows of it. Read after the version, so that what it misses changes the version again.
  private func externalEvent(_ connection: Connection) -> CommitEvent {
    for observer in connection.configuration.extensions {
      // What cannot be told may be anything.
      let event = try? connection.withInternalAccess { try observer.externalCommits(connection) }
      if let event { return event }
    }
    return CommitEvent(isExternal: true)
  }

  /// Remembers the version; true if it is another than the last.
  @discardableResult
  func readDataVersion(on connection: Connection) throws -> Bool {
    let version = try connection.dataVersion()
    return state.withLock { state in
      defer { state.dataVersion = version }
      return state.dataVersion != nil && state.dataVersion != version
    }
  }
}

extension Connection {
  /// https://sqlite.org/pragma.html#pragma_data_version
  fileprivate func dataVersion() throws -> Int64 {
    try withInternalAccess {
      let statement = try prepare("PRAGMA data_version")
      defer { statement.reset() }
      return try statement.step() ? statement.int64(0) : 0
    }
  }
}
