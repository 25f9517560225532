internal import DimpleStore

/// The bytes of `dimple_merge.payload`: docs/CHANGELOG_FORMAT.md.
struct MergePayload {
  /// About how many bytes one row of the table holds.
  static let chunkSize = 1 << 16
  private static let version: UInt8 = 1
  private static let hasValue: UInt64 = 1

  private var body = ByteWriter()
  private var replicas: [ReplicaID: UInt64] = [:]
  private var order: [ReplicaID] = []
  /// Changes mostly have the author of the one before.
  private var last: (replica: ReplicaID, number: UInt64)?
  /// What counts only if it is kept: see ``settle(_:)``.
  private var tentative = ByteWriter()

  var isEmpty: Bool { body.bytes.isEmpty }
  var isFull: Bool { body.bytes.count >= Self.chunkSize && tentative.bytes.isEmpty }

  mutating func append(_ event: HistoryEvent) {
    body.byte(event.operation.code | UInt8(truncatingIfNeeded: event.row.key.count) << 3)
    body.varint(UInt64(bitPattern: event.row.table))
    for value in event.row.key { body.value(value) }
    body.varint(UInt64(bitPattern: event.stamp.time.rawValue))
    body.varint(number(of: event.stamp.replica))
    body.varint(UInt64(event.cells.count))
    for cell in event.cells {
      body.varint(UInt64(bitPattern: cell.column) << 1 | (cell.value == nil ? 0 : Self.hasValue))
      if let value = cell.value { body.value(value) }
    }
  }

  /// The same for what is packed already.
  ///
  /// - Parameter isTentative: Whether it counts is only known later: see ``settle(_:)``.
  mutating func append(
    _ operation: Change.Operation, table: Int64, key: UnsafeRawBufferPointer, keyCount: Int, cells: [PackedCell],
    keepsValues: Bool, at stamp: Stamp, isTentative: Bool
  ) {
    let replica = number(of: stamp.replica)
    func write(to body: inout ByteWriter) {
      body.byte(operation.code | UInt8(truncatingIfNeeded: keyCount) << 3)
      body.varint(UInt64(bitPattern: table))
      body.raw(key)
      body.varint(UInt64(bitPattern: stamp.time.rawValue))
      body.varint(replica)
      body.varint(UInt64(cells.count))
      for cell in cells {
        body.varint(UInt64(bitPattern: cell.column) << 1 | (keepsValues ? Self.hasValue : 0))
        if keepsValues { body.raw(cell.value) }
      }
    }
    if isTentative { write(to: &tentative) } else { write(to: &body) }
  }

  /// Keeps or drops what was tentative.
  mutating func settle(_ isKept: Bool) {
    if isKept { body.raw(tentative.bytes) }
    tentative.removeAll()
  }

  private mutating func number(of replica: ReplicaID) -> UInt64 {
    if let last, last.replica == replica { return last.number }
    let number = replicas[replica] ?? add(replica)
    last = (replica, number)
    return number
  }

  private mutating func add(_ replica: ReplicaID) -> UInt64 {
    let number = UInt64(order.count)
    replicas[replica] = number
    order.append(replica)
    return number
  }

  var bytes: [UInt8] {
    var head = ByteWriter()
    head.byte(Self.version)
    head.varint(UInt64(order.count))
    for replica in order { head.varint(replica.rawValue) }
    return head.bytes + body.bytes
  }

  /// - Throws: ``ChangelogError`` `.damagedLog`, `.newerFormat`.
  static func decode(_ bytes: [UInt8], row: Int64) throws -> [HistoryEvent] {
    do {
      var reader = ByteReader(bytes)
      guard try reader.byte() == version else {
        throw ChangelogError(
          .newerFormat, operation: "read the record of merges", message: "A row of dimple_merge is of a newer version.",
          hint: "The database was opened by a newer version of the app: update this one.")
      }
      var replicas: [ReplicaID] = []
      for _ in 0..<(try reader.varint()) { replicas.append(ReplicaID(rawValue: try reader.varint())) }
      var events: [HistoryEvent] = []
      while !reader.isAtEnd { events.append(try event(&reader, replicas)) }
      return events
    } catch let damage as DamagedBytes {
      throw ChangelogError(
        .damagedLog, operation: "read the record of merges",
        message: "The row \(row) of dimple_merge is damaged: \(damage).",
        hint: "Restore the database from a backup, or sync into a new one.", underlying: damage)
    }
  }

  private static func event(_ reader: inout ByteReader, _ replicas: [ReplicaID]) throws -> HistoryEvent {
    let head = try reader.byte()
    guard let operation = Change.Operation(code: head & 7) else { throw reader.damage("an unknown operation") }
    var row = RowID(table: try reader.identifier(), key: [])
    for _ in 0..<(head >> 3) { row.key.append(try reader.value()) }
    guard let time = Int64(exactly: try reader.varint()), let index = Int(exactly: try reader.varint()),
      replicas.indices.contains(index)
    else { throw reader.damage("a stamp is out of range") }
    var cells: [HistoryEvent.Cell] = []
    for _ in 0..<(try reader.varint()) {
      let tag = try reader.varint()
      let value = tag & hasValue != 0 ? try reader.value() : nil
      cells.append(HistoryEvent.Cell(column: Int64(tag >> 1), value: value))
    }
    return HistoryEvent(
      stamp: Stamp(time: HybridTime(rawValue: time), replica: replicas[index]), transaction: nil, row: row,
      operation: operation, cells: cells)
  }
}

extension Change.Operation {
  fileprivate var code: UInt8 {
    switch self {
    case .insert: 1
    case .update: 2
    case .delete: 3
    }
  }

  fileprivate init?(code: UInt8) {
    switch code {
    case 1: self = .insert
    case 2: self = .update
    case 3: self = .delete
    default: return nil
    }
  }
}
