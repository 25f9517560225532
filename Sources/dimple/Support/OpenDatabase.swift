internal import DimpleDb

/// Opens databases by path.
enum OpenDatabase {
  /// An existing file; tracked if it is, as it is if not: looking into a database must not change what it is.
  static func existing(_ path: String) throws -> Database {
    guard FileSystem.exists(path) else { throw Failure("There is no file \(path).") }
    let plain = try Database(path)
    guard try isTracked(plain) else { return plain }
    try plain.close()
    return try Database.open(path)
  }

  /// An existing file that is tracked.
  static func tracked(_ path: String) throws -> Database {
    guard FileSystem.exists(path) else { throw Failure("There is no file \(path).") }
    let plain = try Database(path)
    let isTracked = try isTracked(plain)
    try plain.close()
    guard isTracked else {
      throw Failure(
        "\(path) is not tracked yet: run `dimple adopt \(path)` once, or open it with Database.open in an app.")
    }
    return try Database.open(path)
  }

  private static func isTracked(_ database: Database) throws -> Bool {
    try database.rows("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'dimple_log'").isEmpty == false
  }
}
