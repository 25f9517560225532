/// What a trigger tells its function about the arguments that follow: a constant blob, so that each trigger carries all that
/// it needs and stays right even if another process changes the schema.
struct TriggerShape: Equatable {
  struct Flags: OptionSet, Sendable {
    let rawValue: UInt8
    /// Deletes keep old values.
    static let keepsOldValues = Flags(rawValue: 1)
    /// A further call follows, with more columns.
    static let hasMore = Flags(rawValue: 2)
  }

  var table: Int64
  var keyCount: Int
  var flags: Flags = []
  /// The ids of the columns whose values follow in this call.
  var columns: [Int64]

  /// A byte of flags, the table's id, the number of key columns, and the columns' ids.
  var bytes: [UInt8] {
    var writer = ByteWriter()
    writer.byte(flags.rawValue)
    writer.varint(UInt64(bitPattern: table))
    writer.varint(UInt64(keyCount))
    for column in columns { writer.varint(UInt64(bitPattern: column)) }
    return writer.bytes
  }

  /// The shape of a further call for a wide table: flags and columns.
  static func continuation(_ columns: some Sequence<Int64>, flags: Flags) -> [UInt8] {
    var writer = ByteWriter()
    writer.byte(flags.rawValue)
    for column in columns { writer.varint(UInt64(bitPattern: column)) }
    return writer.bytes
  }
}
