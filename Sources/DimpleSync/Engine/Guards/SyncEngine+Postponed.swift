public import DimpleChangelog
internal import DimpleStore

/// Transactions of one replica that wait because their times lie too far ahead of this device's clock.
public struct PostponedTransactions: Sendable, Hashable {
  /// Who wrote them.
  public var replica: ReplicaID
  /// Their numbers.
  public var transactions: ClosedRange<Int64>
  /// When the first of them claims to have been made.
  public var time: HybridTime
}

extension SyncEngine {
  /// What waits because its time lies further ahead of this device's clock than ``Options/maximumDrift``. It holds up nothing
  /// else, and is taken in by the first sync after its time has come.
  ///
  /// - Returns: By replica, ascending; of all vaults that the database syncs with.
  /// - Throws: `StoreError`.
  public nonisolated func postponed() async throws -> [PostponedTransactions] {
    guard let changelog = database.extension(Changelog.self) else { return [] }
    let limit = changelog.now().advanced(by: options.maximumDrift)
    return try await database.read { connection in
      guard try SyncSetting.format.integer(connection) != nil else { return [] }
      var found: Set<PostponedTransactions> = []
      for vault in try PostponedTable.vaults(connection) {
        for run in try PostponedTable(vault: vault, connection: connection).waiting(until: limit) {
          found.insert(PostponedTransactions(replica: run.replica, transactions: run.range, time: run.time))
        }
      }
      return found.sorted { ($0.replica, $0.transactions.lowerBound) < ($1.replica, $1.transactions.lowerBound) }
    }
  }

  /// Takes what a replica wrote as it is, however far ahead its times lie: the next sync does.
  ///
  /// This device's clock then moves past those times, and what it writes from then on lies as far ahead for all others. So
  /// trust what is right, such as when this device's own clock is known to be behind.
  ///
  /// - Parameter transactions: Only these; all that the replica wrote and will write if `nil`.
  /// - Throws: `StoreError`, ``SyncError/Code/newerDatabase``.
  public nonisolated func trust(_ replica: ReplicaID, transactions: ClosedRange<Int64>? = nil) async throws {
    try await database.write { connection in
      try connection.withInternalAccess {
        try SyncTables.create(connection)
        try PostponedTable.trust(replica, transactions ?? 1...Int64.max, connection)
      }
    }
  }
}
