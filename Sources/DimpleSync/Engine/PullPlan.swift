internal import DimpleChangelog

/// Which of the packs that a listing names must be fetched: as few as cover every transaction not yet merged.
struct PullPlan {
  struct Candidate: Hashable {
    /// The object's key.
    var key: String
    var name: PackName
    /// Sealed, in bytes, as listed.
    var size: Int64
  }

  /// Oldest first, per replica.
  private(set) var fetch: [Candidate] = []

  /// - Parameters:
  ///   - listed: Every pack of others in the vault; packs may overlap and repeat.
  ///   - seen: What is merged.
  init(listed: [Candidate], seen: [ReplicaID: RangeSet64]) {
    for (replica, packs) in Dictionary(grouping: listed, by: \.name.replica) {
      var covered = seen[replica] ?? RangeSet64()
      // The long ones first: a union makes its parts superfluous.
      for pack in packs.sorted(by: Self.precedes) where !covered.contains(pack.name.range) {
        covered.insert(pack.name.range)
        fetch.append(pack)
      }
    }
    fetch.sort { left, right in
      (left.name.replica, left.name.range.lowerBound, left.key)
        < (right.name.replica, right.name.range.lowerBound, right.key)
    }
  }

  /// Longer ranges before shorter, then by key: the choice must not depend on the listing's order.
  private static func precedes(_ left: Candidate, _ right: Candidate) -> Bool {
    let lengths = (left.length, right.length)
    return lengths.0 == lengths.1 ? left.key < right.key : lengths.0 > lengths.1
  }
}

extension PullPlan.Candidate {
  /// The bounds come from outside: the difference is taken without trapping.
  fileprivate var length: UInt64 {
    UInt64(bitPattern: name.range.upperBound) - UInt64(bitPattern: name.range.lowerBound)
  }

  /// How many transactions it claims to hold.
  var transactions: Int64 { saturatingSum([Int64(clamping: length), 1]) }
}
