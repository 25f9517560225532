internal import DimpleChangelog
internal import DimpleStore

/// Parts of large values that packs in the spool refer to and that no row here has: they were overwritten since. They are taken
/// from a vault that has the pack, and lie in `dimple_part` until every vault that lacks the pack has them.
///
/// ```
/// dimple_spool_part(replica, first, last, hash)   the pack, and the part
/// ```
struct SpoolPartTable {
  static let statements = [
    """
    CREATE TABLE IF NOT EXISTS dimple_spool_part(
      replica INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, hash BLOB NOT NULL,
      PRIMARY KEY(replica, first, last, hash)) WITHOUT ROWID
    """
  ]

  struct Entry: Sendable {
    var span: RelayTable.Span
    var hash: [UInt8]
  }

  let connection: Connection

  func insert(_ hashes: some Sequence<[UInt8]>, of span: RelayTable.Span) throws {
    let insert = try connection.prepare(
      "INSERT OR IGNORE INTO dimple_spool_part(replica, first, last, hash) VALUES (?, ?, ?, ?)")
    for hash in hashes {
      try insert.run(
        .integer(Int64(bitPattern: span.replica.rawValue)), .integer(span.range.lowerBound),
        .integer(span.range.upperBound), .blob(hash))
    }
  }

  func isEmpty() throws -> Bool {
    let statement = try connection.prepare("SELECT 1 FROM dimple_spool_part LIMIT 1")
    defer { statement.reset() }
    return try !statement.step()
  }

  /// Those that are not here, pack by pack.
  func missing() throws -> [Entry] { try entries("WHERE hash NOT IN (SELECT hash FROM dimple_part)") }

  private func entries(_ condition: String) throws -> [Entry] {
    let statement = try connection.prepare(
      "SELECT replica, first, last, hash FROM dimple_spool_part \(condition) ORDER BY replica, first, last, hash")
    defer { statement.reset() }
    var entries: [Entry] = []
    while try statement.step() {
      let span = RelayTable.Span(
        replica: ReplicaID(rawValue: UInt64(bitPattern: statement.int64(0))),
        range: statement.int64(1)...statement.int64(2))
      entries.append(Entry(span: span, hash: statement.bytes(3)))
    }
    return entries
  }

  /// How much of them is here, in bytes.
  func size() throws -> Int64 {
    let statement = try connection.prepare(
      """
      SELECT coalesce(sum(length(bytes)), 0) FROM dimple_part WHERE hash IN (SELECT hash FROM dimple_spool_part)
      """)
    defer { statement.reset() }
    return try statement.step() ? statement.int64(0) : 0
  }

  /// Gives up what is here beyond some bytes: the packs that come last wait longest.
  func trim(to room: Int64) throws {
    var (size, kept): (Int64, Set<[UInt8]>) = (0, [])
    let length = try connection.prepare("SELECT length(bytes) FROM dimple_part WHERE hash = ?")
    for entry in try entries("") where !kept.contains(entry.hash) {
      try length.bind(.blob(entry.hash), at: 1)
      let here = try length.step() ? length.int64(0) : 0
      length.reset()
      if size + here > room {
        try connection.prepare("DELETE FROM dimple_part WHERE hash = ?").run(.blob(entry.hash))
      } else {
        size += here
        kept.insert(entry.hash)
      }
    }
  }

  /// Forgets the parts that every vault has which lacks their pack.
  func clean(_ vaults: [RelayTable.Vault]) throws {
    let parts = PartTable(connection: connection)
    for entry in try entries("") {
      let (replica, range) = (entry.span.replica, entry.span.range)
      let isDone = try vaults.allSatisfy { vault in
        try !vault.lacks(range, of: replica) || parts.isKnown(entry.hash, in: vault.id)
      }
      guard isDone else { continue }
      try connection.prepare(
        "DELETE FROM dimple_spool_part WHERE replica = ? AND first = ? AND last = ? AND hash = ?"
      ).run(
        .integer(Int64(bitPattern: replica.rawValue)), .integer(range.lowerBound), .integer(range.upperBound),
        .blob(entry.hash))
      try connection.prepare(
        "DELETE FROM dimple_part WHERE hash = ? AND hash NOT IN (SELECT hash FROM dimple_spool_part)"
      ).run(.blob(entry.hash))
    }
  }
}
