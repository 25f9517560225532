internal import DimpleStore

/// What one row of `dimple_log` says, by ids. docs/CHANGELOG_FORMAT.md has the bytes.
struct LogPayload: Equatable {
  enum Operation: UInt8 {
    case insert = 0
    case update = 1
    case delete = 2
    /// The primary key changed: a delete of the old and an insert of the new.
    case rekey = 3
  }

  var operation: Operation
  var transaction: Int64
  var table: Int64
  var key: [SQLValue]
  /// For a rekey only.
  var newKey: [SQLValue] = []
  var columns: [Column]

  struct Column: Equatable {
    var id: Int64
    var value: SQLValue
  }
}

extension LogPayload {
  /// The bytes up to the columns; each column is then `varint(id), value`.
  static func writeHead(
    _ operation: Operation, transaction: Int64, table: Int64, keyCount: Int, to writer: inout ByteWriter
  ) {
    writer.byte(operation.rawValue)
    writer.varint(UInt64(transaction))
    writer.varint(UInt64(table))
    writer.varint(UInt64(keyCount))
  }

  var bytes: [UInt8] {
    var writer = ByteWriter()
    Self.writeHead(operation, transaction: transaction, table: table, keyCount: key.count, to: &writer)
    for value in key + newKey { writer.value(value) }
    for column in columns {
      writer.varint(UInt64(column.id))
      writer.value(column.value)
    }
    return writer.bytes
  }

  /// - Throws: ``ChangelogError/Code/damagedLog``.
  init(_ bytes: [UInt8]) throws {
    do { self = try Self.decode(bytes) } catch is DamagedBytes {
      throw ChangelogError(
        .damagedLog, operation: "read the log", message: "A row of dimple_log cannot be read.",
        hint: "Restore the database from a backup, or sync into a new one.")
    }
  }

  private static func decode(_ bytes: [UInt8]) throws -> LogPayload {
    var reader = ByteReader(bytes)
    guard let operation = Operation(rawValue: try reader.byte()) else { throw DamagedBytes() }
    let transaction = try number(&reader)
    let table = try number(&reader)
    let keyCount = Int(try number(&reader, limit: 2000))
    let key = try (0..<keyCount).map { _ in try reader.value() }
    let newKey = operation == .rekey ? try (0..<keyCount).map { _ in try reader.value() } : []
    var columns: [Column] = []
    while !reader.isAtEnd { columns.append(Column(id: try number(&reader), value: try reader.value())) }
    return LogPayload(
      operation: operation, transaction: transaction, table: table, key: key, newKey: newKey, columns: columns)
  }

  private static func number(_ reader: inout ByteReader, limit: UInt64 = UInt64(Int64.max)) throws -> Int64 {
    let value = try reader.varint()
    guard value <= limit else { throw DamagedBytes() }
    return Int64(value)
  }
}
