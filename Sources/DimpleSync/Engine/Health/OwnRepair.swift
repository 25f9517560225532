internal import DimpleChangelog
internal import DimpleRemote
internal import DimpleStore

/// Sends own transactions again that a vault no longer has in objects that can be used.
struct OwnRepair {
  let session: SyncSession

  func run(_ outcome: VaultCheck.Outcome, _ report: inout RepairReport) async throws {
    let changelog = session.changelog
    var resent: [ReplicaID: RangeSet64] = [:]
    var put: Set<String> = []
    for identity in try await session.database.read({ try changelog.identities($0) }) {
      for range in outcome.missing[identity.replica]?.ranges ?? [] {
        let sent = try await resend(range, of: identity, &put, &report)
        resent[identity.replica, default: RangeSet64()].formUnion(sent)
      }
    }
    let parts = PartHealth(session: session)
    for lost in outcome.lostParts where try await parts.supply(lost.hash, lost.references) { report.resentParts += 1 }
    // Only what this database put itself, and only after what was in it is there again.
    for pack in outcome.damaged where !put.contains(pack.key) {
      guard try await isOwn(pack) else { continue }
      let rest = RangeSet64([pack.name.range])
        .subtracting(outcome.missing[pack.name.replica]?.subtracting(resent[pack.name.replica] ?? .init()) ?? .init())
      guard rest == RangeSet64([pack.name.range]) else { continue }
      try await session.deleteOwnPack(pack.key)
      report.removedObjects += 1
    }
    try await replaceSnapshots(outcome.damagedSnapshots, &report)
  }

  /// Removes what cannot be used, and writes another where one is due without it.
  private func replaceSnapshots(
    _ damaged: [SnapshotCatalog.StoredObject], _ report: inout RepairReport
  ) async throws {
    if damaged.isEmpty { return }
    // Without the manifest, the rest means nothing.
    for object in damaged.sorted(by: { $0.name.kind.rawValue > $1.name.kind.rawValue }) {
      try await session.storage.delete(object.key)
      report.removedObjects += 1
    }
    let id = session.vault.id
    try await session.write { try SnapshotTable(vault: id, connection: $0).remember(.init()) }
    let listing = try await VaultListing(session: session).run()
    var written = SyncReport()
    let writer = SnapshotWriter(session: session, latest: session.latestTime(by: listing.serverTime))
    _ = try await writer.run(listing.candidates, &written)
  }

  private func isOwn(_ pack: PullPlan.Candidate) async throws -> Bool {
    let id = session.vault.id
    return try await session.database.read { try OwnPackTable(vault: id, connection: $0).contains(pack.key) }
  }

  /// - Returns: What could be sent: the log may no longer have all of it.
  private func resend(
    _ range: ClosedRange<Int64>, of identity: Identity, _ put: inout Set<String>, _ report: inout RepairReport
  ) async throws -> RangeSet64 {
    let changelog = session.changelog
    var sent = RangeSet64()
    var first = max(
      range.lowerBound, try await session.database.read { try changelog.firstTransaction($0) } - identity.offset)
    while first <= range.upperBound {
      try Task.checkCancellation()
      let push = Push(session: session)
      let known = try await chain(before: first, of: identity)
      guard let next = try await push.pack(of: identity, first...range.upperBound, after: known) else { return sent }
      _ = try await PartPush(session: session).run(next.big, of: identity)
      let stored = try await PackPut(session: session)
        .put(
          next.body, of: identity.replica, signingKey: next.signingKey,
          attempt: identity.offset + next.body.range.upperBound)
      // The same bytes have the same name, and replace what was damaged.
      put.insert(stored.key)
      sent.insert(next.body.range)
      report.resentTransactions += Int64(next.body.range.count)
      first = next.body.range.upperBound + 1
    }
    return sent
  }

  /// The last transaction before `number` at which a pack that was put begins or ends, and the chain there: the log may not reach
  /// back to its beginning.
  private func chain(before number: Int64, of identity: Identity) async throws -> (last: Int64, chain: [UInt8]) {
    let id = session.vault.id
    let packs = try await session.database.read { try OwnPackTable(vault: id, connection: $0).load() }
    return packs.values.filter { $0.name.replica == identity.replica }
      .flatMap { [($0.name.range.lowerBound - 1, $0.chain.before), ($0.name.range.upperBound, $0.chain.after)] }
      .filter { $0.0 < number }.max { $0.0 < $1.0 } ?? (0, LogChain.start)
  }
}
