/// How times of the log were moved: stretches of them, each by its own distance. All else stays.
package struct TimeMap: Sendable, Equatable {
  private struct Stretch: Equatable {
    var first: Int64
    var last: Int64
    /// To add.
    var distance: Int64
  }

  private var stretches: [Stretch] = []

  /// Nothing was moved.
  package var isEmpty: Bool { stretches.isEmpty }

  /// Appends times later than all before.
  mutating func append(_ times: ClosedRange<Int64>, movedBy distance: Int64) {
    if distance == 0 { return }
    if let last = stretches.last, last.distance == distance {
      stretches[stretches.count - 1].last = times.upperBound
    } else {
      stretches.append(Stretch(first: times.lowerBound, last: times.upperBound, distance: distance))
    }
  }

  /// Where a time is now.
  package func callAsFunction(_ time: HybridTime) -> HybridTime {
    var (low, high) = (0, stretches.count)
    while low < high {
      let middle = (low + high) / 2
      if stretches[middle].last < time.rawValue { low = middle + 1 } else { high = middle }
    }
    guard low < stretches.count, stretches[low].first <= time.rawValue else { return time }
    return HybridTime(rawValue: time.rawValue + stretches[low].distance)
  }
}
