internal import DimpleChangelog
internal import DimpleStore

/// What is known of the vaults that this database syncs with and carries packs between, and the packs on their way:
///
/// ```
/// dimple_vault(vault, left)                             the vaults, and the tables left out of each, a line feed after each
/// dimple_covered(vault, replica, first, last, listed)   what each has, by its last listing; or is not meant to get (0)
/// dimple_spool(replica, first, last, pack)              packs of others that some vault lacks, opened, folded
/// ```
struct RelayTable {
  /// A vault as it was at its last listing.
  struct Vault: Sendable {
    var id: String
    var leavesOut: Set<String>
    /// By replica; empty as long as it was never listed, then ``isListed`` is false.
    var covered: [ReplicaID: RangeSet64] = [:]
    /// Of that, what it had when it was last listed, or was put there since.
    var listed: [ReplicaID: RangeSet64] = [:]
    var isListed = false

    func lacks(_ range: ClosedRange<Int64>, of replica: ReplicaID) -> Bool {
      isListed && covered[replica]?.contains(range) != true
    }
  }

  /// Which transactions a pack holds.
  struct Span: Sendable, Hashable, CustomStringConvertible {
    var replica: ReplicaID
    var range: ClosedRange<Int64>

    /// For reports: what has no key yet in the vault that it is for.
    var description: String { "spool/\(replica)/\(range.lowerBound)-\(range.upperBound)" }
  }

  /// A pack on its way.
  struct Spooled: Sendable {
    var span: Span
    /// Opened, folded.
    var pack: [UInt8]
  }

  static let statements = [
    "CREATE TABLE IF NOT EXISTS dimple_vault(vault TEXT PRIMARY KEY NOT NULL, left TEXT NOT NULL) WITHOUT ROWID",
    """
    CREATE TABLE IF NOT EXISTS dimple_covered(
      vault TEXT NOT NULL, replica INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
      listed INTEGER NOT NULL, PRIMARY KEY(vault, replica, first, last, listed)) WITHOUT ROWID
    """,
    """
    CREATE TABLE IF NOT EXISTS dimple_spool(
      replica INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, pack BLOB NOT NULL,
      PRIMARY KEY(replica, first, last))
    """,
  ]

  let connection: Connection

  // MARK: - Vaults

  func vaults() throws -> [Vault] {
    var vaults: [Vault] = []
    let statement = try connection.prepare("SELECT vault, left FROM dimple_vault ORDER BY vault")
    defer { statement.reset() }
    while try statement.step() {
      vaults.append(
        Vault(id: statement.text(0), leavesOut: Set(statement.text(1).split(separator: "\n").map(String.init))))
    }
    let ranges = try connection.prepare("SELECT vault, replica, first, last, listed FROM dimple_covered")
    defer { ranges.reset() }
    while try ranges.step() {
      guard let index = vaults.firstIndex(where: { $0.id == ranges.text(0) }) else { continue }
      if ranges.int64(4) == 1 { vaults[index].isListed = true }
      // A vault that lists nothing has a row of nobody's.
      guard ranges.int64(2) > 0 else { continue }
      let replica = ReplicaID(rawValue: UInt64(bitPattern: ranges.int64(1)))
      let range = ranges.int64(2)...ranges.int64(3)
      vaults[index].covered[replica, default: RangeSet64()].insert(range)
      if ranges.int64(4) == 1 { vaults[index].listed[replica, default: RangeSet64()].insert(range) }
    }
    return vaults
  }

  func register(_ vault: String, leavesOut: Set<String>) throws {
    try connection.prepare("INSERT OR REPLACE INTO dimple_vault(vault, left) VALUES (?, ?)")
      .run(.text(vault), .text(leavesOut.sorted().map { $0 + "\n" }.joined()))
  }

  /// Nothing is carried to it or from it any more.
  func forget(_ vault: String) throws {
    // Where each pack is from is not known: what may still be carried is fetched again.
    for table in ["dimple_spool", "dimple_spool_part"] { try connection.prepare("DELETE FROM \(table)").run() }
    try connection.prepare("DELETE FROM dimple_vault WHERE vault = ?").run(.text(vault))
    try connection.prepare("DELETE FROM dimple_covered WHERE vault = ?").run(.text(vault))
  }

  /// Replaces what is known of a vault's listing.
  func setListed(_ listed: [ReplicaID: RangeSet64], in vault: String) throws {
    try connection.prepare("DELETE FROM dimple_covered WHERE vault = ? AND listed = 1").run(.text(vault))
    try cover(0...0, of: ReplicaID(rawValue: 0), in: vault)
    for (replica, set) in listed { for range in set.ranges { try cover(range, of: replica, in: vault) } }
  }

  /// - Parameter isListed: Whether the vault has it, or is not meant to get it.
  func cover(_ range: ClosedRange<Int64>, of replica: ReplicaID, in vault: String, isListed: Bool = true) throws {
    try connection.prepare(
      "INSERT OR REPLACE INTO dimple_covered(vault, replica, first, last, listed) VALUES (?, ?, ?, ?, ?)"
    ).run(
      .text(vault), .integer(Int64(bitPattern: replica.rawValue)), .integer(range.lowerBound),
      .integer(range.upperBound), .integer(isListed ? 1 : 0))
  }

  // MARK: - Spool

  /// What is in the spool, and its size in bytes, with the parts of large values that are kept for it.
  func spooled() throws -> (covered: [ReplicaID: RangeSet64], size: Int64) {
    let statement = try connection.prepare("SELECT replica, first, last, length(pack) FROM dimple_spool")
    defer { statement.reset() }
    var covered: [ReplicaID: RangeSet64] = [:]
    var size: Int64 = 0
    while try statement.step() {
      covered[ReplicaID(rawValue: UInt64(bitPattern: statement.int64(0))), default: RangeSet64()]
        .insert(statement.int64(1)...statement.int64(2))
      size += statement.int64(3)
    }
    return (covered, size + (try SpoolPartTable(connection: connection).size()))
  }

  func spool(_ pack: Spooled) throws {
    try connection.prepare("INSERT OR IGNORE INTO dimple_spool(replica, first, last, pack) VALUES (?, ?, ?, ?)").run(
      .integer(Int64(bitPattern: pack.span.replica.rawValue)), .integer(pack.span.range.lowerBound),
      .integer(pack.span.range.upperBound), .blob(pack.pack))
  }

  /// The first spooled pack that the vault lacks.
  ///
  /// - Parameter waiting: Is passed over.
  func next(for vault: Vault, besides waiting: Set<Span>) throws -> Spooled? {
    let statement = try connection.prepare(
      "SELECT replica, first, last FROM dimple_spool ORDER BY replica, first, last DESC")
    defer { statement.reset() }
    while try statement.step() {
      let span = Span(
        replica: ReplicaID(rawValue: UInt64(bitPattern: statement.int64(0))),
        range: statement.int64(1)...statement.int64(2))
      guard vault.lacks(span.range, of: span.replica), !waiting.contains(span) else { continue }
      if let pack = try pack(span) { return pack }
    }
    return nil
  }

  func unspool(_ span: Span) throws {
    try connection.prepare("DELETE FROM dimple_spool WHERE replica = ? AND first = ? AND last = ?").run(
      .integer(Int64(bitPattern: span.replica.rawValue)), .integer(span.range.lowerBound),
      .integer(span.range.upperBound))
  }

  /// A pack in the spool.
  func pack(_ span: Span) throws -> Spooled? {
    let statement = try connection.prepare("SELECT pack FROM dimple_spool WHERE replica = ? AND first = ? AND last = ?")
    defer { statement.reset() }
    try statement.bind(.integer(Int64(bitPattern: span.replica.rawValue)), at: 1)
    try statement.bind(.integer(span.range.lowerBound), at: 2)
    try statement.bind(.integer(span.range.upperBound), at: 3)
    return try statement.step() ? Spooled(span: span, pack: statement.bytes(0)) : nil
  }

  /// Removes from the spool what no vault lacks.
  func clean() throws {
    let vaults = try vaults()
    let statement = try connection.prepare("SELECT replica, first, last, rowid FROM dimple_spool")
    var done: [Int64] = []
    while try statement.step() {
      let replica = ReplicaID(rawValue: UInt64(bitPattern: statement.int64(0)))
      let range = statement.int64(1)...statement.int64(2)
      if !vaults.contains(where: { $0.lacks(range, of: replica) }) { done.append(statement.int64(3)) }
    }
    statement.reset()
    for row in done { try connection.prepare("DELETE FROM dimple_spool WHERE rowid = ?").run(.integer(row)) }
    try SpoolPartTable(connection: connection).clean(vaults)
  }
}
