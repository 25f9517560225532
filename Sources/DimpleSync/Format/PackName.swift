internal import DimpleChangelog

/// What a pack's object name says, without opening the object: whose transactions, which, and a hash of the contents.
///
/// The record is 40 bytes: replica, first, last (8 bytes each, big-endian), and the first 16 bytes of the vault's keyed
/// hash of the SHA-256 of the pack's JSON lines. The vault seals it into the name.
struct PackName: Hashable {
  static let prefix = "log/"
  private static let hashSize = 16
  private static let recordSize = 24 + hashSize

  var replica: ReplicaID
  var range: ClosedRange<Int64>
  /// 16 bytes.
  var hash: [UInt8]

  init(replica: ReplicaID, range: ClosedRange<Int64>, contentHash: [UInt8]) {
    self.replica = replica
    self.range = range
    hash = Array(contentHash.prefix(Self.hashSize))
  }

  /// `nil` for a record of another size, with an impossible replica or range: each name has one record.
  init?(record: [UInt8]) {
    guard record.count == Self.recordSize else { return nil }
    let first = Int64(bitPattern: Self.integer(record[8..<16]))
    let last = Int64(bitPattern: Self.integer(record[16..<24]))
    replica = ReplicaID(rawValue: Self.integer(record[0..<8]))
    guard first >= 1, first <= last, last < .max, replica.rawValue == Self.integer(record[0..<8]) else { return nil }
    range = first...last
    hash = Array(record[24...])
  }

  var record: [UInt8] {
    Self.bytes(replica.rawValue) + Self.bytes(UInt64(bitPattern: range.lowerBound))
      + Self.bytes(UInt64(bitPattern: range.upperBound)) + hash
  }

  private static func integer(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.reduce(0) { $0 << 8 | UInt64($1) }
  }

  private static func bytes(_ value: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: value >> (56 - 8 * $0)) }
  }
}
