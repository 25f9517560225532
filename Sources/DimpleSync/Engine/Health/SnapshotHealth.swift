internal import DimpleChangelog
internal import DimpleRemote
internal import DimpleStore

/// Checks the snapshots of a vault: manifests by name and signature, what they cover against the packs, and their parts by
/// name, contents and number of rows.
struct SnapshotHealth {
  struct Found {
    var object: SnapshotCatalog.StoredObject
    var manifest: SnapshotManifest
    /// Of its parts and itself.
    var objects: [SnapshotCatalog.StoredObject]

    /// All parts are there.
    var isListed: Bool {
      let names = Set(objects.map(\.name))
      return manifest.parts.indices.allSatisfy { names.contains(manifest.name(ofPart: $0)) }
    }
  }

  let session: SyncSession
  /// Gets the rows, but for those with large values.
  let onRow: (SnapshotRow, SnapshotShape) -> Void

  /// The manifests that can be read, newest first; what cannot is reported.
  func manifests(_ outcome: inout VaultCheck.Outcome, _ report: inout HealthReport) async throws -> [Found] {
    let catalog = try await SnapshotObjects(session: session).list()
    let own = try await session.ownNames()
    var found: [Found] = []
    let manifests = catalog.objects.filter { $0.name.kind == .manifest }
    for object in manifests.sorted(by: { ($1.name.id, $0.key) < ($0.name.id, $1.key) }) {
      let objects = catalog.objects.filter { $0.name.id == object.name.id }
      do {
        let manifest = try await SnapshotObjects(session: session).manifest(object)
        found.append(Found(object: object, manifest: manifest, objects: objects))
      } catch let error as SyncError {
        // Replaced since the listing.
        if SkippedObject(key: object.key, error: error).isGone { continue }
        add(error, object, objects, own, &outcome, &report)
      }
    }
    return found
  }

  /// - Parameter logs: As the packs were read.
  /// - Returns: What those cover that can be believed.
  func check(
    _ found: [Found], _ logs: [ReplicaID: VaultLog], _ parts: inout PartHealth,
    _ outcome: inout VaultCheck.Outcome, _ report: inout HealthReport
  ) async throws -> [ReplicaID: RangeSet64] {
    let own = try await session.ownNames()
    var covered: [ReplicaID: RangeSet64] = [:]
    var whole = 0
    // What is older than two that are whole is on its way out.
    for snapshot in found where whole < 2 {
      // As is what has lost parts: to whoever removes old ones by a listing that lacks its manifest, they seem nobody's.
      if whole > 0, !snapshot.isListed { continue }
      do {
        try compare(snapshot.manifest, logs)
        try await readParts(snapshot, &parts, &report)
        covered.formUnion(snapshot.manifest.vector)
        whole += 1
        report.checkedSnapshots += 1
      } catch let error as SyncError {
        add(error, snapshot.object, snapshot.objects, own, &outcome, &report)
      }
    }
    return covered
  }

  /// Keys and chains.
  private func compare(_ manifest: SnapshotManifest, _ logs: [ReplicaID: VaultLog]) throws {
    var keys = manifest.replicas.mapValues(\.publicKey)
    keys[manifest.writer] = manifest.publicKey
    for (replica, key) in keys {
      guard let known = logs[replica]?.publicKey, known != key else { continue }
      throw SyncError(
        .forgedAuthor, operation: "verify a snapshot",
        message: "It has another key of replica \(replica) than its packs.")
    }
    for (replica, coverage) in manifest.replicas {
      let chains = logs[replica]?.chains ?? [:]
      for run in coverage.runs {
        let (before, after) = (chains[run.range.lowerBound], chains[run.range.upperBound.saturatingSuccessor])
        guard before ?? run.chain.before == run.chain.before, after ?? run.chain.after == run.chain.after else {
          throw SyncError(
            .brokenChain, operation: "verify a snapshot",
            message: "What it covers of replica \(replica) differs from the packs under the same numbers.")
        }
      }
    }
  }

  private func readParts(
    _ snapshot: Found, _ parts: inout PartHealth, _ report: inout HealthReport
  ) async throws {
    let keys = Dictionary(snapshot.objects.map { ($0.name, $0.key) }) { first, _ in first }
    let objects = SnapshotObjects(session: session)
    for (index, part) in snapshot.manifest.parts.enumerated() {
      try Task.checkCancellation()
      let name = snapshot.manifest.name(ofPart: index)
      guard let key = keys[name] else { throw Self.damaged("Part \(index) is missing.") }
      var reader = try SnapshotPartReader(
        await objects.lines(key), name: name, latest: snapshot.manifest.latest, vault: session.vault)
      var rows: Int64 = 0
      var shape = SnapshotShape(table: "", columns: [])
      var references: [BigReference] = []
      while let line = try reader.next(large: { reference in
        references.append(reference)
        return .null
      }) {
        switch line {
        case .shape(let next): shape = next
        case .row(let row):
          rows += 1
          if references.isEmpty { onRow(row, shape) }
          for reference in references {
            parts.note(LargeCell(table: shape.table, key: row.key, reference: reference))
          }
          references = []
        }
      }
      guard rows == part.rows else { throw Self.damaged("Part \(index) has \(rows) rows, not \(part.rows).") }
    }
  }

  private static func damaged(_ message: String) -> SyncError {
    SyncError(.damagedObject, operation: "verify a snapshot", message: message)
  }

  private func add(
    _ error: SyncError, _ object: SnapshotCatalog.StoredObject, _ objects: [SnapshotCatalog.StoredObject],
    _ own: Set<ReplicaID>, _ outcome: inout VaultCheck.Outcome, _ report: inout HealthReport
  ) {
    let isOwn = own.contains(object.name.id.writer)
    let (code, remedy): (HealthFinding.Code, HealthFinding.Remedy) =
      switch error.code {
      case .unsupportedFormat: (.unsupportedPack, .update)
      case .forgedAuthor: (.forgedPack, .byHand)
      case .brokenChain: (.brokenChain, .byHand)
      default: (.damagedSnapshot, isOwn ? .repair : .repairElsewhere)
      }
    if code == .damagedSnapshot, isOwn { outcome.damagedSnapshots += objects }
    report.add(HealthFinding(code, object.key, error.message, remedy))
  }
}
