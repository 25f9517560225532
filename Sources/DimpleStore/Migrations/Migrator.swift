/// Brings a database to the newest schema. Applied migrations are remembered in `dimple_migration`.
///
/// Processes that open one database at once migrate it once: who has the write lock looks again before it applies.
struct Migrator {
  private let migrations: [Migration]

  init(_ migrations: [Migration]) { self.migrations = migrations }

  func run(on database: Database) throws {
    guard !migrations.isEmpty, try !isUpToDate(database) else { return }
    for (index, migration) in migrations.enumerated() {
      try database.write { connection in
        let applied = try applied(connection)
        try check(applied)
        guard applied.count == index else { return }
        do { try migration.body(connection) } catch var error as StoreError {
          error.operation = "migration “\(migration.name)”: " + error.operation
          throw error
        }
        try connection.withInternalAccess {
          try connection.prepare("INSERT INTO dimple_migration(number, name, checksum) VALUES (?, ?, ?)")
            .run(.integer(Int64(index)), .text(migration.name), .text(migration.checksum))
        }
      }
    }
  }

  private func isUpToDate(_ database: Database) throws -> Bool {
    try database.read { connection in
      guard try connection.rows("SELECT 1 FROM sqlite_schema WHERE name = 'dimple_migration'").count == 1 else {
        return false
      }
      let applied = try stored(connection)
      try check(applied)
      return applied.count == migrations.count
    }
  }

  private struct Applied {
    var name: String
    var checksum: String
  }

  private func applied(_ connection: Connection) throws -> [Applied] {
    try connection.withInternalAccess {
      try connection.prepare(
        """
        CREATE TABLE IF NOT EXISTS dimple_migration(
          number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, checksum TEXT NOT NULL)
        """
      ).run()
    }
    return try stored(connection)
  }

  private func stored(_ connection: Connection) throws -> [Applied] {
    try connection.rows("SELECT name, checksum FROM dimple_migration ORDER BY number")
      .map { Applied(name: try $0.get("name"), checksum: try $0.get("checksum")) }
  }

  /// What was applied must be how the app's list begins.
  private func check(_ applied: [Applied]) throws {
    for (index, past) in applied.enumerated() {
      guard index < migrations.count else {
        throw StoreError(
          .newerDatabase, operation: "migrate",
          message: "The database has a migration “\(past.name)” that this app lacks.",
          hint: "It was opened by a newer version of the app: update this one.")
      }
      let known = migrations[index]
      guard known.name == past.name, known.checksum == past.checksum else {
        throw StoreError(
          .migrationHistoryChanged, operation: "migrate",
          message:
            "Migration \(index + 1) was “\(past.name)” when it was applied; it is “\(known.name)” now, or its SQL changed.",
          hint: "Restore it as it was, and put the change into a new migration at the end.")
      }
    }
  }
}
