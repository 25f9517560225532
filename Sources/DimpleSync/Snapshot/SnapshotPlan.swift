internal import DimpleChangelog

/// Whether snapshots are worth reading or writing, decided by what listings say. Pure.
struct SnapshotPlan {
  /// The packs that the vault lists.
  let listed: [PullPlan.Candidate]

  /// How much of the packs somebody who has `vector` still needs, in bytes: of a pack with some of it, that share.
  func bytes(beyond vector: [ReplicaID: RangeSet64]) -> Int64 {
    var total: Int64 = 0
    for (replica, packs) in Dictionary(grouping: listed, by: \.name.replica) {
      var covered = vector[replica] ?? RangeSet64()
      // The long ones first, as they are fetched: a union makes its parts superfluous.
      for pack in packs.sorted(by: { $0.transactions > $1.transactions }) {
        let new = pack.transactions - covered.overlap(with: pack.name.range)
        let share = Double(new) / Double(max(1, pack.transactions))
        let size = (Double(max(0, pack.size)) * share).rounded()
        total = saturatingSum([total, size < Double(Int64.max) ? Int64(size) : .max])
        covered.insert(pack.name.range)
      }
    }
    return total
  }

  /// The transactions that must have been, since later ones are listed, and that neither are here nor in any pack.
  func missing(_ seen: [ReplicaID: RangeSet64]) -> [ReplicaID: RangeSet64] {
    var missing: [ReplicaID: RangeSet64] = [:]
    for (replica, packs) in Dictionary(grouping: listed, by: \.name.replica) {
      var there = seen[replica] ?? RangeSet64()
      for pack in packs { there.insert(pack.name.range) }
      let gaps = there.gaps
      if !gaps.isEmpty { missing[replica] = RangeSet64(gaps) }
    }
    return missing
  }

  /// Whether a reader asks what snapshots there are: there is much to fetch, or something that no pack has.
  func isWorthALook(seen: [ReplicaID: RangeSet64], minimum: Int64) -> Bool {
    bytes(beyond: seen) >= minimum || !missing(seen).isEmpty
  }

  /// Whether a reader takes a snapshot: it is new here, or has what no pack has, or spares bytes.
  ///
  /// - Parameter size: Of all its parts.
  func isWorthMerging(_ vector: [ReplicaID: RangeSet64], size: Int64, seen: [ReplicaID: RangeSet64]) -> Bool {
    guard vector.contains(where: { !(seen[$0.key] ?? RangeSet64()).contains($0.value) }) else { return false }
    if seen.isEmpty { return true }
    let missing = missing(seen)
    if vector.contains(where: { replica, covered in
      missing[replica]?.ranges.contains { covered.overlap(with: $0) > 0 } ?? false
    }) {
      return true
    }
    var both = seen
    for (replica, covered) in vector { both[replica, default: RangeSet64()].formUnion(covered) }
    return saturatingSum([size, bytes(beyond: both)]) < bytes(beyond: seen)
  }

  /// Whether the packs that the newest snapshot does not cover have outgrown it.
  ///
  /// - Parameter minimum: As long as the packs have fewer bytes than this, none is needed.
  func isDue(covered: [ReplicaID: RangeSet64], size: Int64, minimum: Int64) -> Bool {
    bytes(beyond: covered) > max(size, minimum)
  }
}

extension RangeSet64 {
  /// How many numbers of `range` are in the set; as many as fit.
  func overlap(with range: ClosedRange<Int64>) -> Int64 {
    saturatingSum(
      ranges.filter { $0.overlaps(range) }.map {
        saturatingSum([$0.clamped(to: range).upperBound - $0.clamped(to: range).lowerBound, 1])
      })
  }

  /// What lies between 1 and the last number and is not in the set.
  var gaps: [ClosedRange<Int64>] {
    var gaps: [ClosedRange<Int64>] = []
    var next: Int64 = 1
    for range in ranges {
      if range.lowerBound > next { gaps.append(next...range.lowerBound - 1) }
      next = range.upperBound == .max ? .max : range.upperBound + 1
    }
    return gaps
  }

  func contains(_ other: RangeSet64) -> Bool { other.ranges.allSatisfy { contains($0) } }
}
