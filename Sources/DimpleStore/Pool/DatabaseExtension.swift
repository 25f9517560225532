/// What takes part in a database's life: change tracking, live queries.
///
/// Called on the thread that has the connection. What throws, makes the operation fail; inside a transaction it rolls back.
/// Statements on tables of the store's own belong inside ``Connection/withInternalAccess(_:)``.
package protocol DatabaseExtension: AnyObject, Sendable {
  /// A connection was opened and set up, outside a transaction: register functions here.
  func connectionDidOpen(_ connection: Connection, role: ConnectionRole) throws
  /// The database is open and migrated; once, before anyone else gets it.
  func databaseDidOpen(_ database: Database) throws
  /// Right after the `BEGIN IMMEDIATE` of each write transaction.
  func didBeginWrite(_ connection: Connection) throws
  /// Before a statement that changes the schema is run; never for statements compiled with internal access.
  func willChangeSchema(_ connection: Connection) throws
  /// Right after that statement, in the same transaction.
  func didChangeSchema(_ connection: Connection) throws
  /// Before a blob is opened to be written as a stream, which fires no triggers, by the names in the schema: throws if the
  /// table's changes would go unseen. Never with internal access.
  func willWriteBlob(_ connection: Connection, table: String, column: String) throws
  /// After a savepoint was begun in a write transaction.
  func didBeginSavepoint(_ connection: Connection)
  /// After the newest savepoint was released or undone; also where SQLite has rolled back the whole transaction by itself.
  func didEndSavepoint(_ connection: Connection, isUndone: Bool)
  /// After a statement of a write transaction failed, in the transaction, by its ``RunningStatement/number``: what it changed
  /// is undone unless the conflict was resolved by `FAIL`. What throws, rolls the transaction back.
  func statementDidFail(_ connection: Connection, number: UInt64) throws
  /// In a write transaction, before a statement of the app's reads tables of the store's own.
  func willReadOwnTables(_ connection: Connection) throws
  /// Before the `COMMIT` of each write transaction.
  func willCommit(_ connection: Connection) throws
  /// After the `COMMIT`, before observers get the event. The connection is not for use any more.
  func didCommit(_ connection: Connection)
  /// Others have committed since the last call: what is known of that, an external event; `nil` for nothing. In a read
  /// transaction, or a write transaction that has just begun.
  func externalCommits(_ connection: Connection) throws -> CommitEvent?
  /// After the `ROLLBACK`. The connection is not for use any more.
  func didRollback(_ connection: Connection)
  /// The database was copied to another file, as a backup: a connection to that, in a write transaction, before anyone
  /// else gets it.
  func didCopy(to copy: Connection) throws
}

extension DatabaseExtension {
  package func connectionDidOpen(_ connection: Connection, role: ConnectionRole) throws {}
  package func databaseDidOpen(_ database: Database) throws {}
  package func didBeginWrite(_ connection: Connection) throws {}
  package func willChangeSchema(_ connection: Connection) throws {}
  package func didChangeSchema(_ connection: Connection) throws {}
  package func willWriteBlob(_ connection: Connection, table: String, column: String) throws {}
  package func didCopy(to copy: Connection) throws {}
  package func didBeginSavepoint(_ connection: Connection) {}
  package func didEndSavepoint(_ connection: Connection, isUndone: Bool) {}
  package func statementDidFail(_ connection: Connection, number: UInt64) throws {}
  package func willReadOwnTables(_ connection: Connection) throws {}
  package func willCommit(_ connection: Connection) throws {}
  package func didCommit(_ connection: Connection) {}
  package func externalCommits(_ connection: Connection) throws -> CommitEvent? { nil }
  package func didRollback(_ connection: Connection) {}
}
