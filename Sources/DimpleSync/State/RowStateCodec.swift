internal import DimpleChangelog
internal import DimpleStore

/// A row's state as `dimple_row` stores it.
///
/// ```
/// flags        1 byte: 1 = inserted follows, 2 = deleted follows
/// inserted     stamp
/// deleted      stamp
/// cells        until the end, ascending by column: varint(column << 2 | has value << 1 | stamp follows), stamp, value
/// stamp        varint(hybrid time), varint(replica's number)
/// ```
/// A cell without a stamp has the insert's.
enum RowStateCodec {
  static func encode(_ state: RowState, number: (ReplicaID) throws -> Int64) throws -> [UInt8] {
    var writer = ByteWriter()
    func write(_ stamp: Stamp) throws {
      writer.varint(UInt64(bitPattern: stamp.time.rawValue))
      writer.varint(UInt64(bitPattern: try number(stamp.replica)))
    }
    writer.byte((state.inserted == nil ? 0 : 1) | (state.deleted == nil ? 0 : 2))
    if let inserted = state.inserted { try write(inserted) }
    if let deleted = state.deleted { try write(deleted) }
    for item in state.cells.items {
      let (column, cell) = (item.column, item.cell)
      let hasOwnStamp = cell.stamp != state.inserted
      writer.varint(UInt64(column) << 2 | (cell.value == nil ? 0 : 2) | (hasOwnStamp ? 1 : 0))
      if hasOwnStamp { try write(cell.stamp) }
      if let value = cell.value { writer.value(value) }
    }
    return writer.bytes
  }

  /// - Throws: ``SyncError/Code/damagedState``.
  static func decode(_ bytes: [UInt8], _ replicas: ReplicaTable) throws -> RowState {
    do { return try decodeTrusting(bytes, replicas) } catch is DamagedBytes { throw damaged() }
  }

  private static func decodeTrusting(_ bytes: [UInt8], _ replicas: ReplicaTable) throws -> RowState {
    var reader = ByteReader(bytes)
    func stamp() throws -> Stamp {
      let time = HybridTime(rawValue: Int64(bitPattern: try reader.varint()))
      return Stamp(time: time, replica: try replicas.replica(Int64(bitPattern: try reader.varint())))
    }
    var state = RowState()
    let flags = try reader.byte()
    if flags & 1 != 0 { state.inserted = try stamp() }
    if flags & 2 != 0 { state.deleted = try stamp() }
    while !reader.isAtEnd {
      let tag = try reader.varint()
      guard let cellStamp = tag & 1 != 0 ? try stamp() : state.inserted else { throw damaged() }
      let value = tag & 2 != 0 ? try reader.value() : nil
      state.cells.append(RowState.Cell(stamp: cellStamp, value: value), column: Int64(tag >> 2))
    }
    return state
  }

  static func damaged() -> SyncError {
    SyncError(
      .damagedState, operation: "read the merged state", message: "A row of dimple_row cannot be read.",
      hint: "Restore the database from a backup, or sync into a new one.")
  }
}
