/// The columns of the current row by key: what a struct's `init(from:)` asks.
struct RowContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
  let decoder: RowDecoder

  var codingPath: [any CodingKey] { [] }
  var allKeys: [Key] { decoder.columnNames.compactMap { Key(stringValue: $0) } }

  @inline(__always) private func column(_ key: Key) throws -> Int32 { try decoder.column(key) }

  func contains(_ key: Key) -> Bool { decoder.plan.has(key) }
  func decodeNil(forKey key: Key) throws -> Bool { try decoder.isNull(at: decoder.place(key)) }

  func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try decoder.bool(column(key)) }
  func decode(_ type: String.Type, forKey key: Key) throws -> String { try decoder.string(column(key)) }
  func decode(_ type: Double.Type, forKey key: Key) throws -> Double { try decoder.double(column(key)) }
  func decode(_ type: Float.Type, forKey key: Key) throws -> Float { Float(try decoder.double(column(key))) }
  func decode(_ type: Int.Type, forKey key: Key) throws -> Int { try decoder.integer(type, column(key)) }
  func decode(_ type: Int8.Type, forKey key: Key) throws -> Int8 { try decoder.integer(type, column(key)) }
  func decode(_ type: Int16.Type, forKey key: Key) throws -> Int16 { try decoder.integer(type, column(key)) }
  func decode(_ type: Int32.Type, forKey key: Key) throws -> Int32 { try decoder.integer(type, column(key)) }
  func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 { try decoder.integer(type, column(key)) }
  func decode(_ type: UInt.Type, forKey key: Key) throws -> UInt { try decoder.integer(type, column(key)) }
  func decode(_ type: UInt8.Type, forKey key: Key) throws -> UInt8 { try decoder.integer(type, column(key)) }
  func decode(_ type: UInt16.Type, forKey key: Key) throws -> UInt16 { try decoder.integer(type, column(key)) }
  func decode(_ type: UInt32.Type, forKey key: Key) throws -> UInt32 { try decoder.integer(type, column(key)) }
  func decode(_ type: UInt64.Type, forKey key: Key) throws -> UInt64 { try decoder.integer(type, column(key)) }
  func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
    try decoder.decode(type, at: decoder.place(key), key)
  }

  /// `nil` for `NULL`; a column that is missing is an error for an optional property too.
  @inline(__always) private func optional<T>(_ key: Key, _ decode: (Field, Int32) throws -> T) throws -> T? {
    let column = try column(key)
    let field = decoder.field(column)
    return field.isNull ? nil : try decode(field, column)
  }

  @inline(__always) private func optionalInteger<I: FixedWidthInteger & SQLConvertible>(_ type: I.Type, _ key: Key)
    throws -> I?
  {
    try optional(key) { try decoder.integer($0, type, $1) }
  }

  func decodeIfPresent(_ type: Bool.Type, forKey key: Key) throws -> Bool? {
    try optional(key) { try decoder.bool($0, $1) }
  }
  func decodeIfPresent(_ type: String.Type, forKey key: Key) throws -> String? {
    try optional(key) { try decoder.string($0, $1) }
  }
  func decodeIfPresent(_ type: Double.Type, forKey key: Key) throws -> Double? {
    try optional(key) { try decoder.double($0, $1) }
  }
  func decodeIfPresent(_ type: Float.Type, forKey key: Key) throws -> Float? {
    try optional(key) { Float(try decoder.double($0, $1)) }
  }
  func decodeIfPresent(_ type: Int.Type, forKey key: Key) throws -> Int? { try optionalInteger(type, key) }
  func decodeIfPresent(_ type: Int8.Type, forKey key: Key) throws -> Int8? { try optionalInteger(type, key) }
  func decodeIfPresent(_ type: Int16.Type, forKey key: Key) throws -> Int16? { try optionalInteger(type, key) }
  func decodeIfPresent(_ type: Int32.Type, forKey key: Key) throws -> Int32? { try optionalInteger(type, key) }
  func decodeIfPresent(_ type: Int64.Type, forKey key: Key) throws -> Int64? { try optionalInteger(type, key) }
  func decodeIfPresent(_ type: UInt.Type, forKey key: Key) throws -> UInt? { try optionalInteger(type, key) }
  func decodeIfPresent(_ type: UInt8.Type, forKey key: Key) throws -> UInt8? { try optionalInteger(type, key) }
  func decodeIfPresent(_ type: UInt16.Type, forKey key: Key) throws -> UInt16? { try optionalInteger(type, key) }
  func decodeIfPresent(_ type: UInt32.Type, forKey key: Key) throws -> UInt32? { try optionalInteger(type, key) }
  func decodeIfPresent(_ type: UInt64.Type, forKey key: Key) throws -> UInt64? { try optionalInteger(type, key) }
  func decodeIfPresent<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T? {
    let place = try decoder.place(key)
    return try decoder.isNull(at: place) ? nil : try decoder.decode(type, at: place, key)
  }

  func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type, forKey key: Key
  ) throws -> KeyedDecodingContainer<Nested> {
    throw unsupported(key)
  }
  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer { throw unsupported(key) }
  func superDecoder() throws -> any Decoder { throw StoreError.unsupportedNesting("super") }
  func superDecoder(forKey key: Key) throws -> any Decoder { throw unsupported(key) }

  private func unsupported(_ key: Key) -> StoreError { .unsupportedNesting(key.stringValue) }
}

extension StoreError {
  /// A Codable implementation that spreads one value over containers of its own making.
  static func unsupportedNesting(_ key: String) -> StoreError {
    StoreError(
      .unsupportedMapping, operation: "map '\(key)'",
      message: "A row has one level of columns, and the type's Codable implementation nests containers.",
      hint: "Make the nested part a property of its own Codable type; it is then stored as JSON.")
  }
}
