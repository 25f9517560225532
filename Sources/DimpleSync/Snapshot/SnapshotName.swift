internal import DimpleChangelog

/// What the name of an object of `snap/` says, without opening the object: a part or the manifest, of whose snapshot, how
/// much that covers, and a hash of the contents.
///
/// The record is 37 bytes: kind (1 byte), writer, covered (8 bytes each, big-endian), index (4 bytes), and the first 16
/// bytes of the vault's keyed hash of the JSON lines' SHA-256. The vault seals it into the name.
struct SnapshotName: Hashable {
  enum Kind: UInt8 { case part = 1, manifest = 2 }

  static let prefix = "snap/"
  private static let hashSize = 16
  private static let recordSize = 21 + hashSize

  var kind: Kind
  var id: SnapshotID
  /// Of a part: 0, 1, 2 … Of a manifest: how many parts there are.
  var index: UInt32
  /// 16 bytes.
  var hash: [UInt8]

  init(kind: Kind, id: SnapshotID, index: UInt32, contentHash: [UInt8]) {
    self.kind = kind
    self.id = id
    self.index = index
    hash = Array(contentHash.prefix(Self.hashSize))
  }

  /// `nil` for a record of another size, of an unknown kind or with an impossible writer or number: each name has one record.
  init?(record: [UInt8]) {
    guard record.count == Self.recordSize, let kind = Kind(rawValue: record[0]) else { return nil }
    let covered = Int64(bitPattern: Self.integer(record[9..<17]))
    let writer = ReplicaID(rawValue: Self.integer(record[1..<9]))
    guard covered >= 0, writer.rawValue == Self.integer(record[1..<9]) else { return nil }
    self.kind = kind
    id = SnapshotID(covered: covered, writer: writer)
    index = UInt32(Self.integer(record[17..<21]))
    hash = Array(record[21...])
  }

  var record: [UInt8] {
    [kind.rawValue] + Self.bytes(id.writer.rawValue, 8) + Self.bytes(UInt64(bitPattern: id.covered), 8)
      + Self.bytes(UInt64(index), 4) + hash
  }

  private static func integer(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }

  private static func bytes(_ value: UInt64, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * (count - 1 - $0))) }
  }
}

/// Which snapshot of a vault. The order is total and needs no clock: of two snapshots, the one that covers more is newer.
struct SnapshotID: Hashable, Comparable, CustomStringConvertible {
  /// How many transactions, of all replicas together, it holds the effect of.
  var covered: Int64
  var writer: ReplicaID

  static func < (left: SnapshotID, right: SnapshotID) -> Bool {
    (left.covered, left.writer) < (right.covered, right.writer)
  }

  var description: String { "\(covered) transactions, by \(writer)" }
}
