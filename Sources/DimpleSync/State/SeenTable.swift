internal import DimpleChangelog
internal import DimpleStore

/// Which transactions of whom are merged from one vault, with the hash chain around each run of them: the vector.
struct Seen: Equatable {
  struct Run: Equatable {
    var range: ClosedRange<Int64>
    /// The chain just before the first and just after the last transaction.
    var chain: PackChain

    /// Nothing came before it.
    var isBeginning: Bool { chain.before == LogChain.start }

    /// Whether one can go on where the other ends; runs apart always can. Overlapping ones are not compared inside.
    func agrees(with other: Run) -> Bool {
      if range.upperBound.saturatingSuccessor == other.range.lowerBound { return chain.after == other.chain.before }
      if other.range.upperBound.saturatingSuccessor == range.lowerBound { return other.chain.after == chain.before }
      if range.lowerBound == other.range.lowerBound, chain.before != other.chain.before { return false }
      return range.upperBound != other.range.upperBound || chain.after == other.chain.after
    }
  }

  /// Ascending; runs that touch are one.
  private(set) var runs: [ReplicaID: [Run]] = [:]

  func numbers(of replica: ReplicaID) -> RangeSet64 { RangeSet64(runs[replica, default: []].map(\.range)) }

  var vector: [ReplicaID: RangeSet64] { runs.mapValues { RangeSet64($0.map(\.range)) } }

  /// What is merged, and what never was: a log that was trimmed before its first sync begins later.
  var settled: [ReplicaID: RangeSet64] {
    runs.mapValues { runs in
      var numbers = RangeSet64(runs.map(\.range))
      if let first = runs.first, first.isBeginning, first.range.lowerBound > 1 {
        numbers.insert(1...first.range.lowerBound - 1)
      }
      return numbers
    }
  }

  /// What must have been, since it or something after it was merged: from where each log begins.
  var implied: [ReplicaID: RangeSet64] {
    runs.compactMapValues { runs in
      guard let first = runs.first, let last = runs.last else { return nil }
      return RangeSet64([(first.isBeginning ? first.range.lowerBound : 1)...last.range.upperBound])
    }
  }

  /// Whether a pack goes on from, or repeats, what was merged before.
  ///
  /// - Throws: ``SyncError/Code/brokenChain``.
  func check(_ decoded: DecodedPack) throws {
    let header = decoded.header
    for run in runs[header.replica, default: []] {
      let before = decoded.chain(before: run.range.lowerBound)
      let after = decoded.chain(after: run.range.upperBound)
      guard before ?? run.chain.before == run.chain.before, after ?? run.chain.after == run.chain.after else {
        throw SyncError(
          .brokenChain, operation: "merge a pack",
          message: "Transactions of replica \(header.replica) differ from those merged before under the same numbers.",
          hint: "Two copies of one database wrote under the same identity, or somebody altered the vault.")
      }
    }
  }

  /// Counts `range` of a pack as merged.
  mutating func insert(_ range: ClosedRange<Int64>, of decoded: DecodedPack) {
    guard let before = decoded.chain(before: range.lowerBound), let after = decoded.chain(after: range.upperBound)
    else { return }
    insert(Run(range: range, chain: PackChain(before: before, after: after)), of: decoded.header.replica)
  }

  mutating func insert(_ run: Run, of replica: ReplicaID) {
    // Most often behind all others.
    if let last = runs[replica]?.last, last.range.upperBound.saturatingSuccessor < run.range.lowerBound {
      return runs[replica, default: []].append(run)
    }
    var merged = run
    var rest: [Run] = []
    for other in runs[replica, default: []] {
      if other.range.lowerBound > merged.range.upperBound.saturatingSuccessor
        || merged.range.lowerBound > other.range.upperBound.saturatingSuccessor
      {
        rest.append(other)
        continue
      }
      if other.range.lowerBound < merged.range.lowerBound { merged.chain.before = other.chain.before }
      if other.range.upperBound > merged.range.upperBound { merged.chain.after = other.chain.after }
      merged.range =
        min(merged.range.lowerBound, other.range.lowerBound)...max(merged.range.upperBound, other.range.upperBound)
    }
    rest.append(merged)
    runs[replica] = rest.sorted { $0.range.lowerBound < $1.range.lowerBound }
  }
}

/// `dimple_seen` and `dimple_pushed`, for one vault.
struct SeenTable {
  let vault: String
  let connection: Connection

  func load() throws -> Seen {
    let statement = try connection.prepare(
      """
      SELECT dimple_replica.id, first, last, before, after FROM dimple_seen
      JOIN dimple_replica ON number = replica WHERE vault = ? ORDER BY replica, first
      """)
    defer { statement.reset() }
    try statement.bind(.text(vault), at: 1)
    var seen = Seen()
    while try statement.step() {
      let run = Seen.Run(
        range: statement.range(1, 2),
        chain: PackChain(before: statement.bytes(3), after: statement.bytes(4)))
      seen.insert(run, of: statement.replica(0))
    }
    return seen
  }

  /// What is merged of whom, from whichever vault.
  static func vectorOverAllVaults(_ connection: Connection) throws -> [ReplicaID: RangeSet64] {
    let statement = try connection.prepare(
      "SELECT dimple_replica.id, first, last FROM dimple_seen JOIN dimple_replica ON number = replica ORDER BY 1, 2")
    defer { statement.reset() }
    return try statement.vector()
  }

  /// Replaces what is stored of `replica`.
  func save(_ seen: Seen, of replica: ReplicaID, _ replicas: inout ReplicaTable) throws {
    let number = try replicas.number(of: replica, connection)
    try connection.prepare("DELETE FROM dimple_seen WHERE vault = ? AND replica = ?")
      .run(.text(vault), .integer(number))
    let insert = try connection.prepare(
      "INSERT INTO dimple_seen(vault, replica, first, last, before, after) VALUES (?, ?, ?, ?, ?, ?)")
    for run in seen.runs[replica, default: []] {
      try insert.run(
        .text(vault), .integer(number), .integer(run.range.lowerBound), .integer(run.range.upperBound),
        .blob(run.chain.before), .blob(run.chain.after))
    }
  }

  /// All from which something was merged.
  static func vaults(_ connection: Connection) throws -> [String] {
    let statement = try connection.prepare("SELECT vault FROM dimple_seen UNION SELECT vault FROM dimple_heard")
    defer { statement.reset() }
    var vaults: [String] = []
    while try statement.step() { vaults.append(statement.text(0)) }
    return vaults
  }

  /// Counts one more run as merged.
  func insert(_ run: Seen.Run, of replica: ReplicaID) throws {
    var (seen, replicas) = (try load(), try ReplicaTable(connection))
    seen.insert(run, of: replica)
    try save(seen, of: replica, &replicas)
  }

  /// Nothing of `replica` counts as merged, from any vault.
  static func forget(_ replica: ReplicaID, _ connection: Connection) throws {
    try connection.prepare("DELETE FROM dimple_seen WHERE replica IN (SELECT number FROM dimple_replica WHERE id = ?)")
      .run(replica.sqlValue)
  }

  /// The last own transaction that is in the vault, and the chain after it.
  func pushed() throws -> (last: Int64, chain: [UInt8]) {
    let statement = try connection.prepare("SELECT last, chain FROM dimple_pushed WHERE vault = ?")
    defer { statement.reset() }
    try statement.bind(.text(vault), at: 1)
    return try statement.step() ? (statement.int64(0), statement.bytes(1)) : (0, LogChain.start)
  }

  /// In no vault is anything known to be under the replica's name; the log is kept for all of them.
  static func startPushedAgain(_ connection: Connection) throws {
    try connection.prepare("UPDATE dimple_pushed SET last = 0, chain = ?").run(.blob(LogChain.start))
  }

  /// The same for every vault that has any.
  static func allPushed(_ connection: Connection) throws -> [(vault: String, last: Int64, chain: [UInt8])] {
    let statement = try connection.prepare("SELECT vault, last, chain FROM dimple_pushed")
    defer { statement.reset() }
    var rows: [(vault: String, last: Int64, chain: [UInt8])] = []
    while try statement.step() { rows.append((statement.text(0), statement.int64(1), statement.bytes(2))) }
    return rows
  }

  /// Whether anything was merged from another vault.
  func othersExist() throws -> Bool {
    let statement = try connection.prepare("SELECT 1 FROM dimple_seen WHERE vault <> ? LIMIT 1")
    defer { statement.reset() }
    try statement.bind(.text(vault), at: 1)
    return try statement.step()
  }

  /// From now on the log is kept for the vault, though nothing was sent to it yet.
  func register() throws {
    try connection.prepare("INSERT OR IGNORE INTO dimple_pushed(vault, last, chain) VALUES (?, 0, ?)")
      .run(.text(vault), .blob(LogChain.start))
  }

  func setPushed(_ last: Int64, chain: [UInt8]) throws {
    try connection.prepare("INSERT OR REPLACE INTO dimple_pushed(vault, last, chain) VALUES (?, ?, ?)")
      .run(.text(vault), .integer(last), .blob(chain))
  }
}
