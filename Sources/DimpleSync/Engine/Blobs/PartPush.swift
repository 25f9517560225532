internal import DimpleChangelog
internal import DimpleRemote
internal import DimpleStore

/// A transaction that refers to parts of large values.
struct PartUse: Sendable, Equatable {
  /// As others number it.
  var number: Int64
  /// The parts' hashes.
  var hashes: Set<[UInt8]>

  /// `nil` for one that refers to none.
  init?(_ transaction: PackTransaction) {
    hashes = Set(transaction.changes.flatMap(\.bigColumns).flatMap(\.reference.parts))
    if hashes.isEmpty { return nil }
    number = transaction.number
  }
}

/// Puts the parts of large values that own transactions refer to, before the pack that refers to them.
struct PartPush {
  let session: SyncSession

  /// - Returns: How many parts were put. One value at a time is in memory.
  func run(_ uses: [PartUse], of identity: Identity) async throws -> Int {
    if uses.isEmpty { return 0 }
    let id = session.vault.id
    let checks = uses.flatMap { use in
      use.hashes.map { PartUseTable.Check(hash: $0, number: identity.offset + use.number, due: 0) }
    }
    // First: whatever becomes of the put of the pack, it is looked after.
    try await session.database.write { connection in
      try connection.withInternalAccess {
        let table = PartUseTable(vault: id, connection: connection)
        for use in uses { try table.insertUses(use.hashes, by: use.number, of: identity.replica) }
        try table.setChecks(checks)
        try SyncTables.noteNeeded(session.changelog, connection)
      }
    }
    var count = 0
    for use in uses {
      let unknown = try await session.database.read { connection in
        let table = PartTable(connection: connection)
        return try use.hashes.filter { try !table.isKnown($0, in: id) }
      }
      count += try await put(unknown, ofTransaction: identity.offset + use.number)
    }
    return count
  }

  /// Puts parts of the large values of a local transaction; none where the log does not have it any more.
  ///
  /// - Returns: How many.
  func put(
    _ hashes: Set<[UInt8]>, ofTransaction number: Int64, condition: PutCondition = .ifAbsent
  ) async throws -> Int {
    var (position, rest) = (0, hashes)
    while !rest.isEmpty, let value = try await value(position, of: number) {
      position += 1
      for (index, hash) in value.reference.parts.enumerated() where rest.contains(hash) {
        try await put(value.bytes(ofPart: index), hash, condition)
        rest.remove(hash)
      }
    }
    return hashes.count - rest.count
  }

  /// Puts parts of a large value.
  func put(_ hashes: Set<[UInt8]>, of value: SQLValue, condition: PutCondition = .ifAbsent) async throws {
    guard let (kind, bytes) = BigReference.bytes(of: value) else { return }
    let value = Value(bytes: bytes, reference: BigReference(kind, bytes))
    for (index, hash) in value.reference.parts.enumerated() where hashes.contains(hash) {
      try await put(value.bytes(ofPart: index), hash, condition)
    }
  }

  /// Puts one part, and notes that it is there.
  func put(_ bytes: [UInt8], _ hash: [UInt8], _ condition: PutCondition) async throws {
    let id = session.vault.id
    try await PartStorage(session: session).put(bytes, hash: hash, condition: condition)
    // Only now, and at once: what is there need not be sent again after a crash.
    try await session.database.write { connection in
      try connection.withInternalAccess { try PartTable(connection: connection).setKnown(hash, in: id) }
    }
  }

  private struct Value: Sendable {
    var bytes: [UInt8]
    var reference: BigReference

    func bytes(ofPart index: Int) -> [UInt8] {
      let start = index * BigReference.partSize
      return Array(bytes[start..<min(start + BigReference.partSize, bytes.count)])
    }
  }

  /// The large value at a position of a transaction, counted over all its changes.
  private func value(_ position: Int, of number: Int64) async throws -> Value? {
    let changelog = session.changelog
    return try await session.database.read { connection in
      var found: Value?
      try changelog.transactions(connection, after: number - 1) { local in
        guard local.number == number else { return false }
        var rest = position
        for change in local.changes {
          for column in change.columns where BigReference.isBig(column.value) {
            if rest > 0 {
              rest -= 1
              continue
            }
            guard let (kind, bytes) = BigReference.bytes(of: column.value) else { return false }
            found = Value(bytes: bytes, reference: BigReference(kind, bytes))
            return false
          }
        }
        return false
      }
      return found
    }
  }
}
