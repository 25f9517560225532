internal import DimpleChangelog
internal import DimpleStore

/// A primary key's values as one run of bytes; equal keys have equal bytes.
enum KeyCodec {
  static func encode(_ key: [SQLValue]) -> [UInt8] {
    var writer = ByteWriter()
    for value in key { writer.value(value) }
    return writer.bytes
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
