internal import DimpleMutex
internal import DimpleStore

/// Removes from the log what need not be kept, in steps so small that nobody notices.
///
/// The first step only says where the log begins from now on, in `dimple_meta`; the rows before are removed by the steps that
/// follow, and read by nobody meanwhile. So it may stop, or the process be killed, after any of them.
struct LogTrimmer {
  /// The most rows that one step removes.
  static let rows = 256
  /// The bytes after which a step ends; a single row may hold more.
  static let bytes = 1 << 17

  let changelog: Changelog
  let connection: Connection

  /// One step, in the running write transaction, with access to the library's own tables.
  ///
  /// - Returns: Whether there is more to do.
  func step(_ report: inout TrimReport) throws -> Bool {
    report.steps += 1
    let kept = try moveBeginning()
    report.firstTransaction = kept
    let end = try LogSearch(connection: connection).firstTime(ofTransactionsAfter: kept - 1)
    if try remove("dimple_log", "hlc", before: kept == 1 ? 0 : end, &report) { return true }
    guard try MergeLog.exists(connection) else { return false }
    return try remove("dimple_merge", "id", before: firstKeptMerge(kept), &report)
  }

  /// Decides where the log begins, and notes it where that has changed.
  private func moveBeginning() throws -> Int64 {
    let kept = try changelog.keptTransaction(connection)
    let last = try changelog.lastTransaction(connection)
    let plan = TrimPlan(
      changelog.options.retention, last: last, kept: kept, recent: try firstRecent(last),
      needed: try neededBySync(), held: changelog.heldTransaction)
    if plan.kept > kept { try begin(at: plan.kept) }
    return plan.kept
  }

  /// Where a version has synced that said nothing of what it needs, that is all.
  private func neededBySync() throws -> Int64? {
    if let needed = try MetaValue.needed.get(connection) { return needed }
    let statement = try connection.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'dimple_sync'")
    defer { statement.reset() }
    return try statement.step() ? 0 : nil
  }

  /// From now on the log begins with this transaction.
  func begin(at transaction: Int64) throws {
    try MetaValue.kept.set(transaction, connection)
    // Clock and numbers go on from the newest row; once that is removed, from these.
    guard let newest = try LogTables.newest(connection) else { return }
    try MetaValue.transaction.set(newest.transaction, connection)
    try MetaValue.clock.set(max(newest.time.rawValue, MetaValue.clock.get(connection) ?? 0), connection)
  }

  /// What was stamped by then is old; `nil` where age does not count.
  private var oldest: HybridTime? {
    switch changelog.options.retention {
    case .all: return HybridTime(rawValue: -1)
    case .minimal: return nil
    case .duration(let duration):
      return changelog.now().advanced(by: .zero - max(.zero, duration))
    }
  }

  private func firstRecent(_ last: Int64) throws -> Int64 {
    guard let oldest else { return last + 1 }
    return try LogSearch(connection: connection).firstRow(from: oldest.rawValue + 1)?.transaction ?? last + 1
  }

  /// The first merge to be kept: that of a transaction or a time that is, and in any case the last.
  private func firstKeptMerge(_ kept: Int64) throws -> Int64 {
    let statement = try connection.prepare(
      """
      SELECT id FROM dimple_merge WHERE position >= ? AND time > ? OR id = (SELECT max(id) FROM dimple_merge)
      ORDER BY id LIMIT 1
      """)
    defer { statement.reset() }
    // Right after a transaction that is gone came what the first moment of those kept has.
    try statement.bind(.integer(changelog.options.retention == .minimal ? .max : kept - 1), at: 1)
    try statement.bind(.integer(oldest?.rawValue ?? -1), at: 2)
    return try statement.step() ? statement.int64(0) : 0
  }

  private func remove(_ table: String, _ key: String, before end: Int64, _ report: inout TrimReport) throws -> Bool {
    var (count, size, last) = (0, 0, Int64.min)
    var hasMore = false
    do {
      let statement = try connection.prepare(
        "SELECT \(key), length(payload) FROM \(table) WHERE \(key) < ? ORDER BY \(key) LIMIT \(Self.rows + 1)")
      defer { statement.reset() }
      try statement.bind(.integer(end), at: 1)
      while try statement.step() {
        hasMore = count == Self.rows || size >= Self.bytes
        if hasMore { break }
        (count, size, last) = (count + 1, size + Int(statement.int64(1)), statement.int64(0))
      }
    }
    guard count > 0 else { return false }
    try connection.prepare("DELETE FROM \(table) WHERE \(key) <= ?").run(.integer(last))
    report.removedRows += count
    report.removedBytes += size
    return hasMore
  }
}
