internal import DimpleChangelog
internal import DimpleRemote
internal import DimpleStore

/// Looks at packs under the own replica's name that this database does not remember having sent.
///
/// Usually a put landed and its answer was lost, or the process died before it took note: then the pack holds what the own
/// log holds. Otherwise another copy of this database wrote it: the file was copied to another device, or a backup was
/// restored. Two copies must not share a name, so this one takes a new one, sends its log again under it, and reads what
/// is under the old name as anybody's.
struct OwnPacks {
  let session: SyncSession

  /// - Parameter packs: Those under the own name.
  /// - Returns: Whether the database now has another name.
  func check(_ packs: [PullPlan.Candidate]) async throws -> Bool {
    let pushed = try await pushed()
    for pack in packs.sorted(by: { $0.name.range.lowerBound < $1.name.range.lowerBound })
    where pack.name.range.upperBound > pushed {
      switch try await PackFetch(session: session).fetch(pack) {
      case .failure:
        // It cannot be read, by others neither; whose it was does not matter.
        continue
      case .success(let decoded):
        if try await !isOwn(decoded) {
          try await takeNewName()
          return true
        }
        try await remember(decoded)
      }
    }
    return false
  }

  private func pushed() async throws -> Int64 {
    let id = session.vault.id
    return try await session.database.read { try SeenTable(vault: id, connection: $0).pushed().last }
  }

  /// Whether the own log has the very same transactions: whatever the pack leaves out, they have the same chain. Those that were
  /// removed from the log had all been sent.
  private func isOwn(_ decoded: DecodedPack) async throws -> Bool {
    let (changelog, header) = (session.changelog, decoded.header)
    return try await session.database.read { connection in
      guard case .blob(let signingKey) = try SyncSetting.signingKey.get(connection) else { return false }
      let first = max(header.range.lowerBound, try changelog.firstKeptTransaction(connection))
      guard first <= header.range.upperBound, let before = decoded.chain(before: first) else { return false }
      var builder = PackBuilder(before: before, signingKey: signingKey)
      try changelog.transactions(connection, after: first - 1) { local in
        guard local.number <= header.range.upperBound else { return false }
        builder.append(PackTransaction(number: local.number, changes: local.changes))
        return local.number < header.range.upperBound
      }
      return builder.body?.range == first...header.range.upperBound && builder.chain.after == header.chain.after
    }
  }

  /// Counts it as sent, if it goes on where the last one ended.
  private func remember(_ decoded: DecodedPack) async throws {
    let (id, changelog) = (session.vault.id, session.changelog)
    try await session.database.write { connection in
      try connection.withInternalAccess {
        let table = SeenTable(vault: id, connection: connection)
        let pushed = try table.pushed()
        guard decoded.chain(before: pushed.last + 1) == pushed.chain else { return }
        try table.setPushed(decoded.header.range.upperBound, chain: decoded.header.chain.after)
        try SyncTables.noteNeeded(changelog, connection)
      }
    }
  }

  /// Another copy goes on under the old one.
  func takeNewName() async throws {
    let (id, changelog) = (session.vault.id, session.changelog)
    try await session.database.write { connection in
      try connection.withInternalAccess {
        _ = try changelog.replaceReplicaID(connection)
        try SyncSetting.signingKey.remove(connection)
        try SeenTable.forgetPushed(connection)
        try SeenTable(vault: id, connection: connection).register()
        try SyncTables.noteNeeded(changelog, connection)
      }
    }
  }
}
