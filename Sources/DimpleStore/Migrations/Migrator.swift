internal import Logging

/// Applies migrations, and keeps what was applied in the table `dimple_migration`.
struct Migrator {
  let migrations: [Migration]
  let logger: Logger?

  private var known: [AppliedMigration] {
    migrations.map { AppliedMigration(name: $0.name, checksum: $0.checksum) }
  }

  /// Applies what is pending, each migration in its own transaction.
  ///
  /// Several processes may do this at once: each step looks again at what was applied, with the write lock held.
  func migrate(_ database: Database) throws {
    // A program that brings no migrations, as a tool for any database, does not judge those of others.
    guard !migrations.isEmpty else { return }
    let first = try firstPending(database)
    guard first < migrations.count else { return }
    for migration in migrations[first...] {
      try database.writer.run { connection in
        if migration.checksForeignKeysAtEnd {
          try connection.inUnenforcedWriteTransaction { try applyIfPending(migration, $0) }
        } else {
          try connection.inWriteTransaction { try applyIfPending(migration, $0) }
        }
      }
    }
  }

  private func firstPending(_ database: Database) throws -> Int {
    do {
      let applied = try database.writer.run { try $0.inReadTransaction(appliedMigrations) }
      return try MigrationPlan.firstPending(known: known, applied: applied)
    } catch let error as StoreError where [.migrationHistoryChanged, .newerDatabase].contains(error.code) {
      // What is tracked or synced is not thrown away, whatever the configuration says.
      guard database.configuration.erasesOnMigrationChange, database.configuration.extensions.isEmpty else {
        throw error
      }
      // Two migrations of one name are not mended by an empty database.
      let first = try MigrationPlan.firstPending(known: known, applied: [])
      logger?.notice("Erasing the database, whose migrations were changed", metadata: ["reason": "\(error.message)"])
      try database.erase()
      return first
    }
  }

  private func applyIfPending(_ migration: Migration, _ connection: Connection) throws {
    try createTable(connection)
    let applied = try appliedMigrations(connection)
    let first = try MigrationPlan.firstPending(known: known, applied: applied)
    guard first < migrations.count, migrations[first].name == migration.name else { return }
    logger?.info("Applying a migration", metadata: ["migration": "\(migration.name)"])
    do {
      try migration.apply(connection)
    } catch var error as StoreError {
      error.operation = "migrate \"\(migration.name)\": \(error.operation)"
      throw error
    }
    try connection.withInternalAccess {
      let insert = try connection.prepare("INSERT INTO dimple_migration (position, name, checksum) VALUES (?, ?, ?)")
      try insert.run(.integer(Int64(first)), .text(migration.name), .text(migration.checksum))
    }
  }

  private func createTable(_ connection: Connection) throws {
    try connection.withInternalAccess {
      let statement = try connection.prepare(
        """
        CREATE TABLE IF NOT EXISTS dimple_migration (
          position INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, checksum TEXT NOT NULL)
        """)
      while try statement.step() {}
    }
  }

  private func appliedMigrations(_ connection: Connection) throws -> [AppliedMigration] {
    try connection.withInternalAccess {
      let exists = try connection.prepare("SELECT 1 FROM main.sqlite_schema WHERE name = 'dimple_migration'")
      guard try exists.step() else { return [] }
      exists.reset()
      let statement = try connection.prepare("SELECT name, checksum FROM dimple_migration ORDER BY position")
      var applied: [AppliedMigration] = []
      while try statement.step() {
        applied.append(AppliedMigration(name: statement.text(0), checksum: statement.text(1)))
      }
      return applied
    }
  }
}
