internal import DimpleChangelog
internal import DimpleRemote
internal import DimpleStore

/// The packs that a vault lists, from a listing that may be hostile: endless, or full of names.
struct VaultListing {
  let session: SyncSession

  /// The most pages asked for: 20 million objects of S3's pages.
  static let maximumPages = 20_000
  /// In bytes: what a listing says beyond that is not true.
  private static let maximumSize: Int64 = 1 << 50

  private var vault: any Vault { session.vault }

  struct Outcome {
    var packs: [CompactionPlan.StoredPack] = []
    /// How many more there were than ``SyncEngine/Options/maximumListedPacks``: of those that are not merged yet, the first
    /// count.
    var ignored = 0
    /// The storage's clock, where it tells.
    var serverTime: ServerTime?

    var candidates: [PullPlan.Candidate] { packs.map(\.candidate) }
  }

  /// - Throws: ``SyncError/Code/limitExceeded`` where the listing does not end; `RemoteError`.
  func run() async throws -> Outcome {
    let limit = session.options.maximumListedPacks
    var outcome = Outcome()
    var seen: [ReplicaID: RangeSet64]?
    var cursor: ListCursor?
    for _ in 0..<Self.maximumPages {
      let page = try await session.storage.list(prefix: PackName.prefix, after: cursor)
      if let time = ServerTime(page, session) { outcome.serverTime = time }
      for pack in page.objects.lazy.compactMap(storedPack) {
        if outcome.packs.count == limit, seen == nil {
          let vector = try await loadSeen()
          outcome.packs.removeAll { isOld($0, vector) }
          seen = vector
        }
        if let seen, isOld(pack, seen) { continue }
        if outcome.packs.count < limit { outcome.packs.append(pack) } else { outcome.ignored += 1 }
      }
      guard let next = page.next else { return outcome }
      guard next != cursor else { break }
      cursor = next
    }
    throw Self.endless
  }

  static var endless: SyncError {
    SyncError(
      .limitExceeded, operation: "list the vault", message: "The listing does not end.",
      hint: "The storage is faulty or hostile, or something else fills the prefix with objects.")
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
