internal import DimpleChangelog
internal import DimpleStore

/// A value of a row that lies under `blob/`.
struct LargeCell: Sendable {
  var table: String
  var key: [SQLValue]
  var reference: BigReference
}

/// Writes the JSON lines of one part, row by row. Canonical: the same rows give the same bytes.
struct SnapshotPartEncoder {
  private(set) var rows: Int64 = 0
  /// The latest stamp written.
  private(set) var latest = HybridTime(rawValue: 0)
  /// The values too large to stand in the part.
  private(set) var large: [LargeCell] = []

  private var writer = JSONWriter()
  private let numbers: [ReplicaID: Int64]
  private var shape: SnapshotShape?

  /// - Parameters:
  ///   - vault: Its id.
  ///   - replicas: All that stamps may name; a stamp has the position in this list.
  init(vault: String, writer replica: ReplicaID, index: Int, replicas: [ReplicaID]) {
    numbers = Dictionary(replicas.enumerated().map { ($1, Int64($0)) }) { first, _ in first }
    writer.value(
      .object([
        .init(name: "format", value: .integer(PackHeader.currentFormat)),
        .init(name: "vault", value: .string(vault)),
        .init(name: "kind", value: .string("rows")),
        .init(name: "writer", value: .string(replica.description)),
        .init(name: "index", value: .integer(Int64(index))),
        .init(name: "replicas", value: .array(replicas.map { .string($0.description) })),
      ]))
    endLine()
  }

  /// What was written so far.
  var bytes: [UInt8] { writer.bytes }

  /// In bytes.
  var size: Int { writer.bytes.count }

  /// All large values together, in bytes.
  private(set) var largeSize: Int64 = 0

  private mutating func endLine() { writer.byte(UInt8(ascii: "\n")) }

  /// - Throws: ``SyncError/Code/damagedState`` for a stamp of a replica that is not in the list.
  mutating func append(_ row: SnapshotRow, of shape: SnapshotShape) throws {
    if self.shape != shape { write(shape) }
    writer.raw(#"{"key":"#)
    writer.list(row.key, from: UInt8(ascii: "["), to: UInt8(ascii: "]")) { ValueJSON.write($1, to: &$0) }
    if let inserted = row.inserted {
      writer.raw(#","inserted":"#)
      try write(inserted)
    }
    if let deleted = row.deleted {
      writer.raw(#","deleted":"#)
      try write(deleted)
    }
    if row.cells.contains(where: { $0 != nil }) {
      writer.raw(#","values":"#)
      try writeValues(of: row)
      if row.cells.contains(where: { $0 == nil || $0?.stamp != row.inserted }) {
        writer.raw(#","stamps":"#)
        try writeStamps(of: row)
      }
    }
    writer.raw(row.isHeld ? #","held":true}"# : "}")
    endLine()
    rows += 1
  }

  private mutating func write(_ shape: SnapshotShape) {
    self.shape = shape
    writer.value(
      .object([
        .init(name: "table", value: .string(shape.table)),
        .init(name: "columns", value: .array(shape.columns.map(JSON.string))),
      ]))
    endLine()
  }

  private mutating func writeValues(of row: SnapshotRow) throws {
    writer.byte(UInt8(ascii: "["))
    for (index, cell) in row.cells.enumerated() {
      if index > 0 { writer.byte(UInt8(ascii: ",")) }
      if let cell, cell.value == nil {
        writer.raw("{}")
      } else if let value = cell?.value, let reference = BigReference(value) {
        writer.value(reference.json)
        largeSize += reference.size
        large.append(LargeCell(table: shape?.table ?? "", key: row.key, reference: reference))
      } else {
        ValueJSON.write(cell?.value ?? .null, to: &writer)
      }
    }
    writer.byte(UInt8(ascii: "]"))
  }

  private mutating func writeStamps(of row: SnapshotRow) throws {
    writer.byte(UInt8(ascii: "["))
    for (index, cell) in row.cells.enumerated() {
      if index > 0 { writer.byte(UInt8(ascii: ",")) }
      if cell == nil {
        writer.raw("null")
      } else if let stamp = cell?.stamp, stamp != row.inserted {
        try write(stamp)
      } else {
        writer.raw("0")
      }
    }
    writer.byte(UInt8(ascii: "]"))
  }

  private mutating func write(_ stamp: Stamp) throws {
    guard let number = numbers[stamp.replica] else { throw RowStateCodec.damaged() }
    latest = max(latest, stamp.time)
    writer.byte(UInt8(ascii: "["))
    writer.integer(stamp.time.rawValue)
    writer.byte(UInt8(ascii: ","))
    writer.integer(number)
    writer.byte(UInt8(ascii: "]"))
  }
}
