/// Columns and values, in the order in which the type encodes them.
struct RowColumnValues {
  var names: [String] = []
  var values: [SQLValue] = []

  mutating func append(_ name: String, _ value: SQLValue) {
    names.append(name)
    values.append(value)
  }
}

/// Encodes a value into columns: one level of keys, each with one SQL value.
final class RowEncoder: Encoder {
  var row = RowColumnValues()
  /// The type asked for something other than keys.
  private var isNotKeyed = false

  let codingPath: [any CodingKey] = []
  let userInfo: [CodingUserInfoKey: Any] = [:]

  /// The columns of an entity.
  static func columns<T: Encodable>(of value: T) throws -> RowColumnValues {
    let encoder = RowEncoder()
    try value.encode(to: encoder)
    guard !encoder.isNotKeyed else { throw StoreError.unsupportedNesting("\(T.self)") }
    return encoder.row
  }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    KeyedEncodingContainer(RowEncodingContainer<Key>(encoder: self))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer {
    isNotKeyed = true
    return RefusingContainer()
  }

  func singleValueContainer() -> any SingleValueEncodingContainer {
    isNotKeyed = true
    return ColumnEncoder()
  }

  /// Any encodable value as one SQL value: itself, what it encodes to, or JSON.
  static func sqlValue<T: Encodable>(_ value: T) throws -> SQLValue {
    if let convertible = value as? any SQLConvertible { return convertible.sqlValue }
    let encoder = ColumnEncoder()
    do { try value.encode(to: encoder) } catch is NeedsJSON {}
    if !encoder.needsJSON, let encoded = encoder.value { return encoded }
    return try JSONColumn.encode(value)
  }
}

/// Takes a struct's keys; `nil` is written as `NULL`, where the default would leave the key out.
struct RowEncodingContainer<Key: CodingKey>: KeyedEncodingContainerProtocol {
  let encoder: RowEncoder
  var codingPath: [any CodingKey] { [] }

  private func put(_ value: SQLValue, _ key: Key) { encoder.row.append(key.stringValue, value) }

  func encodeNil(forKey key: Key) throws { put(.null, key) }
  func encode(_ value: Bool, forKey key: Key) throws { put(value.sqlValue, key) }
  func encode(_ value: String, forKey key: Key) throws { put(.text(value), key) }
  func encode(_ value: Double, forKey key: Key) throws { put(value.sqlValue, key) }
  func encode(_ value: Float, forKey key: Key) throws { put(value.sqlValue, key) }
  func encode(_ value: Int, forKey key: Key) throws { put(value.sqlValue, key) }
  func encode(_ value: Int8, forKey key: Key) throws { put(value.sqlValue, key) }
  func encode(_ value: Int16, forKey key: Key) throws { put(value.sqlValue, key) }
  func encode(_ value: Int32, forKey key: Key) throws { put(value.sqlValue, key) }
  func encode(_ value: Int64, forKey key: Key) throws { put(value.sqlValue, key) }
  func encode(_ value: UInt, forKey key: Key) throws { put(value.sqlValue, key) }
  func encode(_ value: UInt8, forKey key: Key) throws { put(value.sqlValue, key) }
  func encode(_ value: UInt16, forKey key: Key) throws { put(value.sqlValue, key) }
  func encode(_ value: UInt32, forKey key: Key) throws { put(value.sqlValue, key) }
  func encode(_ value: UInt64, forKey key: Key) throws { put(value.sqlValue, key) }
  func encode<T: Encodable>(_ value: T, forKey key: Key) throws { put(try RowEncoder.sqlValue(value), key) }

  func encodeIfPresent(_ value: Bool?, forKey key: Key) throws { put(value.sqlValue, key) }
  func encodeIfPresent(_ value: String?, forKey key: Key) throws { put(value.sqlValue, key) }
  func encodeIfPresent(_ value: Double?, forKey key: Key) throws { put(value.sqlValue, key) }
  func encodeIfPresent(_ value: Float?, forKey key: Key) throws { put(value.sqlValue, key) }
  func encodeIfPresent(_ value: Int?, forKey key: Key) throws { put(value.sqlValue, key) }
  func encodeIfPresent(_ value: Int8?, forKey key: Key) throws { put(value.sqlValue, key) }
  func encodeIfPresent(_ value: Int16?, forKey key: Key) throws { put(value.sqlValue, key) }
  func encodeIfPresent(_ value: Int32?, forKey key: Key) throws { put(value.sqlValue, key) }
  func encodeIfPresent(_ value: Int64?, forKey key: Key) throws { put(value.sqlValue, key) }
  func encodeIfPresent(_ value: UInt?, forKey key: Key) throws { put(value.sqlValue, key) }
  func encodeIfPresent(_ value: UInt8?, forKey key: Key) throws { put(value.sqlValue, key) }
  func encodeIfPresent(_ value: UInt16?, forKey key: Key) throws { put(value.sqlValue, key) }
  func encodeIfPresent(_ value: UInt32?, forKey key: Key) throws { put(value.sqlValue, key) }
  func encodeIfPresent(_ value: UInt64?, forKey key: Key) throws { put(value.sqlValue, key) }
  func encodeIfPresent<T: Encodable>(_ value: T?, forKey key: Key) throws {
    put(try value.map { try RowEncoder.sqlValue($0) } ?? .null, key)
  }

  func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type, forKey key: Key
  ) -> KeyedEncodingContainer<Nested> {
    KeyedEncodingContainer(RefusingKeyedContainer<Nested>())
  }
  func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer { RefusingContainer() }
  func superEncoder() -> any Encoder { RefusingEncoder() }
  func superEncoder(forKey key: Key) -> any Encoder { RefusingEncoder() }
}
