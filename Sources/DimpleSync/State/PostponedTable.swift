internal import DimpleChangelog
internal import DimpleStore

/// `dimple_postponed`: transactions from too far in the future, which are not fetched again before their time has come; and
/// `dimple_trusted`: what is accepted all the same.
struct PostponedTable {
  struct Run: Sendable, Equatable {
    var replica: ReplicaID
    var range: ClosedRange<Int64>
    /// The earliest time at which one of them may be taken in.
    var time: HybridTime
  }

  /// The latest time that even a trusted transaction may have: the clock must be able to go on after it.
  static let latestTrusted = HybridTime(rawValue: HybridTime.maximum.rawValue / 2)

  let vault: String
  let connection: Connection

  /// Those that are later than `time` and not trusted.
  func waiting(until time: HybridTime) throws -> [Run] {
    let statement = try connection.prepare(
      """
      SELECT replica, first, last, time FROM dimple_postponed AS p WHERE vault = ? AND time > ? AND NOT EXISTS (
        SELECT 1 FROM dimple_trusted AS t
        WHERE t.replica = p.replica AND t.first <= p.last AND p.first <= t.last AND p.time <= ?)
      ORDER BY replica, first
      """)
    defer { statement.reset() }
    try statement.bind(.text(vault), at: 1)
    try statement.bind(.integer(time.rawValue), at: 2)
    try statement.bind(.integer(Self.latestTrusted.rawValue), at: 3)
    var runs: [Run] = []
    while try statement.step() {
      runs.append(
        Run(
          replica: statement.replica(0),
          range: statement.range(1, 2), time: HybridTime(rawValue: statement.int64(3))))
    }
    return runs
  }

  /// Neighbours of which none is due before the first are one run.
  static func append(_ number: Int64, of replica: ReplicaID, at time: HybridTime, to runs: inout [Run]) {
    if let last = runs.last, last.range.upperBound + 1 == number {
      runs[runs.count - 1].range = last.range.lowerBound...number
      runs[runs.count - 1].time = min(last.time, time)
    } else {
      runs.append(Run(replica: replica, range: number...number, time: time))
    }
  }

  /// What is postponed of a part of a replica's log, and nothing else of it.
  func replace(_ range: ClosedRange<Int64>, of replica: ReplicaID, by runs: [Run]) throws {
    try connection.prepare("DELETE FROM dimple_postponed WHERE vault = ? AND replica = ? AND first BETWEEN ? AND ?")
      .run(
        .text(vault), replica.sqlValue, .integer(range.lowerBound), .integer(range.upperBound))
    let insert = try connection.prepare(
      "INSERT OR REPLACE INTO dimple_postponed(vault, replica, first, last, time) VALUES (?, ?, ?, ?, ?)")
    for run in runs {
      try insert.run(
        .text(vault), replica.sqlValue, .integer(run.range.lowerBound),
        .integer(run.range.upperBound), .integer(run.time.rawValue))
    }
  }

  /// All from which something waits.
  static func vaults(_ connection: Connection) throws -> [String] {
    let statement = try connection.prepare("SELECT DISTINCT vault FROM dimple_postponed")
    defer { statement.reset() }
    var vaults: [String] = []
    while try statement.step() { vaults.append(statement.text(0)) }
    return vaults
  }

  static func trust(_ replica: ReplicaID, _ range: ClosedRange<Int64>, _ connection: Connection) throws {
    try connection.prepare("INSERT OR REPLACE INTO dimple_trusted(replica, first, last) VALUES (?, ?, ?)")
      .run(replica.sqlValue, .integer(range.lowerBound), .integer(range.upperBound))
  }

  static func distrust(_ replica: ReplicaID, _ connection: Connection) throws {
    try connection.prepare("DELETE FROM dimple_trusted WHERE replica = ?").run(replica.sqlValue)
  }

  static func trusted(_ connection: Connection) throws -> [ReplicaID: RangeSet64] {
    let statement = try connection.prepare("SELECT replica, first, last FROM dimple_trusted ORDER BY replica, first")
    defer { statement.reset() }
    return try statement.vector()
  }

  func trusted(of replica: ReplicaID) throws -> RangeSet64 {
    let statement = try connection.prepare("SELECT first, last FROM dimple_trusted WHERE replica = ?")
    defer { statement.reset() }
    try statement.bind(replica.sqlValue, at: 1)
    var ranges = RangeSet64()
    while try statement.step() { ranges.insert(statement.range(0, 1)) }
    return ranges
  }
}
