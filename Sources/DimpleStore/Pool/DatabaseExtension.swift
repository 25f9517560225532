/// What a module above the store adds to a database: functions on its connections, reactions to transactions and schema
/// changes. Every method has an empty default. Calls come from the thread that holds the connection.
package protocol DatabaseExtension: AnyObject, Sendable {
  /// A connection was opened; define functions here.
  func connectionDidOpen(_ connection: Connection, role: ConnectionRole) throws
  /// The database is open and migrated.
  func databaseDidOpen(_ database: Database) throws
  /// A write transaction has begun and holds the write lock.
  func didBeginWrite(_ connection: Connection) throws
  /// A statement of the app is about to change the schema.
  func willChangeSchema(_ connection: Connection) throws
  /// It has, in the same transaction.
  func didChangeSchema(_ connection: Connection) throws
  /// The transaction is about to commit; throwing rolls it back.
  func willCommit(_ connection: Connection) throws
  /// The transaction is committed.
  func didCommit(_ connection: Connection)
  /// The transaction was rolled back.
  func didRollback(_ connection: Connection)
}

extension DatabaseExtension {
  package func connectionDidOpen(_ connection: Connection, role: ConnectionRole) throws {}
  package func databaseDidOpen(_ database: Database) throws {}
  package func didBeginWrite(_ connection: Connection) throws {}
  package func willChangeSchema(_ connection: Connection) throws {}
  package func didChangeSchema(_ connection: Connection) throws {}
  package func willCommit(_ connection: Connection) throws {}
  package func didCommit(_ connection: Connection) {}
  package func didRollback(_ connection: Connection) {}
}
