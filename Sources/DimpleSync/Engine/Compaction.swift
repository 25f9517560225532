internal import DimpleChangelog
internal import DimpleRemote
internal import DimpleStore

/// The last part of a sync: joins own packs where there are many small ones.
///
/// The union is put first, then its parts are deleted; killed in between, the next sync finds the parts superfluous. A
/// replica never touches another's packs.
struct Compaction {
  typealias StoredPack = CompactionPlan.StoredPack

  let session: SyncSession

  private let lineFeed = [UInt8(ascii: "\n")][...]

  private var vault: any Vault { session.vault }

  /// What members accept; a union that nobody can read must not take its parts' place.
  private var limits: CompactionPlan.Limits {
    let options = session.options
    return CompactionPlan.Limits(
      sealed: min(options.largestJoinedPack, options.maximumObjectSize),
      unfolded: options.maximumObjectSize - PackDecoder.maximumHeaderSize)
  }

  /// - Parameter listed: The packs under the present name that the vault listed and that are known to be own ones.
  func run(_ listed: [StoredPack], _ report: inout SyncReport) async throws {
    var packs = listed
    planning: while true {
      let plan = CompactionPlan(packs.filter { !session.unjoinable.contains($0.key) }, limits: limits)
      if plan.superfluous.isEmpty, plan.groups.isEmpty { return }
      session.progress.plan(
        .compacting, transactions: transactions(plan.groups.joined()), bytes: bytes(plan.groups.joined()))
      session.progress.advance(.compacting)
      try await delete(plan.superfluous, from: &packs)
      for group in plan.groups {
        guard let union = try await join(group) else {
          if group.contains(where: { session.unjoinable.contains($0.key) }) { continue planning }
          return
        }
        packs.append(union)
        report.joinedPacks += group.count
        try await delete(group, from: &packs)
        session.progress.advance(.compacting, transactions: transactions(group), bytes: bytes(group))
      }
    }
  }

  private func transactions(_ packs: some Sequence<StoredPack>) -> Int64 {
    saturatingSum(packs.map { $0.candidate.transactions })
  }

  private func bytes(_ packs: some Sequence<StoredPack>) -> Int64 { saturatingSum(packs.map { Int64($0.size) }) }

  private func delete(_ unneeded: [StoredPack], from packs: inout [StoredPack]) async throws {
    for pack in unneeded {
      try await session.deleteOwnPack(pack.key)
      packs.removeAll { $0 == pack }
    }
  }

  /// Puts the union of neighbouring packs; `nil` if they are not what they should be, which is for somebody else to tell.
  private func join(_ group: [StoredPack]) async throws -> StoredPack? {
    guard case .blob(let signingKey) = try await session.database.read({ try SyncSetting.signingKey.get($0) }),
      let parts = try await fetch(group, signedBy: try vault.publicKey(of: signingKey)),
      try await fits(parts, group), let first = parts.first?.header, let last = parts.last?.header
    else { return nil }
    let body = PackBody(
      range: first.range.lowerBound...last.range.upperBound,
      chain: PackChain(before: first.chain.before, after: last.chain.after), salts: salts(of: parts)
    ) { write in
      var next = first.range.lowerBound
      for part in parts {
        try part.forEachLine(from: next) { line, _ in
          try write(line)
          try write(lineFeed)
          return true
        }
        next = part.header.range.upperBound + 1
      }
    }
    return try await PackPut(session: session).put(body, of: first.replica, signingKey: signingKey)
  }

  /// Whether the plan was right: of packs that were noted when sizes were not yet, it knows too little, from now on enough.
  private func fits(_ parts: [DecodedPack], _ group: [StoredPack]) async throws -> Bool {
    if parts.reduce(0, { $0 + $1.unfoldedSize }) <= limits.unfolded { return true }
    let (id, sizes) = (vault.id, zip(group, parts).map { ($0.key, $1.unfoldedSize) })
    try await session.write { connection in
      let table = OwnPackTable(vault: id, connection: connection)
      for (key, size) in sizes { try table.setSize(key, unfolded: size) }
    }
    return false
  }

  private func salts(of parts: [DecodedPack]) -> [PackHeader.Salt] {
    var salts: [[UInt8]: PackHeader.Salt] = [:]
    for salt in parts.flatMap(\.header.salts) { salts[Array(salt.table.utf8)] = salt }
    return salts.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map(\.value)
  }

  /// The parts, each following on the one before it; `nil` if one cannot be used. Then that is not asked for again: the others are
  /// joined without it, and ``SyncEngine/verify()`` tells of it.
  private func fetch(_ group: [StoredPack], signedBy publicKey: [UInt8]) async throws -> [DecodedPack]? {
    var parts: [DecodedPack] = []
    for stored in group {
      guard case .success(let part) = try await PackFetch(session: session).fetch(stored.candidate),
        part.header.publicKey == publicKey,
        parts.last.map({ part.chain(after: $0.header.range.upperBound) == $0.header.chain.after }) ?? true
      else {
        session.unjoinable.insert(stored.key)
        return nil
      }
      parts.append(part)
    }
    return parts
  }
}
