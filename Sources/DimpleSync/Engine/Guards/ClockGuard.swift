internal import DimpleChangelog
internal import DimpleStore

/// Compares this device's clock with the storage's before a push. Own changes that lie ahead of the storage's time, and
/// that nobody can have seen, get earlier times: under a wrong clock they would win over all that is written later elsewhere.
struct ClockGuard {
  let session: SyncSession

  func run(_ server: ServerTime?, _ report: inout SyncReport) async throws {
    guard let server else { return }
    let tolerance = session.options.clockTolerance
    let ahead = session.changelog.now().milliseconds - server.now
    if Duration.milliseconds(abs(ahead)) > tolerance { report.clockDifference = .milliseconds(ahead) }
    let target = HybridTime(milliseconds: server.now)
    report.restampedTransactions += try await restamp(latest: target.advanced(by: tolerance), to: target)
  }

  /// - Returns: How many transactions have other times now.
  private func restamp(latest: HybridTime, to target: HybridTime) async throws -> Int {
    let changelog = session.changelog
    let isNeeded = try await session.database.read { connection in
      let attempted = try SyncSetting.attempted.integer(connection) ?? 0
      return try !changelog.restamping(after: attempted, latest: latest, to: target, connection).isEmpty
    }
    guard isNeeded else { return 0 }
    return try await session.database.write { connection in
      let attempted = try SyncSetting.attempted.integer(connection) ?? 0
      let map = try changelog.restamping(after: attempted, latest: latest, to: target, connection)
      if map.isEmpty { return 0 }
      var restamped: Set<Int64> = []
      try connection.withInternalAccess {
        try StateRestamp(connection: connection, changelog: changelog).run(after: attempted) { _, stamp in
          (stamp, Stamp(time: map(stamp.time), replica: stamp.replica))
        }
      }
      try changelog.transactions(connection, after: attempted) { transaction in
        if transaction.changes.contains(where: { map($0.stamp.time) != $0.stamp.time }) {
          restamped.insert(transaction.number)
        }
        return true
      }
      try changelog.restamp(map, after: attempted, connection)
      return restamped.count
    }
  }
}
