internal import DimpleChangelog
internal import DimpleRemote
internal import DimpleStore

/// Checks the parts of large values that packs and snapshots refer to, and puts again what is lost where this database has it.
struct PartHealth {
  /// What refers to a part.
  struct Reference: Sendable {
    /// `nil` for a row of a snapshot.
    var transaction: (replica: ReplicaID, number: Int64)?
    var cell: LargeCell
  }

  let session: SyncSession
  private var references: [[UInt8]: [Reference]] = [:]

  init(session: SyncSession) { self.session = session }

  mutating func note(_ decoded: DecodedPack) throws {
    var references = references
    let replica = decoded.header.replica
    try decoded.forEachTransaction { transaction in
      for change in transaction.changes {
        for column in change.bigColumns {
          let cell = LargeCell(table: change.table, key: change.key, reference: column.reference)
          for hash in column.reference.parts {
            references[hash, default: []].append(Reference(transaction: (replica, transaction.number), cell: cell))
          }
        }
      }
      return true
    }
    self.references = references
  }

  mutating func note(_ cell: LargeCell) {
    for hash in cell.reference.parts { references[hash, default: []].append(Reference(cell: cell)) }
  }

  /// Reads all parts.
  ///
  /// - Returns: What is missing or damaged.
  func check(_ report: inout HealthReport) async throws -> [(hash: [UInt8], references: [Reference])] {
    var lost: [(hash: [UInt8], references: [Reference])] = []
    let own = try await session.ownNames()
    for (hash, references) in references.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
      try Task.checkCancellation()
      guard case .failure(let error) = try await PartStorage(session: session).get(hash) else {
        report.checkedParts += 1
        continue
      }
      lost.append((hash, references))
      let isMissing = (error.underlying as? RemoteError)?.code == .notFound
      let isHere = try await value(references) != nil || references.contains { $0.isOf(own) }
      report.add(
        HealthFinding(
          isMissing ? .missingPart : .damagedPart, try PartStorage(session: session).key(of: hash),
          "\(Self.subject(references)) refers to it, and it is \(isMissing ? "not there" : "not what its name says").",
          isHere ? .repair : .repairElsewhere))
    }
    return lost
  }

  private static func subject(_ references: [Reference]) -> String {
    if let transaction = references.lazy.compactMap(\.transaction).first {
      return "Transaction \(transaction.number) of replica \(transaction.replica)"
    }
    return "A row of a snapshot"
  }

  /// Puts a part again, from a row that has it or from the own log.
  ///
  /// - Returns: Whether it could be.
  func supply(_ hash: [UInt8], _ references: [Reference]) async throws -> Bool {
    let push = PartPush(session: session)
    if let value = try await value(references) {
      try await push.put([hash], of: value, condition: .none)
      return true
    }
    let changelog = session.changelog
    for identity in try await session.database.read({ try changelog.identities($0) }) {
      for reference in references where reference.isOf([identity.replica]) {
        let number = identity.offset + (reference.transaction?.number ?? 0)
        if try await push.put([hash], ofTransaction: number, condition: .none) > 0 { return true }
      }
    }
    return false
  }

  /// Puts a part again that something noted refers to.
  func supply(_ hash: [UInt8]) async throws -> Bool { try await supply(hash, references[hash] ?? []) }

  /// From the first row that has it.
  private func value(_ references: [Reference]) async throws -> SQLValue? {
    let session = session
    guard let schema = session.schemas.known else { return nil }
    return try await session.database.read { connection in
      let source = SnapshotSource(
        connection: connection, changelog: session.changelog, schema: schema, vault: session.vault)
      for reference in references {
        do {
          if let value = try source.value(of: reference.cell) { return value }
        } catch is MissingValue { continue }
      }
      return nil
    }
  }
}

extension PartHealth.Reference {
  fileprivate func isOf(_ replicas: Set<ReplicaID>) -> Bool {
    transaction.map { replicas.contains($0.replica) } ?? false
  }
}
