package import DimpleStore

/// A value in the log that is too large to be read along with its transaction: where its bytes lie.
package struct LargeValue: Sendable, Hashable {
  /// Of `dimple_log`.
  package var row: Int64
  /// In the row's payload.
  package var offset: Int
  /// In bytes.
  package var count: Int
  /// Otherwise a blob.
  package var isText: Bool

  /// Some of its bytes, without the rest in memory; as many as there are.
  package func bytes(from start: Int, count: Int, _ connection: Connection) throws -> [UInt8] {
    let blob = try connection.readBlob(table: "dimple_log", column: "payload", rowID: row)
    defer { blob.close() }
    return try blob.read(offset: offset + start, count: min(count, self.count - start))
  }
}

/// A column of a change whose value was left where it is.
package struct LargeColumn: Sendable, Hashable {
  /// Among the transaction's changes.
  package var change: Int
  package var name: String
  package var value: LargeValue
}

/// Which values are left where they are.
struct LargeValueReading {
  /// Longer ones are, in bytes, outside of keys.
  var threshold: Int
  /// Sees each while its bytes are at hand.
  var inspect: (LargeValue, UnsafeRawBufferPointer) throws -> Void
}

/// A payload with NULL in the place of large values.
struct ReducedPayload {
  /// A value that was replaced, by its place in what the payload decodes to.
  struct Place {
    var entry: Int
    /// Among the old values of a rekey.
    var isOld: Bool
    var cell: Int
    var value: LargeValue
  }

  private(set) var bytes: [UInt8] = []
  private(set) var places: [Place] = []

  private let payload: UnsafeRawBufferPointer
  private let row: Int64
  private let reading: LargeValueReading
  private var position = 0

  init(_ payload: UnsafeRawBufferPointer, row: Int64, _ reading: LargeValueReading) throws {
    self.payload = payload
    self.row = row
    self.reading = reading
    let head = try byte()
    _ = try varint()
    guard head == LogRun.head else {
      _ = try varint()
      try record(0, head: head, keyCount: Int(head >> 3))
      return
    }
    _ = try varint()
    var (entry, keyCount) = (0, 0)
    while position < payload.count {
      let head = try byte()
      if head >> 3 > 0 {
        keyCount = Int(head >> 3)
        _ = try varint()
      }
      try record(entry, head: head, keyCount: keyCount)
      entry += 1
    }
  }

  private mutating func record(_ entry: Int, head: UInt8, keyCount: Int) throws {
    let isRekey = head & 7 == LogRecord.Operation.rekey.rawValue
    for _ in 0..<(isRekey ? 2 * keyCount : keyCount) { _ = try value(mayBeLarge: false) }
    for isOld in isRekey ? [false, true] : [false] {
      var cell = 0
      while position < payload.count {
        if try varint() == 0 { break }
        if let large = try value(mayBeLarge: true) {
          places.append(Place(entry: entry, isOld: isOld, cell: cell, value: large))
        }
        cell += 1
      }
    }
  }

  private static var damage: DamagedBytes { DamagedBytes(offset: 0, reason: "a large value cannot be found") }

  private mutating func byte() throws -> UInt8 {
    guard position < payload.count else { throw Self.damage }
    let byte = payload[position]
    bytes.append(byte)
    position += 1
    return byte
  }

  private mutating func varint() throws -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), through: 63, by: 7) {
      let next = try byte()
      value |= UInt64(next & 0x7F) << shift
      if next < 0x80 { return value }
    }
    throw Self.damage
  }

  /// - Returns: What was replaced.
  private mutating func value(mayBeLarge: Bool) throws -> LargeValue? {
    let start = bytes.count
    let tag = try varint()
    let count: Int
    switch tag {
    case UInt64(ValueTag.null): count = 0
    case UInt64(ValueTag.real): count = 8
    case 2...10: count = Int(tag) - 2
    case UInt64(ValueTag.lowercaseUUID), UInt64(ValueTag.uppercaseUUID): count = 16
    case 16...: count = Int(clamping: (tag - 16) >> 1)
    default: throw Self.damage
    }
    guard count <= payload.count - position else { throw Self.damage }
    let content = UnsafeRawBufferPointer(rebasing: payload[position..<position + count])
    guard mayBeLarge, tag >= 16, count > reading.threshold else {
      bytes.append(contentsOf: content)
      position += count
      return nil
    }
    let large = LargeValue(row: row, offset: position, count: count, isText: tag & 1 == 1)
    try reading.inspect(large, content)
    position += count
    bytes.removeSubrange(start...)
    bytes.append(ValueTag.null)
    return large
  }
}
