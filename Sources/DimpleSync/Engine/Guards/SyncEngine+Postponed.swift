public import DimpleChangelog
internal import DimpleStore

/// Transactions of one replica that are taken in however far ahead their times lie: ``SyncEngine/trust(_:transactions:)``.
public struct TrustedTransactions: Sendable, Hashable {
  /// Who wrote them, or will.
  public var replica: ReplicaID
  /// Their numbers; up to `Int64.max` where all are trusted that the replica will write.
  public var transactions: ClosedRange<Int64>
}

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

  /// What is trusted.
  ///
  /// - Returns: By replica, then by number, ascending; what overlaps or touches is one.
  /// - Throws: `StoreError`.
  public nonisolated func trusted() async throws -> [TrustedTransactions] {
    try await database.read { connection in
      guard try SyncSetting.format.integer(connection) != nil else { return [] }
      return try PostponedTable.trusted(connection).sorted { $0.key < $1.key }.flatMap { replica, numbers in
        numbers.ranges.map { TrustedTransactions(replica: replica, transactions: $0) }
      }
    }
  }

  /// Takes back all trust in a replica: what it wrote too far ahead, and was not taken in yet, waits again. What was taken in
  /// stays.
  ///
  /// - Throws: `StoreError`, ``SyncError/Code/newerDatabase``.
  public nonisolated func distrust(_ replica: ReplicaID) async throws {
    try await database.write { connection in
      try connection.withInternalAccess {
        try SyncTables.create(connection)
        try PostponedTable.distrust(replica, connection)
      }
    }
  }
}
