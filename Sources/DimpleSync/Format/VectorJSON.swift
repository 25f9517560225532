internal import DimpleChangelog

/// A vector as JSON: `{"<replica>": [[first, last], …], …}`, the replicas and ranges ascending.
enum VectorJSON {
  static func json(_ vector: [ReplicaID: RangeSet64]) -> JSON {
    .object(
      vector.sorted { $0.key < $1.key }.map { replica, numbers in
        JSON.Member(
          name: replica.description,
          value: .array(numbers.ranges.map { .array([.integer($0.lowerBound), .integer($0.upperBound)]) }))
      })
  }

  /// `nil` where something is not of that form. What is not an object has no members.
  static func vector(_ json: JSON?) -> [ReplicaID: RangeSet64]? {
    var vector: [ReplicaID: RangeSet64] = [:]
    for member in json?.members ?? [] {
      guard let replica = ReplicaID(hexadecimal: member.name), let ranges = member.value.arrayValue else { return nil }
      var numbers = RangeSet64()
      for json in ranges {
        guard let range = range(json) else { return nil }
        numbers.insert(range)
      }
      vector[replica] = numbers
    }
    return vector
  }

  private static func range(_ json: JSON) -> ClosedRange<Int64>? {
    guard let bounds = json.arrayValue, bounds.count == 2, let first = bounds[0].integerValue,
      let last = bounds[1].integerValue, first >= 1, first <= last
    else { return nil }
    return first...last
  }
}
