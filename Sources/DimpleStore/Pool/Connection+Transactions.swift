extension Connection {
  func reading<T>(_ body: (Connection) throws -> T) throws -> T {
    // In memory the one connection also writes.
    try runInternally("BEGIN")
    defer { endReading() }
    expectsTransaction = true
    defer { expectsTransaction = false }
    return try body(self)
  }

  private func endReading() {
    // A read has nothing to lose; if ending it fails, SQLite has ended it already.
    if isInTransaction { try? runInternally("ROLLBACK") }
  }

  func writing<T>(in database: Database, _ body: (Connection) throws -> T) throws -> T {
    pending = PendingCommit()
    hasUndonePart = false
    try runInternally("BEGIN IMMEDIATE")
    expectsTransaction = true
    let result: T
    do {
      try withInternalAccess { for observer in configuration.extensions { try observer.didBeginWrite(self) } }
      result = try body(self)
      try checkCancellation()
      try withInternalAccess { for observer in configuration.extensions { try observer.willCommit(self) } }
      try runInternally("COMMIT")
    } catch {
      rollBack()
      throw error
    }
    expectsTransaction = false
    for observer in configuration.extensions { observer.didCommit(self) }
    if let event = pending.event { database.broadcast.send(event) }
    return result
  }

  private func rollBack() {
    expectsTransaction = false
    // Some failures (a full disk) have rolled back already.
    if isInTransaction { try? runInternally("ROLLBACK") }
    for observer in configuration.extensions { observer.didRollback(self) }
  }

  func merging<T>(in database: Database, _ body: (Connection) throws -> T) throws -> T {
    try setReactions(false)
    // Outside a transaction, on an open connection, setting a flag does not fail.
    defer { try? setReactions(true) }
    return try writing(in: database) { connection in try connection.withInternalAccess { try body(connection) } }
  }
}
