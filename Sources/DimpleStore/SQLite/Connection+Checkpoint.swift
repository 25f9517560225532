internal import CSQLite

/// What a checkpoint did.
public struct CheckpointResult: Sendable, Hashable {
  /// Pages in the write-ahead log.
  public let logPageCount: Int
  /// Of those, pages that are in the database file by now. Fewer than all if a reader still needs the old ones.
  public let checkpointedPageCount: Int
}

/// How far a checkpoint goes: https://sqlite.org/c3ref/wal_checkpoint_v2.html
public struct CheckpointMode: Sendable, Hashable {
  let code: Int32
  /// As much as is possible without waiting for anyone.
  public static let passive = CheckpointMode(code: SQLITE_CHECKPOINT_PASSIVE)
  /// All of it, waiting for readers.
  public static let full = CheckpointMode(code: SQLITE_CHECKPOINT_FULL)
  /// As ``full``, and the next write begins the log anew.
  public static let restart = CheckpointMode(code: SQLITE_CHECKPOINT_RESTART)
  /// As ``restart``, and the log file is cut to nothing.
  public static let truncate = CheckpointMode(code: SQLITE_CHECKPOINT_TRUNCATE)
}

extension Connection {
  func checkpoint(_ mode: CheckpointMode) throws -> CheckpointResult {
    var logged: Int32 = 0
    var moved: Int32 = 0
    let result = sqlite3_wal_checkpoint_v2(handle, "main", mode.code, &logged, &moved)
    guard result == SQLITE_OK else { throw error(result, operation: "checkpoint", sql: nil) }
    // Both are -1 without a write-ahead log.
    return CheckpointResult(logPageCount: Int(max(0, logged)), checkpointedPageCount: Int(max(0, moved)))
  }
}
