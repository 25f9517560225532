/// What was applied to a database, as its table `dimple_migration` says.
struct AppliedMigration: Hashable {
  let name: String
  let checksum: String
}

/// Decides what to apply: a pure function of what was applied and what the program knows.
enum MigrationPlan {
  /// The index of the first migration to apply; all from there on are to be.
  ///
  /// What was applied must be the beginning of what is known.
  static func firstPending(known: [AppliedMigration], applied: [AppliedMigration]) throws -> Int {
    var seen: Set<String> = []
    for migration in known where !seen.insert(migration.name).inserted {
      throw error(.migrationHistoryChanged, "Two migrations have the name '\(migration.name)'.", "Give each its own.")
    }
    for (index, old) in applied.enumerated() {
      guard index < known.count else { throw newer(old.name) }
      let new = known[index]
      if old.name == new.name {
        guard old.checksum == new.checksum else {
          throw error(
            .migrationHistoryChanged, "Migration '\(old.name)' was edited after it had been applied.",
            "Restore its text, and add a further migration for the change.")
        }
        continue
      }
      guard seen.contains(old.name) else { throw newer(old.name) }
      throw error(
        .migrationHistoryChanged,
        "Migration '\(new.name)' stands where '\(old.name)' was applied: it was inserted, moved or renamed.",
        "Keep the order of what has been released, and add new migrations at the end.")
    }
    return applied.count
  }

  private static func newer(_ name: String) -> StoreError {
    error(
      .newerDatabase, "The database has a migration '\(name)' that this program does not know.",
      "Open it with the newer version of the program; if the migration was removed or renamed, restore it.")
  }

  private static func error(_ code: StoreError.Code, _ message: String, _ hint: String) -> StoreError {
    StoreError(code, operation: "migrate", message: message, hint: hint)
  }
}
