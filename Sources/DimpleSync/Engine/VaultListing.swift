internal import DimpleChangelog
internal import DimpleRemote
internal import DimpleStore

/// The packs that a vault lists, from a listing that may be hostile: endless, or full of names.
struct VaultListing {
  let session: SyncSession

  /// In bytes: what a listing says beyond that is not true.
  private static let maximumSize: Int64 = 1 << 50

  private var vault: any Vault { session.vault }

  struct Outcome {
    var packs: [CompactionPlan.StoredPack] = []
    /// How many more there were than ``SyncEngine/Options/maximumListedPacks``: of those that are not merged yet, the first
    /// count.
    var ignored = 0
    /// Some are left out, if only such as are merged: what is not here may be there.
    var isPartial = false
    /// The storage's clock, where it tells.
    var serverTime: ServerTime?

    var candidates: [PullPlan.Candidate] { packs.map(\.candidate) }
  }

  /// - Throws: `RemoteError`, also where the listing does not end.
  func run() async throws -> Outcome {
    let limit = session.options.maximumListedPacks
    var outcome = Outcome()
    var seen: [ReplicaID: RangeSet64]?
    try await session.storage.forEachPage(prefix: PackName.prefix) { page in
      if let time = ServerTime(page, session) { outcome.serverTime = time }
      for pack in page.objects.lazy.compactMap(storedPack) {
        if outcome.packs.count == limit, seen == nil {
          let vector = try await loadSeen()
          outcome.packs.removeAll { isOld($0, vector) }
          seen = vector
          outcome.isPartial = true
        }
        if let seen, isOld(pack, seen) { continue }
        if outcome.packs.count < limit { outcome.packs.append(pack) } else { outcome.ignored += 1 }
      }
    }
    return outcome
  }

  private func isOld(_ pack: CompactionPlan.StoredPack, _ seen: [ReplicaID: RangeSet64]) -> Bool {
    pack.name.replica != session.changelog.replicaID && seen[pack.name.replica]?.contains(pack.name.range) == true
  }

  private func loadSeen() async throws -> [ReplicaID: RangeSet64] {
    let id = vault.id
    return try await session.database.read { try SeenTable(vault: id, connection: $0).load().vector }
  }

  /// `nil` for an object that is not a pack of this vault.
  private func storedPack(_ object: ObjectInfo) -> CompactionPlan.StoredPack? {
    let key = object.key
    guard key.hasPrefix(PackName.prefix), key.hasSuffix(vault.objectExtension) else { return nil }
    let name = key.dropFirst(PackName.prefix.count).dropLast(vault.objectExtension.count)
    return vault.openName(String(name)).flatMap(PackName.init(record:)).map {
      .init(key: key, name: $0, size: Int(min(max(object.size, 0), Self.maximumSize)))
    }
  }
}

extension CompactionPlan.StoredPack {
  /// As what to fetch.
  var candidate: PullPlan.Candidate { PullPlan.Candidate(key: key, name: name, size: Int64(size)) }
}
