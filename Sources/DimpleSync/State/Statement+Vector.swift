internal import DimpleChangelog
internal import DimpleStore

extension ReplicaID {
  /// As the tables of sync have it. It has 62 bits.
  var sqlValue: SQLValue { .integer(Int64(rawValue)) }
}

extension Statement {
  /// The replica in a column of the row at hand.
  func replica(_ column: Int32) -> ReplicaID { ReplicaID(rawValue: UInt64(bitPattern: int64(column))) }

  /// A range, its bounds in two columns of the row at hand. A damaged row must not trap: where they are the wrong way round, it
  /// is the first number alone.
  func range(_ first: Int32, _ last: Int32) -> ClosedRange<Int64> {
    let (lower, upper) = (int64(first), int64(last))
    return lower...max(lower, upper)
  }

  /// The rows that are left: a replica, a first, a last number each.
  func vector() throws -> [ReplicaID: RangeSet64] {
    var vector: [ReplicaID: RangeSet64] = [:]
    while try step() { vector[replica(0), default: RangeSet64()].insert(range(1, 2)) }
    return vector
  }
}
