internal import DimpleChangelog

/// A stamp with its replica's number in ``ReplicaTable``.
struct PackedStamp: Equatable {
  var time: Int64
  var replica: UInt64
  var number: Int64

  static func < (left: PackedStamp, right: PackedStamp) -> Bool {
    left.time == right.time ? left.replica < right.replica : left.time < right.time
  }

  var hash: UInt64 { RegisterHash.stamp(time: time, replica: replica) }

  /// Of a row that was there before tracking began: nobody's write.
  var isOldest: Bool { time == 0 && replica == 0 }

  var stamp: Stamp { Stamp(time: HybridTime(rawValue: time), replica: ReplicaID(rawValue: replica)) }
}

/// A row's registers while packed changes are merged into them; one instance serves row after row.
///
/// What ``RowState`` is, with values left where they lie, and its bytes are those of ``RowStateCodec``.
struct PackedRow: ~Copyable {
  struct Register {
    var column: Int64
    var stamp: PackedStamp
    /// `nil` where only the table has it, or nobody here.
    var value: PackedValue?
    /// Written by the changes being merged.
    var isNew = false
    /// What it had before them.
    var previous: PackedStamp?
  }

  private(set) var inserted: PackedStamp?
  private(set) var deleted: PackedStamp?
  private(set) var registers: [Register] = []

  /// The last birth is later than the last death.
  var isAlive: Bool {
    guard let inserted else { return false }
    return deleted.map { $0 < inserted } ?? true
  }

  /// Whether a replica has written to the row what still counts.
  func hasWrites(of replica: Int64) -> Bool {
    if deleted?.number == replica { return true }
    for index in registers.indices where registers[index].stamp.number == replica { return true }
    return false
  }

  mutating func clear() {
    inserted = nil
    deleted = nil
    registers.removeAll(keepingCapacity: true)
  }

  // MARK: - Merging

  /// Takes in one change; the later stamp wins, register by register.
  mutating func apply(_ entry: ChangeBatch.Entry, at stamp: PackedStamp, from batch: ChangeBatch) {
    switch entry.operation {
    case .insert: if inserted.map({ $0 < stamp }) ?? true { inserted = stamp }
    case .delete:
      if deleted.map({ $0 < stamp }) ?? true { deleted = stamp }
      return
    case .update: break
    }
    var index = 0
    for position in entry.firstCell..<entry.firstCell + entry.cellCount {
      let cell = batch.cells[position]
      while index < registers.count, registers[index].column < cell.column { index += 1 }
      if index == registers.count {
        registers.append(Register(column: cell.column, stamp: stamp, value: batch.value(of: cell), isNew: true))
      } else if registers[index].column != cell.column {
        registers.insert(
          Register(column: cell.column, stamp: stamp, value: batch.value(of: cell), isNew: true), at: index)
      } else if registers[index].stamp < stamp {
        if !registers[index].isNew { registers[index].previous = registers[index].stamp }
        registers[index].stamp = stamp
        registers[index].value = batch.value(of: cell)
        registers[index].isNew = true
      }
      index += 1
    }
  }

  /// Gives registers that have no value here those that the log keeps of a deleted row.
  mutating func fill(_ entry: ChangeBatch.Entry, from batch: ChangeBatch) {
    for cell in batch.cells(of: entry) {
      guard let index = registers.firstIndex(where: { $0.column == cell.column }), registers[index].value == nil
      else { continue }
      registers[index].value = batch.value(of: cell)
    }
  }

  // MARK: - Bytes

  /// Reads a row's state; the values stay where they are.
  mutating func decode(_ bytes: UnsafeRawBufferPointer, _ replicas: PackedReplicas) throws {
    clear()
    var reader = try PackedReader(bytes)
    let flags = try reader.byte()
    if flags & 1 != 0 { inserted = try replicas.stamp(&reader) }
    if flags & 2 != 0 { deleted = try replicas.stamp(&reader) }
    while !reader.isAtEnd {
      let tag = try reader.varint()
      guard let stamp = tag & 1 != 0 ? try replicas.stamp(&reader) : inserted else { throw RowStateCodec.damaged() }
      var value: PackedValue?
      if tag & 2 != 0 {
        let start = reader.position
        try reader.skipValue()
        value = PackedValue(start: start, count: reader.position - start)
      }
      let column = Int64(tag >> 2)
      // Stored ascending: anything else was not written by this library.
      guard registers.last.map({ $0.column < column }) ?? true else { throw RowStateCodec.damaged() }
      registers.append(Register(column: column, stamp: stamp, value: value))
    }
  }

  /// Writes the row's state, with the values for which the condition holds.
  func encode(to writer: inout PackedWriter, keepingValue: (Register) -> Bool) {
    writer.byte((inserted == nil ? 0 : 1) | (deleted == nil ? 0 : 2))
    if let inserted { write(inserted, &writer) }
    if let deleted { write(deleted, &writer) }
    for index in registers.indices {
      let register = registers[index]
      let hasOwnStamp = register.stamp != inserted
      let value = register.value.flatMap { keepingValue(register) ? $0 : nil }
      writer.varint(UInt64(bitPattern: register.column) << 2 | (value == nil ? 0 : 2) | (hasOwnStamp ? 1 : 0))
      if hasOwnStamp { write(register.stamp, &writer) }
      if let value { writer.append(value.start, value.count) }
    }
  }

  private func write(_ stamp: PackedStamp, _ writer: inout PackedWriter) {
    writer.varint(UInt64(bitPattern: stamp.time))
    writer.varint(UInt64(bitPattern: stamp.number))
  }
}

/// The ids of replicas by their numbers in ``ReplicaTable``.
struct PackedReplicas {
  private let replicas: [Int64: ReplicaID]
  private let dense: [UInt64]

  init(_ table: ReplicaTable) {
    let known = table.replicas
    replicas = known
    // Numbers are given out one after the other; a damaged table must not cost memory.
    let last = known.keys.filter { $0 >= 0 && $0 < 1 << 16 }.max() ?? 0
    dense = (0...last).map { known[$0]?.rawValue ?? .max }
  }

  func stamp(time: Int64, number: Int64) throws -> PackedStamp {
    if number >= 0, number < dense.count, dense[Int(number)] != .max {
      return PackedStamp(time: time, replica: dense[Int(number)], number: number)
    }
    guard let replica = replicas[number] else { throw RowStateCodec.damaged() }
    return PackedStamp(time: time, replica: replica.rawValue, number: number)
  }

  func stamp(_ reader: inout PackedReader) throws -> PackedStamp {
    let time = Int64(bitPattern: try reader.varint())
    return try stamp(time: time, number: Int64(bitPattern: try reader.varint()))
  }
}
