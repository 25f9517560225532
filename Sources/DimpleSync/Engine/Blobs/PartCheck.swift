internal import DimpleChangelog
internal import DimpleRemote
internal import DimpleStore

/// Looks, after own packs were put, whether the parts are there to which they refer, and once more when every look of a
/// ``PartSweep`` that did not see the packs has ended: it may have removed what nothing referred to when it looked. For carried
/// packs, it looks then alone.
struct PartCheck {
  /// From the put to the second look, in milliseconds: longer than ``PartSweep/longestLook``.
  static let delay: Int64 = 2 * 3_600_000

  let session: SyncSession

  /// - Returns: How many parts were put again. Asks nothing of the storage where nothing is due.
  func run() async throws -> Int {
    let (id, now) = (session.vault.id, session.changelog.now().milliseconds)
    let due = try await session.database.read { connection in
      // One that is due later than it can be was noted under a clock that was wrong.
      try PartUseTable(vault: id, connection: connection).checks().filter { $0.due <= now || $0.due > now + Self.delay }
    }
    if due.isEmpty { return 0 }
    let parts = PartStorage(session: session)
    let there = Set(try await session.storage.listAll(prefix: PartStorage.prefix).map(\.key))
    var gone: [Int64: Set<[UInt8]>] = [:]
    for check in due where try !there.contains(parts.key(of: check.hash)) {
      gone[check.number, default: []].insert(check.hash)
    }
    var count = 0
    for (number, hashes) in gone.sorted(by: { $0.key < $1.key }) {
      count +=
        number == 0
        ? try await putCarried(hashes) : try await PartPush(session: session).put(hashes, ofTransaction: number)
    }
    try await session.write { connection in
      let table = PartUseTable(vault: id, connection: connection)
      for var check in due {
        // All looks from now on see the pack.
        guard check.due == 0 else {
          try table.removeCheck(check.hash)
          continue
        }
        check.due = now + Self.delay
        try table.setChecks([check])
      }
      try SyncTables.noteNeeded(session.changelog, connection)
    }
    return count
  }

  /// Puts parts that carried packs refer to: the packs are in the vault, and say which rows should have them.
  ///
  /// - Returns: How many could be put.
  private func putCarried(_ hashes: Set<[UInt8]>) async throws -> Int {
    let id = session.vault.id
    let users = try await session.database.read { connection in
      var users: [ReplicaID: RangeSet64] = [:]
      let table = PartUseTable(vault: id, connection: connection)
      for hash in hashes { users.formUnion(try table.users(of: hash)) }
      return users
    }
    var parts = PartHealth(session: session)
    for pack in try await VaultListing(session: session).run().candidates {
      let rest = RangeSet64([pack.name.range]).subtracting(users[pack.name.replica] ?? RangeSet64())
      guard rest != RangeSet64([pack.name.range]) else { continue }
      do { try parts.note(await PackFetch(session: session).fetch(pack).get()) } catch let error as SyncError
        where error.code != .damagedState
      {
        continue
      }
    }
    var count = 0
    for hash in hashes where try await parts.supply(hash) { count += 1 }
    return count
  }
}
