internal import DimpleChangelog
internal import DimpleRemote
internal import DimpleStore

/// Looks at packs under the database's own names that it does not know to be its own.
///
/// A pack that holds what the own log holds is as good as an own one: another copy of this database sent it, or this one
/// did before it was restored from a backup. Anything else under the present name means that a copy goes on under it: the
/// file was copied to another device, or a backup was restored. Two copies must not share a name: ``NameChange``.
struct OwnPacks {
  let session: SyncSession

  /// - Parameter listed: All packs that the vault lists.
  /// - Returns: Whether the database now has another name.
  func check(_ listed: [PullPlan.Candidate]) async throws -> Bool {
    guard let split = try await difference(listed) else { return false }
    let session = session
    // What is in the merged state can be given another stamp; what will be has it from the beginning.
    try await session.fold()
    try await session.write { connection in
      try NameChange(connection: connection, changelog: session.changelog, vault: session.vault).run(after: split)
      try SyncTables.register(vault: session.vault.id, session.changelog, connection)
    }
    // What the copy sent of the common part need not be sent again.
    _ = try await difference(listed)
    return true
  }

  /// Gives all that is under the present name another one, where it cannot be told what a copy sent of it.
  func takeNewName() async throws {
    let session = session
    try await session.fold()
    try await session.write { connection in
      let offset = try session.changelog.identities(connection).last?.offset ?? 0
      try NameChange(connection: connection, changelog: session.changelog, vault: session.vault).run(after: offset)
      try SyncTables.register(vault: session.vault.id, session.changelog, connection)
    }
  }

  /// The last local transaction up to which all packs agree with the log, where they do not to its end.
  private func difference(_ listed: [PullPlan.Candidate]) async throws -> Int64? {
    let (identities, known) = try await load()
    let names = Set(identities.map(\.replica))
    let mine = listed.filter { names.contains($0.name.replica) }
      .sorted { ($0.name.range.lowerBound, $0.key) < ($1.name.range.lowerBound, $1.key) }
    // A put whose answer was lost.
    let sent = try await advance(mine.compactMap { known[$0.key] })
    var split: Int64?
    for pack in mine where known[pack.key] == nil && !session.examined.contains(pack.key) {
      guard let identity = identities.first(where: { $0.replica == pack.name.replica }) else { continue }
      // Of a former name, what lies beyond its end is known to be a copy's.
      if let last = identity.last, pack.name.range.lowerBound > last - identity.offset { continue }
      let difference: Int64?
      switch try await read(pack) {
      case .success(let decoded):
        difference = try await compare(decoded, identity, key: pack.key)
        // What another wrote under a name that this database had stays what it is.
        if difference == nil, identity.last != nil || lacksSome(decoded) { session.examined.insert(pack.key) }
      case .failure(let error):
        difference = Self.suspectedDifference(error, pack, identity, sent: sent)
      }
      if let difference { split = min(split ?? difference, difference) }
    }
    return split
  }

  /// Tries twice: what was cut short on its way may not be so the next time.
  private func read(_ pack: PullPlan.Candidate) async throws -> Result<DecodedPack, SyncError> {
    let fetch = PackFetch(session: session)
    let result = try await fetch.fetch(pack)
    if case .failure(let error) = result, !SkippedObject(key: pack.key, error: error).isGone {
      return try await fetch.fetch(pack)
    }
    return result
  }

  /// Where a pack cannot be read that a copy put under the present name, beyond what this database has sent: whatever is sent
  /// under these numbers may contradict it, and readers would take in one or the other. Former names send nothing new, and what
  /// is gone was joined with others.
  private static func suspectedDifference(
    _ error: SyncError, _ pack: PullPlan.Candidate, _ identity: Identity, sent: Int64
  ) -> Int64? {
    guard identity.last == nil, pack.name.range.upperBound > sent, !SkippedObject(key: pack.key, error: error).isGone
    else { return nil }
    // What lies before it may be the copy's, too.
    return identity.offset + sent
  }

  private func load() async throws -> (identities: [Identity], known: [String: OwnPackTable.Row]) {
    let (id, changelog) = (session.vault.id, session.changelog)
    return try await session.database.read { connection in
      (
        try changelog.identities(connection), try OwnPackTable(vault: id, connection: connection).load()
      )
    }
  }

  /// Counts packs that were put as sent, where they go on from what is.
  ///
  /// - Returns: The last transaction under the present name that counts as sent.
  private func advance(_ packs: [OwnPackTable.Row]) async throws -> Int64 {
    let (id, present) = (session.vault.id, session.changelog.replicaID)
    let pushed = try await session.database.read { try SeenTable(vault: id, connection: $0).pushed() }
    var (last, chain) = pushed
    for pack in packs where pack.name.replica == present {
      guard pack.name.range.lowerBound == last + 1, pack.chain.before == chain else { continue }
      (last, chain) = (pack.name.range.upperBound, pack.chain.after)
    }
    guard last > pushed.last else { return last }
    let (newLast, newChain, changelog) = (last, chain, session.changelog)
    try await session.write { connection in
      try SeenTable(vault: id, connection: connection).setPushed(newLast, chain: newChain)
      try SyncTables.noteNeeded(changelog, connection)
    }
    return newLast
  }

  /// A pack that was carried here from a vault that does not get all: here, all is still to be sent.
  private func lacksSome(_ decoded: DecodedPack) -> Bool { decoded.hasGaps && session.options.leavesOut.isEmpty }

  /// Remembers a pack that says what the own log says, and all of it.
  ///
  /// - Returns: The last local transaction before the difference, if there is one.
  private func compare(_ decoded: DecodedPack, _ identity: Identity, key: String) async throws -> Int64? {
    let (id, session, lacksSome) = (session.vault.id, session, lacksSome(decoded))
    return try await session.database.write { connection in
      let table = SeenTable(vault: id, connection: connection)
      let former = FormerTable(connection: connection)
      let isPresent = identity.last == nil
      let pushed = try isPresent ? table.pushed() : former.pushed(of: identity.replica, to: id)
      let header = decoded.header
      let signingKey =
        try isPresent ? SyncSetting.signingKey.get(connection)?.blob : former.signingKey(of: identity.replica)
      // Without the key that others know the name by, nothing can be said under it, also not to other vaults.
      guard let signingKey, try session.vault.publicKey(of: signingKey) == header.publicKey else {
        return isPresent ? identity.offset : nil
      }
      let log = OwnLog(
        identity: identity, signingKey: signingKey, connection: connection, changelog: session.changelog)
      if case .differs(let last) = try log.compare(decoded, pushed: pushed) { return identity.offset + last }
      try connection.withInternalAccess {
        let end = min(header.range.upperBound, try log.bounds().last)
        try session.noteAttempt(upTo: identity.offset + end, connection)
        if lacksSome { return }
        try OwnPackTable(vault: id, connection: connection).insert(key, header, unfoldedSize: decoded.unfoldedSize)
        guard end > pushed.last, decoded.chain(before: pushed.last + 1) == pushed.chain,
          let chain = decoded.chain(before: end + 1)
        else { return }
        if isPresent {
          try table.setPushed(end, chain: chain)
        } else {
          try former.setPushed(end, chain: chain, of: identity.replica, to: id)
        }
        try SyncTables.noteNeeded(session.changelog, connection)
      }
      return nil
    }
  }
}

extension SQLValue {
  /// The bytes of a blob.
  fileprivate var blob: [UInt8]? { if case .blob(let bytes) = self { bytes } else { nil } }
}
