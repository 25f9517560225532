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

/// Compares a listing with what is known to be in the vault: what was merged from it and came before that, what was sent, and
/// what the packs of others say that they saw there.
///
/// A listing may be stale: what one lacks is only noted, and what the next one lacks too is reported.
struct MissingPacks {
  let session: SyncSession

  /// - Parameter listed: All packs that the vault lists.
  func check(_ listed: [PullPlan.Candidate]) async throws -> [MissingTransactions] {
    let there = [ReplicaID: RangeSet64](listed)
    let unlisted = try await unexplained(missing(there), there)
    let id = session.vault.id
    let noted = try await session.database.read { try UnlistedTable(vault: id, connection: $0).load() }
    if unlisted != noted {
      try await session.write { try UnlistedTable(vault: id, connection: $0).replace(by: unlisted) }
    }
    let own = try await session.ownNames()
    return unlisted.intersection(noted).sorted { $0.key < $1.key }
      .map { MissingTransactions(replica: $0.key, transactions: $0.value.ranges, isOwn: own.contains($0.key)) }
  }

  /// What is not among `there` and should be.
  func missing(_ there: [ReplicaID: RangeSet64]) async throws -> [ReplicaID: RangeSet64] {
    let (id, changelog) = (session.vault.id, session.changelog)
    let expected = try await session.database.read { connection -> [ReplicaID: RangeSet64] in
      let table = SeenTable(vault: id, connection: connection)
      var expected = try table.load().implied
      for row in try HeardTable(vault: id, connection: connection).load().values { expected.formUnion(row.vector) }
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

  // MARK: - What was removed

  /// What comes before the first that is there of each log. It may have been removed: old packs are once snapshots cover them,
  /// and a replica's last one never is.
  static func heads(of there: [ReplicaID: RangeSet64]) -> [ReplicaID: RangeSet64] {
    there.compactMapValues { listed in
      listed.ranges.first.flatMap { $0.lowerBound > 1 ? RangeSet64([1...$0.lowerBound - 1]) : nil }
    }
  }

  /// What the own log no longer had when it was first sent, or does not have any more: nobody could send that again.
  func trimmed() async throws -> [ReplicaID: RangeSet64] {
    let changelog = session.changelog
    return try await session.database.read { connection in
      let first = try changelog.firstTransaction(connection)
      var trimmed: [ReplicaID: RangeSet64] = [:]
      for identity in try changelog.identities(connection) where first - 1 > identity.offset {
        trimmed[identity.replica] = RangeSet64([1...first - 1 - identity.offset])
      }
      return trimmed
    }
  }

  /// What of `missing` was not removed as snapshots have it. The vault is only asked for them where the newest one known does
  /// not say so.
  private func unexplained(
    _ missing: [ReplicaID: RangeSet64], _ there: [ReplicaID: RangeSet64]
  ) async throws -> [ReplicaID: RangeSet64] {
    if missing.isEmpty { return [:] }
    let (id, heads) = (session.vault.id, Self.heads(of: there))
    var covered = try await session.database.read { try SnapshotTable(vault: id, connection: $0).known().vector }
    covered.formUnion(try await trimmed())
    var rest = missing.subtracting(heads.intersection(covered))
    if rest.intersection(heads).isEmpty { return rest }
    let objects = SnapshotObjects(session: session)
    var isNewest = true
    for candidate in try await objects.list().candidates where !rest.intersection(heads).isEmpty {
      guard let manifest = try await objects.usableManifest(candidate.manifest) else { continue }
      rest = rest.subtracting(heads.intersection(manifest.vector))
      guard isNewest, manifest.latest <= session.latestTime else { continue }
      isNewest = false
      try await session.write { try SnapshotTable(vault: id, connection: $0).remember(.init(manifest)) }
    }
    return rest
  }
}
