internal import DimpleChangelog
internal import DimplePrimitives
internal import DimpleRemote
internal import DimpleStore

/// Signs, folds, seals and puts one pack.
struct PackPut {
  let session: SyncSession

  /// In the vector: a header must not outgrow ``PackDecoder/maximumHeaderSize``, whatever others make of their numbers.
  static let maximumRuns = 8192

  private var vault: any Vault { session.vault }

  /// - Parameter attempt: The last local transaction in it, where it may be in a put for the first time.
  /// - Returns: The object, as a listing will name it.
  func put(
    _ body: PackBody, of replica: ReplicaID, signingKey: [UInt8], attempt: Int64? = nil
  ) async throws -> CompactionPlan.StoredPack {
    let session = session
    let header = try await header(of: body, replica, signingKey)
    let line = try PackHeaderCodec.write(header, vault: vault, signingKey: signingKey)
    let (folded, hash, size) = try fold(line, body)
    let name = PackName(replica: header.replica, range: header.range, contentHash: vault.hash(hash))
    let key = PackName.prefix + (try vault.sealName(name.record)) + vault.objectExtension
    let sealed = try vault.seal(folded)
    try check(max(size, sealed.count), body.range)
    // First: whatever becomes of the put, the pack will be known as an own one, and its changes as possibly seen.
    try await session.write { connection in
      try OwnPackTable(vault: session.vault.id, connection: connection).insert(key, header, unfoldedSize: size)
      if let attempt { try session.noteAttempt(upTo: attempt, connection) }
    }
    try await session.storage.put(key, sealed)
    return CompactionPlan.StoredPack(key: key, name: name, size: sealed.count, unfoldedSize: size)
  }

  /// What others would refuse is not put, so that it does not count as sent.
  private func check(_ size: Int, _ range: ClosedRange<Int64>) throws {
    let limit = session.options.maximumObjectSize
    guard size > limit else { return }
    throw SyncError(
      .transactionTooLarge, operation: "send a pack",
      message: "Transaction \(range.upperBound) takes \(size) bytes, and \(limit) is the most that is read.",
      hint: "Set Options.maximumObjectSize to more on all devices; write less in one transaction from now on.")
  }

  /// The gzip file, and the SHA-256 and size of what it unfolds to.
  private func fold(_ header: [UInt8], _ body: PackBody) throws -> (folded: [UInt8], hash: [UInt8], size: Int) {
    var (contents, size) = (SHA256(), 0)
    let folded = try GzipWriter.write { writer in
      (contents, size) = (SHA256(), 0)
      func write(_ piece: ArraySlice<UInt8>) throws {
        contents.update(piece)
        size += piece.count
        try writer.append(piece)
      }
      try write(header[...])
      try write([UInt8(ascii: "\n")])
      try body.writeLines(write)
    }
    return (folded, contents.finalize(), size)
  }

  private func header(
    of body: PackBody, _ replica: ReplicaID, _ signingKey: [UInt8]
  ) async throws -> PackHeader {
    let publicKey = try vault.publicKey(of: signingKey)
    let (vaultID, app) = (vault.id, session.options.appVersion)
    return try await session.database.read { connection in
      let vector = try SeenTable.vectorOverAllVaults(connection).shortened(toRuns: Self.maximumRuns)
      let here = try SeenTable(vault: vaultID, connection: connection).load().vector
      return PackHeader(
        vault: vaultID, replica: replica, range: body.range, chain: body.chain, vector: vector,
        elsewhere: vector.subtracting(here), schema: try Self.migrationCount(connection), app: app,
        state: try StateCheck.state(connection), salts: body.salts, publicKey: publicKey)
    }
  }

  /// How many migrations the database has applied; 0 if it knows none.
  static func migrationCount(_ connection: Connection) throws -> Int64 {
    let exists = try connection.prepare("SELECT 1 FROM main.sqlite_schema WHERE name = 'dimple_migration'")
    defer { exists.reset() }
    guard try exists.step() else { return 0 }
    let count = try connection.prepare("SELECT count(*) FROM dimple_migration")
    defer { count.reset() }
    return try count.step() ? count.int64(0) : 0
  }
}
