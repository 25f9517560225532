internal import DimpleChangelog
internal import DimpleRemote
internal import DimpleStore

/// The second half of a sync: sends the own transactions that the vault does not have.
struct Push {
  let session: SyncSession

  private var vault: any Vault { session.vault }

  func run(_ report: inout SyncReport) async throws {
    session.progress.plan(.pushing, transactions: try await session.unsent())
    let changelog = session.changelog
    for identity in try await session.database.read({ try changelog.identities($0) }) {
      while let next = try await nextPack(of: identity) {
        session.progress.advance(.pushing)
        report.pushedParts += try await PartPush(session: session).run(next.big, of: identity)
        let stored = try await PackPut(session: session).put(
          next.body, of: identity.replica, signingKey: next.signingKey,
          attempt: identity.offset + next.body.range.upperBound)
        // Only now: a put that failed, or whose answer was lost, is done again, under the same name or one that overlaps.
        try await record(next.body, of: identity)
        report.pushedPacks += 1
        report.pushedTransactions += next.body.range.count
        session.progress.advance(
          .pushing, transactions: Int64(next.body.range.count), bytes: Int64(stored.size))
      }
    }
    report.pushedParts += try await PartCheck(session: session).run()
  }

  struct Next: Sendable {
    var body: PackBody
    /// The transactions in it that refer to large values.
    var big: [PartUse]
    var signingKey: [UInt8]
  }

  /// The transactions under one of the own names after the last one sent, up to a pack's size; `nil` when all are sent.
  private func nextPack(of identity: Identity) async throws -> Next? {
    let (vaultID, changelog) = (vault.id, session.changelog)
    let (pushed, last) = try await session.database.read { connection in
      let isPresent = identity.last == nil
      let pushed =
        try isPresent
        ? SeenTable(vault: vaultID, connection: connection).pushed()
        : FormerTable(connection: connection).pushed(of: identity.replica, to: vaultID)
      return (pushed, try identity.last ?? changelog.lastTransaction(connection))
    }
    guard identity.offset + pushed.last < last else { return nil }
    return try await pack(of: identity, pushed.last + 1...last - identity.offset, after: pushed)
  }

  /// The first of some transactions under one of the own names, up to a pack's size.
  ///
  /// - Parameter known: A transaction before them, and the chain after it.
  /// - Returns: `nil` where the log no longer has them, or the name never signed anything.
  func pack(
    of identity: Identity, _ range: ClosedRange<Int64>, after known: (last: Int64, chain: [UInt8]) = (0, LogChain.start)
  ) async throws -> Next? {
    guard let signingKey = try await signingKey(of: identity) else { return nil }
    let (changelog, options, keys) = (session.changelog, session.options, session.options.leavesOutKeys)
    return try await session.database.read { connection -> Next? in
      let log = OwnLog(identity: identity, signingKey: signingKey, connection: connection, changelog: changelog)
      guard let before = try log.chain(after: range.lowerBound - 1, from: known) else { return nil }
      let left = keys.isEmpty ? nil : LeftTables(keys, try changelog.logNames(connection))
      /// Up to `last` at most; tells the last transaction up to which members take it for its size.
      func build(upTo last: Int64) throws -> (PackBuilder, big: [PartUse], fitting: Int64) {
        var builder = PackBuilder(before: before, signingKey: signingKey) { table, transaction in
          left?.contains(table, in: transaction + identity.offset) ?? false
        }
        var fitting: Int64 = 0
        let big = try log.pack(after: range.lowerBound - 1, into: &builder) { builder, number in
          if builder.size <= options.largestBody { fitting = number }
          return builder.size < options.packSize && builder.size <= options.largestBody && number < last
        }
        return (builder, big, fitting)
      }
      var (builder, big, fitting) = try build(upTo: range.upperBound)
      // One that is too large by itself must not keep back those before it.
      if builder.size > options.largestBody, fitting > 0 { (builder, big, fitting) = try build(upTo: fitting) }
      // Of a former name, the log may no longer have what a vault lacks.
      guard let body = builder.body, body.range.upperBound <= range.upperBound else { return nil }
      // A log that was trimmed before anything was sent begins later.
      guard try body.range.lowerBound == range.lowerBound || isBeginning(identity, range, connection) else {
        return nil
      }
      return Next(body: body, big: big, signingKey: signingKey)
    }
  }

  private func isBeginning(_ identity: Identity, _ range: ClosedRange<Int64>, _ connection: Connection) throws -> Bool {
    guard identity.last == nil, identity.offset == 0, range.lowerBound == 1 else { return false }
    return try !SyncTables.wasSent(connection)
  }

  private func record(_ body: PackBody, of identity: Identity) async throws {
    let (vaultID, changelog) = (vault.id, session.changelog)
    try await session.write { connection in
      let table = SeenTable(vault: vaultID, connection: connection)
      if identity.last == nil {
        try table.setPushed(body.range.upperBound, chain: body.chain.after)
      } else {
        try FormerTable(connection: connection)
          .setPushed(body.range.upperBound, chain: body.chain.after, of: identity.replica, to: vaultID)
        try table.insert(Seen.Run(range: body.range, chain: body.chain), of: identity.replica)
      }
      try SyncTables.noteNeeded(changelog, connection)
    }
  }

  /// The private key of one of the own names; `nil` for a former one that never signed anything.
  private func signingKey(of identity: Identity) async throws -> [UInt8]? {
    try await session.database.read { connection in
      if identity.last != nil { return try FormerTable(connection: connection).signingKey(of: identity.replica) }
      guard case .blob(let key) = try SyncSetting.signingKey.get(connection) else { return nil }
      return key
    }
  }
}

extension SyncEngine.Options {
  /// In bytes: what a pack may unfold to besides its header.
  fileprivate var largestBody: Int { maximumObjectSize - min(PackDecoder.maximumHeaderSize, maximumObjectSize / 2) }
}
