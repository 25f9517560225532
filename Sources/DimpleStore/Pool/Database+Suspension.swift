internal import Logging

extension Database {
  /// Stops the statements that run: their closures get `interrupted`, and what they wrote is rolled back if the error
  /// leaves them. A commit that has begun is finished. What waits its turn, and what comes later, is not concerned.
  ///
  /// From any thread, at once; nothing is waited for.
  public func interrupt() {
    readers.interrupt()
    writer.interrupt()
    snapshots.interrupt()
  }

  /// Lets go of every lock and every file until ``resume()``, for an app that goes to the background: iOS ends apps that
  /// are suspended while they hold a lock on a shared file.
  ///
  /// Statements that run are interrupted and their transactions rolled back; snapshots are released; accesses that run or
  /// wait, and those that come until ``resume()``, throw `suspended`. Then all connections are closed, without the checkpoint
  /// that a ``close()`` may do, so it takes little time; temporary tables are gone. Returns when no lock is held. A
  /// database in memory keeps its connection and its data.
  ///
  /// - Throws: ``StoreError``: `nestedTransaction` inside one of the database's own or its snapshots' closures.
  public func suspend() throws {
    try checkCanEnd(operation: "suspend")
    snapshots.suspend()
    readers.suspend()
    // One lane serves both in memory: once is enough.
    if writer !== readers { writer.suspend() }
    configuration.logger?.debug("Suspended", metadata: ["database": "\(configuration.label)"])
  }

  /// Serves accesses again; connections are opened when needed. Live queries go on, and look again, since others
  /// may have committed meanwhile.
  ///
  /// On a database that is not suspended it does nothing.
  public func resume() {
    guard writer.isSuspended else { return }
    writer.resume()
    readers.resume()
    snapshots.resume()
    commits.deliver(CommitEvent(isExternal: true, changesSchema: true))
    configuration.logger?.debug("Resumed", metadata: ["database": "\(configuration.label)"])
  }

  /// Whether ``suspend()`` was called last.
  public var isSuspended: Bool { writer.isSuspended }
}
