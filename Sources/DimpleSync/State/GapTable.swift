internal import DimpleChangelog
internal import DimpleStore

/// `dimple_gap`: the packs merged that leave changes out, and which of their transactions nobody has shown in full. Another pack
/// may: where the author leaves a table out of one vault, and its pack was carried to another that gets all.
struct GapTable {
  let vault: String
  let connection: Connection

  /// By key.
  func load() throws -> [String: (replica: ReplicaID, numbers: RangeSet64)] {
    let statement = try connection.prepare("SELECT replica, first, last, key FROM dimple_gap WHERE vault = ?")
    defer { statement.reset() }
    try statement.bind(.text(vault), at: 1)
    var gaps: [String: (replica: ReplicaID, numbers: RangeSet64)] = [:]
    while try statement.step() {
      gaps[statement.text(3), default: (statement.replica(0), RangeSet64())].numbers.insert(statement.range(1, 2))
    }
    return gaps
  }

  /// Of one replica's log, by all its packs.
  func numbers(of replica: ReplicaID) throws -> RangeSet64 {
    let statement = try connection.prepare(
      "SELECT replica, first, last FROM dimple_gap WHERE vault = ? AND replica = ?")
    defer { statement.reset() }
    try statement.bind(.text(vault), at: 1)
    try statement.bind(replica.sqlValue, at: 2)
    return try statement.vector()[replica] ?? RangeSet64()
  }

  /// The same in all vaults.
  static func overAllVaults(_ connection: Connection) throws -> [ReplicaID: RangeSet64] {
    let statement = try connection.prepare("SELECT replica, first, last FROM dimple_gap")
    defer { statement.reset() }
    return try statement.vector()
  }

  /// Of a pack with gaps, all but what was seen in full.
  func insert(_ numbers: RangeSet64, of replica: ReplicaID, in key: String) throws {
    let insert = try connection.prepare(
      "INSERT OR REPLACE INTO dimple_gap(vault, key, replica, first, last) VALUES (?, ?, ?, ?, ?)")
    for range in numbers.ranges {
      try insert.run(
        .text(vault), .text(key), replica.sqlValue, .integer(range.lowerBound), .integer(range.upperBound))
    }
  }

  /// These were shown in full.
  func remove(_ range: ClosedRange<Int64>, of replica: ReplicaID) throws {
    let statement = try connection.prepare(
      "SELECT key, first, last FROM dimple_gap WHERE vault = ? AND replica = ? AND first <= ? AND last >= ?")
    var found: [(key: String, range: ClosedRange<Int64>)] = []
    try statement.bind(.text(vault), at: 1)
    try statement.bind(replica.sqlValue, at: 2)
    try statement.bind(.integer(range.upperBound), at: 3)
    try statement.bind(.integer(range.lowerBound), at: 4)
    defer { statement.reset() }
    while try statement.step() { found.append((statement.text(0), statement.range(1, 2))) }
    for gap in found {
      try connection.prepare("DELETE FROM dimple_gap WHERE vault = ? AND key = ? AND first = ?")
        .run(.text(vault), .text(gap.key), .integer(gap.range.lowerBound))
      try insert(RangeSet64([gap.range]).subtracting(RangeSet64([range])), of: replica, in: gap.key)
    }
  }
}
