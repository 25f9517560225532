internal import DimpleChangelog
internal import DimpleStore

/// Which transactions of a vault refer to which parts of large values, for the sweep; and what is to be looked after:
///
/// ```
/// dimple_part_use(vault, replica, number, hash)   the transactions that are known to refer to parts
/// dimple_part_read(vault, replica, first, last)   the transactions of which all that they refer to is known
/// dimple_part_gap(vault, key)                     packs that were read and leave changes out
/// dimple_part_unused(vault, hash, since)          the parts to which nothing is known to refer, and since when
/// dimple_part_check(vault, hash, number, due)     parts that an own transaction or a carried pack refers to, and when to look
///                                                 for them
/// ```
struct PartUseTable {
  static let statements = [
    """
    CREATE TABLE IF NOT EXISTS dimple_part_use(
      vault TEXT NOT NULL, replica INTEGER NOT NULL, number INTEGER NOT NULL, hash BLOB NOT NULL,
      PRIMARY KEY(vault, replica, number, hash)) WITHOUT ROWID
    """,
    """
    CREATE TABLE IF NOT EXISTS dimple_part_read(
      vault TEXT NOT NULL, replica INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
      PRIMARY KEY(vault, replica, first)) WITHOUT ROWID
    """,
    """
    CREATE TABLE IF NOT EXISTS dimple_part_gap(
      vault TEXT NOT NULL, key TEXT NOT NULL, PRIMARY KEY(vault, key)) WITHOUT ROWID
    """,
    """
    CREATE TABLE IF NOT EXISTS dimple_part_unused(
      vault TEXT NOT NULL, hash BLOB NOT NULL, since INTEGER NOT NULL, PRIMARY KEY(vault, hash)) WITHOUT ROWID
    """,
    """
    CREATE TABLE IF NOT EXISTS dimple_part_check(
      vault TEXT NOT NULL, hash BLOB NOT NULL, number INTEGER NOT NULL, due INTEGER NOT NULL,
      PRIMARY KEY(vault, hash)) WITHOUT ROWID
    """,
  ]

  let vault: String
  let connection: Connection

  // MARK: - Who refers

  func insertUses(_ hashes: some Sequence<[UInt8]>, by number: Int64, of replica: ReplicaID) throws {
    let insert = try connection.prepare(
      "INSERT OR IGNORE INTO dimple_part_use(vault, replica, number, hash) VALUES (?, ?, ?, ?)")
    for hash in hashes {
      try insert.run(.text(vault), replica.sqlValue, .integer(number), .blob(hash))
    }
  }

  /// The parts to which the transactions in `there` refer, as far as it is known.
  func used(by there: [ReplicaID: RangeSet64]) throws -> Set<[UInt8]> {
    let statement = try connection.prepare("SELECT replica, number, hash FROM dimple_part_use WHERE vault = ?")
    defer { statement.reset() }
    try statement.bind(.text(vault), at: 1)
    var used: Set<[UInt8]> = []
    while try statement.step() {
      let number = statement.int64(1)
      if there[statement.replica(0)]?.contains(number) == true {
        used.insert(statement.bytes(2))
      }
    }
    return used
  }

  /// The transactions that are known to refer to a part.
  func users(of hash: [UInt8]) throws -> [ReplicaID: RangeSet64] {
    let statement = try connection.prepare("SELECT replica, number FROM dimple_part_use WHERE vault = ? AND hash = ?")
    defer { statement.reset() }
    try statement.bind(.text(vault), at: 1)
    try statement.bind(.blob(hash), at: 2)
    var users: [ReplicaID: RangeSet64] = [:]
    while try statement.step() {
      let number = statement.int64(1)
      users[ReplicaID(rawValue: UInt64(bitPattern: statement.int64(0))), default: RangeSet64()].insert(number...number)
    }
    return users
  }

  func read() throws -> [ReplicaID: RangeSet64] {
    let statement = try connection.prepare("SELECT replica, first, last FROM dimple_part_read WHERE vault = ?")
    defer { statement.reset() }
    try statement.bind(.text(vault), at: 1)
    return try statement.vector()
  }

  /// The keys of packs that leave changes out, of which all uses were inserted.
  func readWithGaps() throws -> Set<String> {
    let statement = try connection.prepare("SELECT key FROM dimple_part_gap WHERE vault = ?")
    defer { statement.reset() }
    try statement.bind(.text(vault), at: 1)
    var keys: Set<String> = []
    while try statement.step() { keys.insert(statement.text(0)) }
    return keys
  }

  func setReadWithGaps(_ key: String) throws {
    try connection.prepare("INSERT OR IGNORE INTO dimple_part_gap(vault, key) VALUES (?, ?)").run(
      .text(vault), .text(key))
  }

  /// All uses by these transactions were inserted.
  func setRead(_ range: ClosedRange<Int64>, of replica: ReplicaID) throws {
    var all = try read()[replica] ?? RangeSet64()
    all.insert(range)
    try connection.prepare("DELETE FROM dimple_part_read WHERE vault = ? AND replica = ?")
      .run(.text(vault), replica.sqlValue)
    let insert = try connection.prepare(
      "INSERT INTO dimple_part_read(vault, replica, first, last) VALUES (?, ?, ?, ?)")
    for range in all.ranges {
      try insert.run(
        .text(vault), replica.sqlValue, .integer(range.lowerBound),
        .integer(range.upperBound))
    }
  }

  // MARK: - What nobody refers to

  /// Replaces what is noted; what was noted before keeps its time, unless that lies in the future.
  ///
  /// - Returns: Since when each has been unused.
  func setUnused(_ hashes: Set<[UInt8]>, now: Int64) throws -> [[UInt8]: Int64] {
    let statement = try connection.prepare("SELECT hash, since FROM dimple_part_unused WHERE vault = ?")
    try statement.bind(.text(vault), at: 1)
    var before: [[UInt8]: Int64] = [:]
    while try statement.step() { before[statement.bytes(0)] = statement.int64(1) }
    statement.reset()
    var after: [[UInt8]: Int64] = [:]
    for hash in hashes { after[hash] = min(before[hash] ?? now, now) }
    guard after != before else { return after }
    try connection.prepare("DELETE FROM dimple_part_unused WHERE vault = ?").run(.text(vault))
    let insert = try connection.prepare("INSERT INTO dimple_part_unused(vault, hash, since) VALUES (?, ?, ?)")
    for (hash, since) in after { try insert.run(.text(vault), .blob(hash), .integer(since)) }
    return after
  }

  func setUsed(_ hash: [UInt8]) throws {
    try connection.prepare("DELETE FROM dimple_part_unused WHERE vault = ? AND hash = ?")
      .run(.text(vault), .blob(hash))
  }

  /// The part was removed from the vault.
  func removed(_ hash: [UInt8]) throws {
    try setUsed(hash)
    try connection.prepare("DELETE FROM dimple_part_use WHERE vault = ? AND hash = ?").run(.text(vault), .blob(hash))
    try PartTable(connection: connection).forget(hash, in: vault)
  }

  // MARK: - What to look for again

  struct Check: Sendable, Equatable {
    var hash: [UInt8]
    /// A local transaction that refers to it; 0: a carried pack does.
    var number: Int64
    /// In milliseconds since 1970; 0: as soon as the pack is there.
    var due: Int64
  }

  func setChecks(_ checks: [Check]) throws {
    let insert = try connection.prepare(
      "INSERT OR REPLACE INTO dimple_part_check(vault, hash, number, due) VALUES (?, ?, ?, ?)")
    for check in checks {
      try insert.run(.text(vault), .blob(check.hash), .integer(check.number), .integer(check.due))
    }
  }

  /// Parts that a carried pack refers to; what is to be looked for already stays as it is noted.
  func insertChecks(_ hashes: some Sequence<[UInt8]>, due: Int64) throws {
    let insert = try connection.prepare(
      "INSERT OR IGNORE INTO dimple_part_check(vault, hash, number, due) VALUES (?, ?, 0, ?)")
    for hash in hashes { try insert.run(.text(vault), .blob(hash), .integer(due)) }
  }

  func removeCheck(_ hash: [UInt8]) throws {
    try connection.prepare("DELETE FROM dimple_part_check WHERE vault = ? AND hash = ?").run(.text(vault), .blob(hash))
  }

  func checks() throws -> [Check] {
    let statement = try connection.prepare("SELECT hash, number, due FROM dimple_part_check WHERE vault = ?")
    defer { statement.reset() }
    try statement.bind(.text(vault), at: 1)
    var checks: [Check] = []
    while try statement.step() {
      checks.append(Check(hash: statement.bytes(0), number: statement.int64(1), due: statement.int64(2)))
    }
    return checks
  }

  /// The first local transaction of which large values may have to be sent again, to whichever vault.
  static func firstNeeded(_ connection: Connection) throws -> Int64? {
    let statement = try connection.prepare("SELECT min(number) FROM dimple_part_check WHERE number > 0")
    defer { statement.reset() }
    return try statement.step() && !statement.isNull(0) ? statement.int64(0) : nil
  }
}
