internal import DimpleChangelog
internal import DimpleStore

/// Writes the own log's payloads (docs/CHANGELOG_FORMAT.md) as a pack's lines, without making values of what is in them.
///
/// The same lines as from ``PackTransaction``s; those with large values it leaves to these.
struct LogPacker {
  private static let run: UInt8 = 5
  private static let rekey: UInt8 = 4

  private struct Column {
    /// The name as JSON, with the colon.
    var json: [UInt8]
    /// Among the table's columns by the bytes of their names: in this order they are written.
    var rank: Int
  }

  private struct Table {
    var id: Int64
    var name: String
    /// What a change of it begins with, up to what was done.
    var head: [UInt8]
    var columns: [Int64: Column]

    static let none = Table(id: 0, name: "", head: [], columns: [:])
  }

  private struct Cell {
    var column: Column
    var value: PackedValue
  }

  private struct LargeValue: Error {}

  private let history: LogNameHistory
  /// Those of the transaction at hand, and of its neighbours.
  private var names: LogNames
  private var tables: [Int64: Table] = [:]
  /// Changes mostly have the table of the one before.
  private var table = Table.none
  private var keyCount = 0
  private var cells: [Cell] = []

  init(_ history: LogNameHistory) {
    self.history = history
    names = history.present
  }

  /// Adds the changes of a row of the log to the transaction at hand.
  ///
  /// - Returns: `false` at a large value; then a part of them may have been added.
  mutating func add(_ payload: UnsafeRawBufferPointer, at time: HybridTime, to builder: inout PackBuilder) throws
    -> Bool
  {
    do {
      try addAll(payload, at: time.rawValue, to: &builder)
      return true
    } catch is LargeValue { return false }
  }

  private mutating func addAll(
    _ payload: UnsafeRawBufferPointer, at time: Int64, to builder: inout PackBuilder
  ) throws {
    var reader = try PackedReader(payload)
    let head = try reader.byte()
    setNames(of: Int64(bitPattern: try reader.varint()))
    guard head == Self.run else {
      try setTable(Int64(bitPattern: reader.varint()), keyCount: Int(head >> 3))
      return try addRecord(&reader, head & 7, at: time, to: &builder)
    }
    _ = try reader.varint()
    var time = time
    while !reader.isAtEnd {
      let head = try reader.byte()
      if head >> 3 > 0 { try setTable(Int64(bitPattern: reader.varint()), keyCount: Int(head >> 3)) }
      // A rekey takes two times: the first is the delete's.
      if head & 7 == Self.rekey { time += 1 }
      try addRecord(&reader, head & 7, at: time, to: &builder)
      time += 1
    }
  }

  private mutating func addRecord(
    _ reader: inout PackedReader, _ operation: UInt8, at time: Int64, to builder: inout PackBuilder
  ) throws {
    let key = try Self.values(&reader, keyCount)
    let isRekey = operation == Self.rekey
    let oldKey = isRekey ? try Self.values(&reader, keyCount) : nil
    let new = try readCells(&reader)
    if let oldKey {
      // In time before the insert, but behind it in the payload.
      let old = try readCells(&reader)
      try add(.delete, oldKey, old, at: time - 1, to: &builder)
    }
    guard let operation = isRekey ? .insert : ChangeBatch.Operation(rawValue: operation) else {
      throw LogNumbers.damaged
    }
    try add(operation, key, new, at: time, to: &builder)
    cells.removeAll(keepingCapacity: true)
  }

  /// One after the other, where they lie.
  private static func values(_ reader: inout PackedReader, _ count: Int) throws -> PackedValue {
    let start = reader.position
    for _ in 0..<count { try reader.skipValue() }
    return PackedValue(start: start, count: reader.position - start)
  }

  /// Up to the payload's end, or to the 0 that ends the cells.
  private mutating func readCells(_ reader: inout PackedReader) throws -> Range<Int> {
    let first = cells.count
    while !reader.isAtEnd {
      let id = Int64(bitPattern: try reader.varint())
      if id == 0 { break }
      let start = reader.position
      try reader.skipValue()
      guard let column = table.columns[id] else { throw LogNumbers.damaged }
      let length = reader.position - start
      // What precedes a value's bytes takes five at most.
      if length > BigReference.threshold,
        try PackedValue(start: start, count: length).byteCount > BigReference.threshold
      {
        cells.removeAll()
        throw LargeValue()
      }
      cells.append(Cell(column: column, value: PackedValue(start: start, count: length)))
    }
    var isSorted = true
    for index in first..<cells.count where index > first && cells[index - 1].column.rank > cells[index].column.rank {
      isSorted = false
      break
    }
    if !isSorted { cells[first...].sort { $0.column.rank < $1.column.rank } }
    return first..<cells.count
  }

  private func add(
    _ operation: ChangeBatch.Operation, _ key: PackedValue, _ range: Range<Int>, at time: Int64,
    to builder: inout PackBuilder
  ) throws {
    try builder.add(changeOf: table.name, at: HybridTime(rawValue: time)) { writer, writeTicks in
      writer.append(table.head)
      switch operation {
      case .insert: writer.raw(#"insert""#)
      case .update: writer.raw(#"update""#)
      case .delete: writer.raw(#"delete""#)
      }
      writeTicks(&writer)
      writer.raw(#","key":["#)
      var reader = PackedReader(key.start, count: key.count)
      var isFirst = true
      while !reader.isAtEnd {
        if !isFirst { writer.raw(",") }
        isFirst = false
        let start = reader.position
        try reader.skipValue()
        try writer.packed(PackedValue(start: start, count: reader.position - start))
      }
      writer.raw("]")
      if !range.isEmpty {
        writer.raw(#","columns":{"#)
        for index in range {
          if index > range.lowerBound { writer.raw(",") }
          writer.append(cells[index].column.json)
          try writer.packed(cells[index].value)
        }
        writer.raw("}")
      }
      writer.raw("}")
    }
  }

  // MARK: - Names

  private mutating func setNames(of transaction: Int64) {
    if names.range.contains(transaction) { return }
    names = history.names(of: transaction)
    tables = [:]
    table = .none
  }

  private mutating func setTable(_ id: Int64, keyCount: Int) throws {
    self.keyCount = keyCount
    if id == table.id { return }
    if let known = tables[id] {
      table = known
      return
    }
    guard let name = names.tables[id] else { throw LogNumbers.damaged }
    var head = JSONWriter()
    head.raw(#"{"table":"#)
    head.string(name)
    head.raw(#","op":""#)
    var columns: [Int64: Column] = [:]
    let sorted = (names.columns[id] ?? [:]).sorted { $0.value.utf8.lexicographicallyPrecedes($1.value.utf8) }
    for (rank, column) in sorted.enumerated() {
      var json = JSONWriter()
      json.string(column.value)
      json.raw(":")
      columns[column.key] = Column(json: json.bytes, rank: rank)
    }
    table = Table(id: id, name: name, head: head.bytes, columns: columns)
    tables[id] = table
  }
}

extension PackedValue {
  /// Of a text or a blob, without what says so.
  fileprivate var byteCount: Int {
    get throws {
      var reader = PackedReader(start, count: count)
      let tag = try reader.varint()
      return tag >= 16 ? Int(clamping: (tag - 16) >> 1) : 0
    }
  }
}

extension JSONWriter {
  /// A packed value, as ``ValueJSON`` writes it.
  fileprivate mutating func packed(_ value: PackedValue) throws {
    var reader = PackedReader(value.start, count: value.count)
    let tag = try reader.varint()
    let content = UnsafeRawBufferPointer(
      start: reader.position, count: value.count - (reader.position - value.start))
    switch tag {
    case UInt64(ValueTag.null): raw("null")
    case 2...10:
      var integer: Int64 = content.first.map { $0 >= 0x80 ? -1 : 0 } ?? 0
      for byte in content { integer = integer << 8 | Int64(byte) }
      self.integer(integer)
    case 11, 12:
      guard content.count == 16 else { throw RowStateCodec.damaged() }
      uuid(
        UUIDText(
          high: content.loadUnaligned(as: UInt64.self).bigEndian,
          low: content.loadUnaligned(fromByteOffset: 8, as: UInt64.self).bigEndian, isUppercase: tag == 12))
    case 17... where tag & 1 == 1:
      let text = content.assumingMemoryBound(to: UInt8.self)
      if text.isUTF8 { self.text(text) } else { ValueJSON.write(try value.value, to: &self) }
    // Reals and blobs: making a value of them costs less than writing it.
    default: ValueJSON.write(try value.value, to: &self)
    }
  }

  private mutating func uuid(_ uuid: UUIDText) {
    withUnsafeTemporaryAllocation(byteCount: 38, alignment: 1) { buffer in
      buffer[0] = UInt8(ascii: "\"")
      uuid.write(to: UnsafeMutableRawBufferPointer(rebasing: buffer[1..<37]))
      buffer[37] = UInt8(ascii: "\"")
      append(UnsafeRawBufferPointer(buffer))
    }
  }
}
