internal import DimpleStore

extension SyncEngine {
  /// Checks everything anew: every object of the vault against its name, its signature, the key that was first seen of its
  /// author and the author's chain of transactions; snapshots, all of their parts, against their manifests and against the
  /// packs; every part of a large value against its hash; whether anything is missing that is known to have been there; and
  /// this database's tables against the merged state and against what was written.
  ///
  /// Writes nothing but what a sync would. Reads the whole vault, a few objects at a time; ``progress`` tells how far it is.
  /// Waits while the same database is synced. May be cancelled at any time.
  ///
  /// - Throws: `RemoteError`, `StoreError`, ``SyncError``, `CancellationError`.
  public func verify() async throws -> HealthReport {
    try await inTurn { session in
      var report = HealthReport()
      try await HealthCheck(session: session, repairs: false).run(&report)
      return report
    }
  }

  /// Mends what ``verify()`` finds and this device can mend: sends its own transactions again that are gone from the vault
  /// or damaged there, and parts of large values that it has, whoever wrote them; removes snapshots of its own that cannot be
  /// used; and makes its tables show what the merged state says.
  ///
  /// - Returns: What was done, and what is left.
  /// - Throws: `RemoteError`, `StoreError`, ``SyncError``, `CancellationError`. What was mended by then is mended.
  public func repair() async throws -> RepairReport {
    try await inTurn { session in
      var found = HealthReport()
      var report = try await HealthCheck(session: session, repairs: true).run(&found)
      report.found = found
      try await HealthCheck(session: session, repairs: false).run(&report.remaining)
      return report
    }
  }

  private func inTurn<T>(_ body: (SyncSession) async throws -> T) async throws -> T {
    let turn = try await SyncTurn.begin(database, clock: options.clock)
    defer {
      meter.end()
      turn.end()
    }
    return try await body(try await openSession())
  }
}

/// What ``SyncEngine/repair()`` did.
public struct RepairReport: Sendable {
  /// What was wrong before.
  public internal(set) var found = HealthReport()
  /// What still is, after a second look.
  public internal(set) var remaining = HealthReport()
  /// Own transactions that were sent again.
  public internal(set) var resentTransactions: Int64 = 0
  /// Parts of large values that were sent again.
  public internal(set) var resentParts = 0
  /// Own objects that could not be used and were removed, after what they held was sent again.
  public internal(set) var removedObjects = 0
  /// Rows whose tables were corrected.
  public internal(set) var correctedRows = 0

  init() {}
}
