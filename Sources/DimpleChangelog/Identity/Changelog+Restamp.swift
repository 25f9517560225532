package import DimpleStore

/// Changes made while the device's clock was ahead get earlier times, before anybody has seen them.
extension Changelog {
  /// Which times the log's changes would get; nothing is changed yet.
  ///
  /// Moved are those that lie after `latest`, after everything that was ever received, and after `transaction`. Their order
  /// among themselves and towards all others stays, so that the merged state decides as before.
  ///
  /// - Parameters:
  ///   - transaction: The last one that others may have seen.
  ///   - target: What the last of them becomes, if there is room.
  package func restamping(
    after transaction: Int64, latest: HybridTime, to target: HybridTime, _ connection: Connection
  ) throws -> TimeMap {
    var map = TimeMap()
    try completeLog(connection)
    guard let newest = try LogTables.newest(connection), newest.time > latest, newest.transaction > transaction else {
      return map
    }
    let floor = max(try MetaValue.clock.get(connection) ?? 0, latest.rawValue)
    let start = max(try time(ofTransactionsAfter: transaction, connection).rawValue, floor + 1)
    let shift = newest.time.rawValue - target.rawValue
    var last = max(try MetaValue.clock.get(connection) ?? 0, try lastTime(before: start, connection))
    try forEachRow(from: start, connection) { hlc, times in
      // A rekey whose delete lies at the floor stays.
      if times.lowerBound <= floor { return last = times.upperBound }
      let new = max(last + 1, times.lowerBound - shift)
      map.append(times, movedBy: new - times.lowerBound)
      last = new + (times.upperBound - times.lowerBound)
    }
    return map
  }

  /// Moves the log's times, in the running write transaction, and sets the clock back.
  ///
  /// - Throws: ``ChangelogError`` `.notInTransaction`.
  package func restamp(_ map: TimeMap, after transaction: Int64, _ connection: Connection) throws {
    try requireWriting(connection, "restamp changes")
    try connection.withInternalAccess {
      let (ownTime, identities) = (OwnTime(connection: connection), try storedIdentities(connection))
      try MergeLog.mapStamps(connection, after: transaction) { stamp in
        let moved = map(stamp.time)
        guard moved != stamp.time, let number = try ownTime.transaction(at: stamp.time),
          identities.replica(of: number) == stamp.replica
        else { return stamp }
        return Stamp(time: moved, replica: stamp.replica)
      }
      let update = try connection.prepare("UPDATE dimple_log SET hlc = ? WHERE hlc = ?")
      try forEachRow(from: time(ofTransactionsAfter: transaction, connection).rawValue, connection) { hlc, _ in
        let new = map(HybridTime(rawValue: hlc))
        if new.rawValue != hlc { try update.run(.integer(new.rawValue), .integer(hlc)) }
      }
    }
    let floor = try MetaValue.clock.get(connection) ?? 0
    let last = max(try LogTables.newest(connection)?.time.rawValue ?? 0, floor)
    recorder.setBack(to: HybridTime(rawValue: last))
  }

  /// Calls `body` with each row's key and the times of its changes. Rows move to earlier times meanwhile, so each page
  /// begins after the last one read, as it was.
  private func forEachRow(
    from start: Int64, _ connection: Connection, _ body: (_ hlc: Int64, _ times: ClosedRange<Int64>) throws -> Void
  ) throws {
    var position = start
    while true {
      var page: [(hlc: Int64, times: ClosedRange<Int64>)] = []
      let statement = try connection.prepare(
        "SELECT hlc, substr(payload, 1, \(LogRun.prefixSize)) FROM dimple_log WHERE hlc >= ? ORDER BY hlc LIMIT 1000")
      try statement.bind(.integer(position), at: 1)
      while try statement.step() { page.append((statement.int64(0), try Self.times(of: statement))) }
      statement.reset()
      guard let last = page.last else { return }
      for row in page { try body(row.hlc, row.times) }
      position = last.hlc + 1
    }
  }

  private static func times(of row: Statement) throws -> ClosedRange<Int64> {
    let hlc = row.int64(0)
    do { return try LogRun.times(of: row.bytes(1), at: hlc) } catch {
      throw LogTables.damaged(at: HybridTime(rawValue: hlc), error)
    }
  }

  private func lastTime(before time: Int64, _ connection: Connection) throws -> Int64 {
    let statement = try connection.prepare(
      "SELECT hlc, substr(payload, 1, \(LogRun.prefixSize)) FROM dimple_log WHERE hlc < ? ORDER BY hlc DESC LIMIT 1")
    defer { statement.reset() }
    try statement.bind(.integer(time), at: 1)
    return try statement.step() ? Self.times(of: statement).upperBound : 0
  }
}
