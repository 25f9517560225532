internal import DimpleChangelog

/// A set of transaction numbers, kept as ascending ranges that neither overlap nor touch.
struct RangeSet64: Equatable, Sendable {
  private(set) var ranges: [ClosedRange<Int64>] = []

  var isEmpty: Bool { ranges.isEmpty }

  /// The greatest number, or 0.
  var last: Int64 { ranges.last?.upperBound ?? 0 }

  /// In any order; cheap where they ascend.
  init(_ ranges: [ClosedRange<Int64>] = []) {
    for range in ranges { insert(range) }
  }

  /// Whether all of `range` is in the set.
  func contains(_ range: ClosedRange<Int64>) -> Bool {
    let index = firstIndex(endingAtOrAfter: range.lowerBound)
    return index < ranges.count && ranges[index].lowerBound <= range.lowerBound
      && range.upperBound <= ranges[index].upperBound
  }

  func contains(_ number: Int64) -> Bool { contains(number...number) }

  mutating func insert(_ range: ClosedRange<Int64>) {
    // Touching counts as overlapping: 1...2 and 3...4 are 1...4. The bounds come from outside: the sums must not trap.
    let start = firstIndex(endingAtOrAfter: range.lowerBound == .min ? .min : range.lowerBound - 1)
    var end = start
    var (lower, upper) = (range.lowerBound, range.upperBound)
    while end < ranges.count, ranges[end].lowerBound <= upper.saturatingSuccessor {
      lower = min(lower, ranges[end].lowerBound)
      upper = max(upper, ranges[end].upperBound)
      end += 1
    }
    ranges.replaceSubrange(start..<end, with: CollectionOfOne(lower...upper))
  }

  /// What of this set is not in the other.
  func subtracting(_ other: RangeSet64) -> RangeSet64 {
    var difference = RangeSet64()
    for range in ranges {
      var lower = range.lowerBound
      var isDone = false
      for hole in other.ranges where hole.upperBound >= lower && hole.lowerBound <= range.upperBound {
        if hole.lowerBound > lower { difference.insert(lower...hole.lowerBound - 1) }
        if hole.upperBound >= range.upperBound {
          isDone = true
          break
        }
        lower = hole.upperBound + 1
      }
      if !isDone { difference.insert(lower...range.upperBound) }
    }
    return difference
  }

  func intersection(_ other: RangeSet64) -> RangeSet64 { subtracting(subtracting(other)) }

  /// How many numbers there are, as far as they can be counted.
  var count: Int64 {
    saturatingSum(ranges.map { Int64(clamping: UInt64(bitPattern: $0.upperBound &- $0.lowerBound)) &+ 1 })
  }

  mutating func formUnion(_ other: RangeSet64) {
    for range in other.ranges { insert(range) }
  }

  private func firstIndex(endingAtOrAfter number: Int64) -> Int {
    // Most often behind all others.
    if last < number { return ranges.count }
    var (low, high) = (0, ranges.count)
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].upperBound < number { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

extension [ReplicaID: RangeSet64] {
  /// What these packs hold, by their names.
  init(_ packs: some Sequence<PullPlan.Candidate>) {
    self = [:]
    for pack in packs { self[pack.name.replica, default: RangeSet64()].insert(pack.name.range) }
  }

  mutating func formUnion(_ other: [ReplicaID: RangeSet64]) {
    for (replica, set) in other { self[replica, default: RangeSet64()].formUnion(set) }
  }

  /// What of this vector is not in the other.
  func subtracting(_ other: [ReplicaID: RangeSet64]) -> [ReplicaID: RangeSet64] {
    reduce(into: [:]) { difference, entry in
      let rest = entry.value.subtracting(other[entry.key] ?? RangeSet64())
      if !rest.isEmpty { difference[entry.key] = rest }
    }
  }

  /// Claims less where there are too many runs: of the replicas with the fewest all, of the others the first ones.
  func shortened(toRuns limit: Int) -> [ReplicaID: RangeSet64] {
    if reduce(0, { $0 + $1.value.ranges.count }) <= limit { return self }
    var left = limit
    return sorted { ($0.value.ranges.count, $0.key) < ($1.value.ranges.count, $1.key) }
      .reduce(into: [:]) { shortened, entry in
        let ranges = entry.value.ranges.prefix(left)
        left -= ranges.count
        if !ranges.isEmpty { shortened[entry.key] = RangeSet64(Array(ranges)) }
      }
  }

  func intersection(_ other: [ReplicaID: RangeSet64]) -> [ReplicaID: RangeSet64] { subtracting(subtracting(other)) }
}

extension Int64 {
  /// The next number; the greatest has none but itself.
  var saturatingSuccessor: Int64 { self == .max ? .max : self + 1 }
}
