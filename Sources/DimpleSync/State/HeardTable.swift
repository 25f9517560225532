internal import DimpleChangelog
internal import DimpleStore

/// `dimple_heard`: what the newest pack of each replica said of itself and of others.
struct HeardTable {
  struct Row: Sendable {
    /// The last transaction of the newest pack seen.
    var number: Int64
    /// The latest time that a change of the replica had.
    var time: HybridTime
    /// What it had merged of others from this vault.
    var vector: [ReplicaID: RangeSet64]
  }

  let vault: String
  let connection: Connection

  func load() throws -> [ReplicaID: Row] {
    let statement = try connection.prepare("SELECT replica, number, time, vector FROM dimple_heard WHERE vault = ?")
    defer { statement.reset() }
    try statement.bind(.text(vault), at: 1)
    var rows: [ReplicaID: Row] = [:]
    while try statement.step() {
      rows[statement.replica(0)] = Row(
        number: statement.int64(1), time: HybridTime(rawValue: statement.int64(2)),
        vector: try Self.decode(statement.bytes(3)))
    }
    return rows
  }

  /// Takes note of a pack's header, and of the latest time of the changes taken from it.
  func note(_ header: PackHeader, newest time: HybridTime = HybridTime(rawValue: 0)) throws {
    // The newest pack knows most; of an older one only the times may be new.
    try connection.prepare(
      """
      INSERT INTO dimple_heard(vault, replica, number, time, vector) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT(vault, replica) DO UPDATE SET time = max(time, excluded.time),
        vector = CASE WHEN excluded.number >= number THEN excluded.vector ELSE vector END,
        number = max(number, excluded.number)
      """
    ).run(
      .text(vault), header.replica.sqlValue, .integer(header.range.upperBound),
      .integer(time.rawValue), .blob(Self.encode(header.vector.subtracting(header.elsewhere))))
  }

  private static func encode(_ vector: [ReplicaID: RangeSet64]) -> [UInt8] {
    var writer = ByteWriter()
    for (replica, seen) in vector.sorted(by: { $0.key < $1.key }) {
      writer.varint(replica.rawValue)
      writer.varint(UInt64(seen.ranges.count))
      for range in seen.ranges {
        writer.varint(UInt64(bitPattern: range.lowerBound))
        writer.varint(UInt64(bitPattern: range.upperBound))
      }
    }
    return writer.bytes
  }

  private static func decode(_ bytes: [UInt8]) throws -> [ReplicaID: RangeSet64] {
    var vector: [ReplicaID: RangeSet64] = [:]
    do {
      var reader = ByteReader(bytes)
      while !reader.isAtEnd {
        let replica = ReplicaID(rawValue: try reader.varint())
        var seen = RangeSet64()
        for _ in 0..<(try reader.varint()) {
          let (first, last) = (Int64(bitPattern: try reader.varint()), Int64(bitPattern: try reader.varint()))
          guard first <= last else { throw RowStateCodec.damaged() }
          seen.insert(first...last)
        }
        vector[replica] = seen
      }
    } catch is DamagedBytes { throw RowStateCodec.damaged() }
    return vector
  }
}
