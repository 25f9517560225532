extension Database {
  /// Reads in one snapshot: whatever commits meanwhile, all queries of the closure see the same state.
  ///
  /// The closure runs on this thread and may not write.
  public func read<T>(_ body: (Connection) throws -> T) throws -> T {
    try checkNotNested(operation: "read")
    return try readers.run { try $0.inReadTransaction(body) }
  }

  /// Reads in one snapshot, on a thread of the database's own.
  ///
  /// Cancelling the task interrupts the query and throws `CancellationError`.
  public func read<T: Sendable>(_ body: @escaping @Sendable (Connection) throws -> T) async throws -> T {
    try await readers.run { try $0.inReadTransaction(body) }
  }

  /// Writes in one transaction: committed when the closure returns, rolled back when it throws.
  ///
  /// The closure runs on this thread. Write transactions run one after the other, other programs' included: each takes the
  /// write lock at its beginning (`BEGIN IMMEDIATE`), so that what it reads stays true until it commits. So what only reads
  /// belongs in `read`, and a long computation before the write, not in it.
  ///
  /// - Throws: ``StoreError``: `busy` if another program held the lock for ``Configuration/busyTimeout``; nothing was done
  ///   then, and the call may be repeated. `readOnly`, `nestedTransaction`, `diskFull`, and what the closure threw.
  @discardableResult
  public func write<T>(_ body: (Connection) throws -> T) throws -> T {
    try checkNotNested(operation: "write")
    return try writer.run { try $0.inWriteTransaction(body) }
  }

  /// Writes in one transaction, on a thread of the database's own.
  ///
  /// Cancelling the task interrupts the statement, rolls back and throws `CancellationError`, unless the transaction was
  /// committed by then.
  @discardableResult
  public func write<T: Sendable>(_ body: @escaping @Sendable (Connection) throws -> T) async throws -> T {
    try await writer.run { try $0.inWriteTransaction(body) }
  }

  /// Whether a write of this process waits for its turn: time to end a long one.
  package var isWriterAwaited: Bool { writer.waitingCount > 0 }

  /// Writes with triggers and foreign keys off, and access to the store's own tables: for rows taken over from elsewhere
  /// as they are. Commit events are delivered as for any write.
  package func withMergeTransaction<T>(_ body: (Connection) throws -> T) throws -> T {
    try checkNotNested(operation: "merge")
    return try writer.run { try $0.inMergeTransaction(body) }
  }

  /// As the synchronous form, on a thread of the database's own.
  package func withMergeTransaction<T: Sendable>(
    _ body: @escaping @Sendable (Connection) throws -> T
  ) async throws -> T {
    try await writer.run { try $0.inMergeTransaction(body) }
  }

  /// Calls the handler right after each commit that may have changed a result: on the committing thread, in the order of
  /// commits, so it must be quick and must not use the database. Other processes' commits come as `isExternal`.
  package func observeCommits(_ handler: @escaping @Sendable (CommitEvent) -> Void) -> CommitObservation {
    let id = commits.add(handler)
    return CommitObservation(hub: commits, id: id, watcher: watcher())
  }
}
