internal import DimpleChangelog
internal import DimpleStore

/// A primary key's values as one run of bytes; equal keys have equal bytes.
enum KeyCodec {
  static func encode(_ key: [SQLValue]) -> [UInt8] {
    var writer = ByteWriter()
    for value in key { writer.value(value) }
    return writer.bytes
  }

  /// Every key that SQLite's `=` takes for equal to these values, where text is compared byte by byte: 1 is 1.0.
  static func equalKeys(_ values: [SQLValue]) -> [[UInt8]] {
    values.map(equalValues).reduce([[]]) { keys, values in
      keys.flatMap { key in values.map { key + encode([$0]) } }
    }
  }

  private static func equalValues(_ value: SQLValue) -> [SQLValue] {
    switch value {
    case .integer(let integer):
      let reals = Double(exactly: integer).map { $0 == 0 ? [0.0, -0.0] : [$0] } ?? []
      return [value] + reals.map(SQLValue.real)
    case .real(let real):
      guard let integer = Int64(exactly: real) else { return [value] }
      return equalValues(.integer(integer))
    default: return [value]
    }
  }

  static func decode(_ bytes: [UInt8]) throws -> [SQLValue] {
    var reader = ByteReader(bytes)
    var key: [SQLValue] = []
    do { while !reader.isAtEnd { key.append(try reader.value()) } } catch is DamagedBytes {
      throw RowStateCodec.damaged()
    }
    return key
  }
}
