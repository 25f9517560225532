internal import DimpleChangelog
internal import DimpleRemote
internal import DimpleStore

/// Puts the parts of large values that own transactions refer to, before the pack that refers to them.
struct PartPush {
  let session: SyncSession

  /// - Parameter numbers: Of the transactions, as others number them. One value at a time is in memory.
  /// - Returns: How many parts were put.
  func run(_ numbers: [Int64], of identity: Identity) async throws -> Int {
    var count = 0
    for number in numbers {
      var position = 0
      while let value = try await value(position, of: number, identity) {
        position += 1
        count += try await put(value)
      }
    }
    return count
  }

  private struct Value: Sendable {
    var bytes: [UInt8]
    var reference: BigReference
    /// Indexes of the parts that the vault may lack.
    var unknown: [Int]
  }

  /// The large value at a position of a transaction, counted over all its changes.
  private func value(_ position: Int, of number: Int64, _ identity: Identity) async throws -> Value? {
    let (id, changelog) = (session.vault.id, session.changelog)
    return try await session.database.read { connection in
      var found: Value?
      try changelog.transactions(connection, after: identity.offset + number - 1) { local in
        var rest = position
        for change in local.changes {
          for column in change.columns where BigReference.isBig(column.value) {
            if rest > 0 {
              rest -= 1
              continue
            }
            guard let (kind, bytes) = BigReference.bytes(of: column.value) else { return false }
            let reference = BigReference(kind, bytes)
            let table = PartTable(connection: connection)
            let unknown = try reference.parts.indices.filter { try !table.isKnown(reference.parts[$0], in: id) }
            found = Value(bytes: bytes, reference: reference, unknown: unknown)
            return false
          }
        }
        return false
      }
      return found
    }
  }

  private func put(_ value: Value) async throws -> Int {
    let (id, size) = (session.vault.id, BigReference.partSize)
    for index in value.unknown {
      let (hash, start) = (value.reference.parts[index], index * size)
      let part = Array(value.bytes[start..<min(start + size, value.bytes.count)])
      try await PartStorage(session: session).put(part, hash: hash)
      // Only now, and at once: what is there need not be sent again after a crash.
      try await session.database.write { connection in
        try connection.withInternalAccess { try PartTable(connection: connection).setKnown(hash, in: id) }
      }
    }
    return value.unknown.count
  }
}
