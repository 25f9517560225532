/// One column, for types that decode from a single value: enums with raw values, wrappers.
///
/// A type that asks for keys or elements throws ``NeedsJSON``: it is stored as JSON text.
struct ColumnDecoder: Decoder, SingleValueDecodingContainer {
  let row: RowDecoder
  let column: Int32

  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> { throw NeedsJSON() }
  func unkeyedContainer() throws -> any UnkeyedDecodingContainer { throw NeedsJSON() }
  func singleValueContainer() throws -> any SingleValueDecodingContainer { self }

  func decodeNil() -> Bool { row.isNull(column) }
  func decode(_ type: Bool.Type) throws -> Bool { try row.bool(column) }
  func decode(_ type: String.Type) throws -> String { try row.string(column) }
  func decode(_ type: Double.Type) throws -> Double { try row.double(column) }
  func decode(_ type: Float.Type) throws -> Float { Float(try row.double(column)) }
  func decode(_ type: Int.Type) throws -> Int { try row.integer(type, column) }
  func decode(_ type: Int8.Type) throws -> Int8 { try row.integer(type, column) }
  func decode(_ type: Int16.Type) throws -> Int16 { try row.integer(type, column) }
  func decode(_ type: Int32.Type) throws -> Int32 { try row.integer(type, column) }
  func decode(_ type: Int64.Type) throws -> Int64 { try row.integer(type, column) }
  func decode(_ type: UInt.Type) throws -> UInt { try row.integer(type, column) }
  func decode(_ type: UInt8.Type) throws -> UInt8 { try row.integer(type, column) }
  func decode(_ type: UInt16.Type) throws -> UInt16 { try row.integer(type, column) }
  func decode(_ type: UInt32.Type) throws -> UInt32 { try row.integer(type, column) }
  func decode(_ type: UInt64.Type) throws -> UInt64 { try row.integer(type, column) }
  func decode<T: Decodable>(_ type: T.Type) throws -> T { try row.decode(type, column: column) }
}
