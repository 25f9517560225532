public import DimpleChangelog
internal import DimpleRemote
internal import DimpleStore

/// Transactions that are known to have been in the vault and are not listed any more.
public struct MissingTransactions: Sendable, Hashable, CustomStringConvertible {
  /// Whose.
  public var replica: ReplicaID
  /// Their numbers, ascending.
  public var transactions: [ClosedRange<Int64>]
  /// Written by this database.
  public var isOwn: Bool

  /// One sentence, with what to do.
  public var description: String {
    let numbers = transactions.prefix(3).map { "\($0.lowerBound)–\($0.upperBound)" }.joined(separator: ", ")
    let subject = "Transactions \(numbers)\(transactions.count > 3 ? ", …" : "") of replica \(replica)"
    return isOwn
      ? "\(subject), this database's own, are no longer in the vault: SyncEngine.repair() sends them again."
      : "\(subject) were in the vault and are not listed any more: it was rolled back, or somebody deleted objects. "
        + "The device that wrote them can repair it."
  }
}

/// Compares a listing with what is known to be in the vault: what was merged from it, what was sent, and what the packs of
/// others say that they saw there.
///
/// A listing may be stale: what one lacks is only noted, and what the next one lacks too is reported.
struct MissingPacks {
  let session: SyncSession

  /// What is reported after so many listings.
  private static let listingsBeforeReport: Int64 = 2

  /// - Parameter listed: All packs that the vault lists.
  func check(_ listed: [PullPlan.Candidate]) async throws -> [MissingTransactions] {
    let missing = try await missing(Self.withoutHeads([ReplicaID: RangeSet64](listed)))
    let id = session.vault.id
    let noted = try await session.database.read { try MissingTable(vault: id, connection: $0).load() }
    var next = missing.mapValues { MissingTable.Row(last: $0.last, listings: 1) }
    for (replica, row) in noted where next[replica] != nil {
      next[replica]?.listings = min(row.listings + 1, Self.listingsBeforeReport)
    }
    if next != noted {
      let rows = next
      try await session.write { try MissingTable(vault: id, connection: $0).replace(by: rows) }
    }
    let changelog = session.changelog
    let own = Set(try await session.database.read { try changelog.identities($0) }.map(\.replica))
    return missing.filter { next[$0.key]?.listings == Self.listingsBeforeReport }
      .sorted { $0.key < $1.key }
      .map { MissingTransactions(replica: $0.key, transactions: $0.value.ranges, isOwn: own.contains($0.key)) }
  }

  /// Old packs may be removed once snapshots cover them, and a replica's last one never is.
  static func withoutHeads(_ there: [ReplicaID: RangeSet64]) -> [ReplicaID: RangeSet64] {
    there.mapValues { listed in
      var covered = listed
      if let first = listed.ranges.first?.lowerBound, first > 1 { covered.insert(1...first - 1) }
      return covered
    }
  }

  /// What is not among `there` and should be.
  func missing(_ there: [ReplicaID: RangeSet64]) async throws -> [ReplicaID: RangeSet64] {
    let (id, changelog) = (session.vault.id, session.changelog)
    let expected = try await session.database.read { connection -> [ReplicaID: RangeSet64] in
      let table = SeenTable(vault: id, connection: connection)
      var expected = try table.load().vector
      for row in try HeardTable(vault: id, connection: connection).load().values {
        for (replica, seen) in row.vector { expected[replica, default: RangeSet64()].formUnion(seen) }
      }
      for identity in try changelog.identities(connection) {
        let last =
          try identity.last == nil
          ? table.pushed().last
          : FormerTable(connection: connection).pushed(of: identity.replica, to: id).last
        if last > 0 { expected[identity.replica, default: RangeSet64()].insert(1...last) }
      }
      return expected
    }
    return expected.subtracting(there)
  }
}

/// `dimple_missing`: what should be in the vault and was not listed, and in how many listings in a row.
struct MissingTable {
  struct Row: Sendable, Equatable {
    /// The last number that is missing.
    var last: Int64
    var listings: Int64
  }

  let vault: String
  let connection: Connection

  func load() throws -> [ReplicaID: Row] {
    let statement = try connection.prepare("SELECT replica, last, listings FROM dimple_missing WHERE vault = ?")
    defer { statement.reset() }
    try statement.bind(.text(vault), at: 1)
    var rows: [ReplicaID: Row] = [:]
    while try statement.step() {
      rows[ReplicaID(rawValue: UInt64(bitPattern: statement.int64(0)))] = Row(
        last: statement.int64(1), listings: statement.int64(2))
    }
    return rows
  }

  func replace(by rows: [ReplicaID: Row]) throws {
    try connection.prepare("DELETE FROM dimple_missing WHERE vault = ?").run(.text(vault))
    let insert = try connection.prepare(
      "INSERT INTO dimple_missing(vault, replica, last, listings) VALUES (?, ?, ?, ?)")
    for (replica, row) in rows {
      try insert.run(
        .text(vault), .integer(Int64(replica.rawValue)), .integer(row.last), .integer(row.listings))
    }
  }
}
