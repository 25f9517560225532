internal import DimpleChangelog
internal import DimpleRemote
internal import DimpleStore

/// Reads a whole vault, a few packs at a time, and checks each against its name, its signature, the key seen first, the
/// replica's chain, and the others; then the snapshots, whether anything is missing, and the parts of large values.
struct VaultCheck {
  struct Outcome: Sendable {
    /// What should be there and is in no object that can be used.
    var missing: [ReplicaID: RangeSet64] = [:]
    /// Objects under the own names that cannot be used.
    var damaged: [PullPlan.Candidate] = []
    /// Parts of large values that are missing or damaged, and what refers to them.
    var lostParts: [(hash: [UInt8], references: [PartHealth.Reference])] = []
    /// Objects of snapshots that this database wrote and that cannot be used.
    var damagedSnapshots: [SnapshotCatalog.StoredObject] = []
  }

  let session: SyncSession
  /// Called with each pack that can be used.
  let body: (DecodedPack, inout HealthReport) async throws -> Void
  /// Called with each row of the snapshots that are read, but for those with large values.
  let onRow: (SnapshotRow, SnapshotShape) -> Void

  func run(_ report: inout HealthReport) async throws -> Outcome {
    session.progress.advance(.listing)
    let listing = try await VaultListing(session: session).run()
    let packs = listing.candidates.sorted {
      ($0.name.replica, $0.name.range.lowerBound, $0.key) < ($1.name.replica, $1.name.range.lowerBound, $1.key)
    }
    var outcome = Outcome()
    let own = try await session.ownNames()
    session.progress.plan(
      .verifying, transactions: saturatingSum(packs.map(\.transactions)), bytes: saturatingSum(packs.map(\.size)))
    let snapshots = SnapshotHealth(session: session, onRow: onRow)
    let manifests = try await snapshots.manifests(&outcome, &report)
    var logs = try await self.logs(packs, manifests.map(\.manifest))
    var parts = PartHealth(session: session)
    for start in stride(from: 0, to: packs.count, by: session.options.parallelGets) {
      try Task.checkCancellation()
      let group = Array(packs[start..<min(start + session.options.parallelGets, packs.count)])
      for (pack, result) in zip(group, try await PackFetch(session: session).fetch(group)) {
        let replica = pack.name.replica
        do {
          let decoded = try check(result.get(), &logs[replica, default: VaultLog()])
          try parts.note(decoded)
          try await body(decoded, &report)
          logs[replica]?.usable.insert(pack.name.range)
          report.checkedPacks += 1
          report.checkedTransactions += Int64(pack.name.range.count)
        } catch let error as SyncError where error.code != .damagedState {
          if own.contains(replica) { outcome.damaged.append(pack) }
          report.add(Self.finding(error, pack, isOwn: own.contains(replica)))
        }
        session.progress.advance(.verifying, transactions: pack.transactions, bytes: pack.size)
      }
    }
    let covered = try await snapshots.check(manifests, logs, &parts, &outcome, &report)
    let missing = MissingPacks(session: session)
    var there = logs.mapValues(\.usable)
    for gone in [covered, try await missing.trimmed()] {
      there.formUnion(MissingPacks.heads(of: there).intersection(gone))
    }
    if !listing.isPartial {
      outcome.missing = try await missing.missing(there)
      // Of what a snapshot covers, a replica's last pack is there still.
      outcome.missing.formUnion(covered.subtracting(there))
    }
    for (replica, numbers) in outcome.missing.sorted(by: { $0.key < $1.key }) {
      let missing = MissingTransactions(replica: replica, transactions: numbers.ranges, isOwn: own.contains(replica))
      report.add(
        HealthFinding(
          .missingPacks, "\(replica)", missing.description, missing.isOwn ? .repair : .repairElsewhere))
    }
    outcome.lostParts = try await parts.check(&report)
    return outcome
  }

  // MARK: - Chains and keys

  /// The borders of all packs, at which their chains are compared; what was merged before is a border with a known chain.
  private func logs(
    _ packs: [PullPlan.Candidate], _ manifests: [SnapshotManifest]
  ) async throws -> [ReplicaID: VaultLog] {
    var logs: [ReplicaID: VaultLog] = [:]
    var borders: [ReplicaID: [Int64]] = [:]
    func add(_ range: ClosedRange<Int64>, of replica: ReplicaID) {
      borders[replica, default: []] += [range.lowerBound, range.upperBound.saturatingSuccessor]
    }
    for (replica, coverage) in manifests.flatMap(\.replicas) {
      for run in coverage.runs { add(run.range, of: replica) }
    }
    for pack in packs { add(pack.name.range, of: pack.name.replica) }
    let id = session.vault.id
    let (seen, keys) = try await session.database.read { connection in
      let replicas = try ReplicaTable(connection)
      let keys = try replicas.all.compactMap { id in try replicas.publicKey(of: id, connection).map { (id, $0) } }
      return (try SeenTable(vault: id, connection: connection).load(), keys)
    }
    for (replica, runs) in seen.runs {
      for run in runs {
        logs[replica, default: VaultLog()].chains[run.range.lowerBound] = run.chain.before
        logs[replica, default: VaultLog()].chains[run.range.upperBound.saturatingSuccessor] = run.chain.after
        add(run.range, of: replica)
      }
    }
    for (replica, numbers) in borders { logs[replica, default: VaultLog()].setBorders(numbers) }
    for (replica, key) in keys { logs[replica, default: VaultLog()].publicKey = key }
    return logs
  }

  /// Keys and chains.
  private func check(_ decoded: DecodedPack, _ log: inout VaultLog) throws -> DecodedPack {
    let header = decoded.header
    if let known = log.publicKey, known != header.publicKey {
      throw SyncError(
        .forgedAuthor, operation: "verify a pack", message: "It is signed with another key than the replica's.")
    }
    if !log.agrees(with: decoded) {
      throw SyncError(
        .brokenChain, operation: "verify a pack",
        message: "Its transactions differ from others of the same replica under the same numbers.")
    }
    log.publicKey = header.publicKey
    return decoded
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
