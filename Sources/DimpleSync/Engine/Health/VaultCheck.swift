internal import DimpleChangelog
internal import DimpleRemote
internal import DimpleStore

/// Reads a whole vault, a few packs at a time, and checks each against its name, its signature, the key seen first, the
/// replica's chain, and the others; then whether anything is missing.
struct VaultCheck {
  /// What is known of one replica's part of the vault.
  private struct Log {
    /// The numbers in objects that can be used.
    var usable = RangeSet64()
    /// The chain before each number at which some pack begins or ends.
    var chains: [Int64: [UInt8]] = [:]
    var borders: Set<Int64> = []
    var publicKey: [UInt8]?
  }

  struct Outcome: Sendable {
    /// What should be there and is in no object that can be used.
    var missing: [ReplicaID: RangeSet64] = [:]
    /// Objects under the own names that cannot be used.
    var damaged: [PullPlan.Candidate] = []
    /// Own transactions that refer to parts which are not there, and these parts' hashes.
    var withoutParts: [PartReference] = []
  }

  /// A transaction that needs a part of a large value.
  struct PartReference: Sendable {
    var replica: ReplicaID
    var number: Int64
    var hash: [UInt8]
  }

  let session: SyncSession
  /// Called with each pack that can be used.
  let body: (DecodedPack, inout HealthReport) async throws -> Void

  func run(_ report: inout HealthReport) async throws -> Outcome {
    session.progress.advance(.listing)
    let packs = try await VaultListing(session: session).run().candidates.sorted {
      ($0.name.replica, $0.name.range.lowerBound, $0.key) < ($1.name.replica, $1.name.range.lowerBound, $1.key)
    }
    session.progress.plan(
      .verifying, transactions: saturatingSum(packs.map(\.transactions)), bytes: saturatingSum(packs.map(\.size)))
    var logs = try await self.logs(packs)
    var outcome = Outcome()
    let own = try await ownNames()
    var parts: [[UInt8]: PartReference] = [:]
    for start in stride(from: 0, to: packs.count, by: session.options.parallelGets) {
      try Task.checkCancellation()
      let group = Array(packs[start..<min(start + session.options.parallelGets, packs.count)])
      for (pack, result) in zip(group, try await fetch(group)) {
        let replica = pack.name.replica
        switch result.flatMap({ check($0, &logs[replica, default: Log()]) }) {
        case .success(let decoded):
          logs[replica]?.usable.insert(pack.name.range)
          report.checkedPacks += 1
          report.checkedTransactions += Int64(pack.name.range.count)
          try note(decoded, &parts)
          try await body(decoded, &report)
        case .failure(let error):
          if own.contains(replica) { outcome.damaged.append(pack) }
          report.add(Self.finding(error, pack, isOwn: own.contains(replica)))
        }
        session.progress.advance(.verifying, transactions: pack.transactions, bytes: pack.size)
      }
    }
    let usable = logs.mapValues(\.usable)
    let changelog = session.changelog
    let isTrimmed = try await session.database.read { try changelog.firstKeptTransaction($0) > 1 }
    let hasSnapshots = try await !session.storage.list(prefix: "snap/", after: nil).objects.isEmpty
    outcome.missing = try await MissingPacks(session: session)
      .missing(hasSnapshots || isTrimmed ? MissingPacks.withoutHeads(usable) : usable)
    for (replica, numbers) in outcome.missing.sorted(by: { $0.key < $1.key }) {
      let missing = MissingTransactions(replica: replica, transactions: numbers.ranges, isOwn: own.contains(replica))
      report.add(
        HealthFinding(
          .missingPacks, "\(replica)", missing.description, missing.isOwn ? .repair : .repairElsewhere))
    }
    try await checkParts(parts, own, &outcome, &report)
    return outcome
  }

  // MARK: - Large values

  private func note(_ decoded: DecodedPack, _ parts: inout [[UInt8]: PartReference]) throws {
    let replica = decoded.header.replica
    try decoded.forEachTransaction { transaction, _ in
      for hash in transaction.changes.flatMap(\.bigColumns).flatMap(\.reference.parts) {
        parts[hash] = PartReference(replica: replica, number: transaction.number, hash: hash)
      }
      return true
    }
  }

  /// Whether the parts are there; their contents are checked when they are taken in.
  private func checkParts(
    _ parts: [[UInt8]: PartReference], _ own: Set<ReplicaID>, _ outcome: inout Outcome, _ report: inout HealthReport
  ) async throws {
    if parts.isEmpty { return }
    let there = Set(try await session.storage.listAll(prefix: PartStorage.prefix).map(\.key))
    for part in parts.values.sorted(by: { ($0.replica, $0.number) < ($1.replica, $1.number) }) {
      let key = try PartStorage(session: session).key(of: part.hash)
      if there.contains(key) { continue }
      let isOwn = own.contains(part.replica)
      if isOwn { outcome.withoutParts.append(part) }
      report.add(
        HealthFinding(
          .missingPart, key, "Transaction \(part.number) of replica \(part.replica) refers to it, and it is not there.",
          isOwn ? .repair : .repairElsewhere))
    }
  }

  private func ownNames() async throws -> Set<ReplicaID> {
    let changelog = session.changelog
    return Set(try await session.database.read { try changelog.identities($0) }.map(\.replica))
  }

  private func fetch(_ packs: [PullPlan.Candidate]) async throws -> [Result<DecodedPack, SyncError>] {
    let session = session
    return try await withThrowingTaskGroup(of: (Int, Result<DecodedPack, SyncError>).self) { group in
      for (index, pack) in packs.enumerated() {
        group.addTask { (index, try await PackFetch(session: session).fetch(pack)) }
      }
      var results: [(Int, Result<DecodedPack, SyncError>)] = []
      for try await result in group { results.append(result) }
      return results.sorted { $0.0 < $1.0 }.map(\.1)
    }
  }

  // MARK: - Chains and keys

  /// The borders of all packs, at which their chains are compared; what was merged before is a border with a known chain.
  private func logs(_ packs: [PullPlan.Candidate]) async throws -> [ReplicaID: Log] {
    var logs: [ReplicaID: Log] = [:]
    for pack in packs {
      logs[pack.name.replica, default: Log()].borders.formUnion([
        pack.name.range.lowerBound, pack.name.range.upperBound &+ 1,
      ])
    }
    let id = session.vault.id
    let (seen, keys) = try await session.database.read { connection in
      let replicas = try ReplicaTable(connection)
      let keys = try replicas.all.compactMap { id in try replicas.publicKey(of: id, connection).map { (id, $0) } }
      return (try SeenTable(vault: id, connection: connection).load(), keys)
    }
    for (replica, runs) in seen.runs {
      for run in runs {
        logs[replica, default: Log()].chains[run.range.lowerBound] = run.chain.before
        logs[replica, default: Log()].chains[run.range.upperBound + 1] = run.chain.after
        logs[replica, default: Log()].borders.formUnion([run.range.lowerBound, run.range.upperBound + 1])
      }
    }
    for (replica, key) in keys { logs[replica, default: Log()].publicKey = key }
    return logs
  }

  private func check(_ decoded: DecodedPack, _ log: inout Log) -> Result<DecodedPack, SyncError> {
    let header = decoded.header
    if let known = log.publicKey, known != header.publicKey {
      return .failure(
        SyncError(
          .forgedAuthor, operation: "verify a pack", message: "It is signed with another key than the replica's."))
    }
    let chains = log.borders.compactMap { border in decoded.chain(before: border).map { (border, $0) } }
    if chains.contains(where: { border, chain in log.chains[border].map { $0 != chain } ?? false }) {
      return .failure(
        SyncError(
          .brokenChain, operation: "verify a pack",
          message: "Its transactions differ from others of the same replica under the same numbers."))
    }
    log.publicKey = header.publicKey
    for (border, chain) in chains { log.chains[border] = chain }
    return .success(decoded)
  }

  private static func finding(_ error: SyncError, _ pack: PullPlan.Candidate, isOwn: Bool) -> HealthFinding {
    let code: HealthFinding.Code =
      switch error.code {
      case .unsupportedFormat: .unsupportedPack
      case .forgedAuthor: .forgedPack
      case .brokenChain: .brokenChain
      default: .damagedPack
      }
    let remedy: HealthFinding.Remedy =
      switch code {
      case .unsupportedPack: .update
      case .damagedPack: isOwn ? .repair : .repairElsewhere
      default: .byHand
      }
    return HealthFinding(code, pack.key, error.message, remedy)
  }
}
