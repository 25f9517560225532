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

  /// - Returns: How many parts were put. A few of them are in memory at a time.
  func run(_ uses: [PartUse], of identity: Identity) async throws -> Int {
    if uses.isEmpty { return 0 }
    let id = session.vault.id
    let checks = uses.flatMap { use in
      use.hashes.map { PartUseTable.Check(hash: $0, number: identity.offset + use.number, due: 0) }
    }
    // First: whatever becomes of the put of the pack, it is looked after.
    try await session.write { connection in
      let table = PartUseTable(vault: id, connection: connection)
      for use in uses { try table.insertUses(use.hashes, by: use.number, of: identity.replica) }
      try table.setChecks(checks)
      try SyncTables.noteNeeded(session.changelog, connection)
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

  /// Parts that are read from the log at a time: each reading goes through the value from its beginning.
  private static let partsAtOnce = 4

  /// Puts parts of the large values of a local transaction; none where the log does not have it any more.
  ///
  /// - Returns: How many.
  func put(
    _ hashes: Set<[UInt8]>, ofTransaction number: Int64, condition: PutCondition = .ifAbsent
  ) async throws -> Int {
    var rest = hashes
    for (value, reference) in try await values(ofTransaction: number, rest) {
      let indexes = reference.parts.indices
      for first in stride(from: 0, to: indexes.count, by: Self.partsAtOnce) {
        let group = first..<min(first + Self.partsAtOnce, indexes.count)
        guard group.contains(where: { rest.contains(reference.parts[$0]) }) else { continue }
        let size = BigReference.partSize
        let bytes = try await session.database.read { connection in
          try value.bytes(from: first * size, count: group.count * size, connection)
        }
        for index in group where rest.contains(reference.parts[index]) {
          let start = (index - first) * size
          try await put(Array(bytes[start..<min(start + size, bytes.count)]), reference.parts[index], condition)
          rest.remove(reference.parts[index])
        }
      }
    }
    return hashes.count - rest.count
  }

  /// Puts parts of a large value.
  func put(_ hashes: Set<[UInt8]>, of value: SQLValue, condition: PutCondition = .ifAbsent) async throws {
    var rest = hashes
    for (index, hash) in (BigReference(value)?.parts ?? []).enumerated() where rest.contains(hash) {
      try await put(BigReference.bytes(of: value, ofPart: index), hash, condition)
      rest.remove(hash)
    }
  }

  /// Puts one part, and notes that it is there.
  func put(_ bytes: [UInt8], _ hash: [UInt8], _ condition: PutCondition) async throws {
    let id = session.vault.id
    try await PartStorage(session: session).put(bytes, hash: hash, condition: condition)
    // Only now, and at once: what is there need not be sent again after a crash.
    try await session.write { connection in
      try PartTable(connection: connection).setKnown(hash, in: id)
    }
  }

  /// The large values of a transaction that have some of the parts.
  private func values(
    ofTransaction number: Int64, _ hashes: Set<[UInt8]>
  ) async throws -> [(value: LargeValue, reference: BigReference)] {
    if hashes.isEmpty { return [] }
    let changelog = session.changelog
    return try await session.database.read { connection in
      var values: [(value: LargeValue, reference: BigReference)] = []
      try changelog.transactions(connection, after: number - 1) { local, references in
        guard local.number == number else { return false }
        values = local.large.compactMap { column in references[column.value].map { (column.value, $0) } }
        return false
      }
      return values.filter { !hashes.isDisjoint(with: $0.reference.parts) }
    }
  }
}
