#if canImport(FoundationEssentials)
  internal import FoundationEssentials
#else
  internal import Foundation
#endif

/// A struct's stored properties as columns, in the order they encode. Properties that are structs, arrays or dictionaries
/// become JSON text. An optional that is `nil` is NULL.
enum ColumnEncoder {
  static func columns(of value: some Encodable) throws -> [(name: String, value: SQLValue)] {
    let encoder = StructEncoder()
    try value.encode(to: encoder)
    return encoder.columns
  }

  static func value(of value: some Encodable) throws -> SQLValue {
    if let convertible = value as? any SQLConvertible { return convertible.sqlValue }
    if value is any RawRepresentable {
      let scalar = ScalarEncoder()
      try value.encode(to: scalar)
      if let result = scalar.result { return result }
    }
    let encoder = JSONEncoder()
    // The same value must give the same text, or it would count as changed.
    encoder.outputFormatting = .sortedKeys
    return .text(String(decoding: try encoder.encode(value), as: UTF8.self))
  }
}

private func unsupported() -> StoreError {
  StoreError(
    .misuse, operation: "write an entity", message: "An entity is a struct with a property per column.",
    hint: "Give nested types their own Codable conformance; they are written as JSON.")
}

private final class StructEncoder: Encoder {
  var columns: [(name: String, value: SQLValue)] = []
  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    KeyedEncodingContainer(ColumnsContainer<Key>(encoder: self))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer { RefusingContainer() }
  func singleValueContainer() -> any SingleValueEncodingContainer { RefusingContainer() }
}

private struct ColumnsContainer<Key: CodingKey>: KeyedEncodingContainerProtocol {
  let encoder: StructEncoder
  var codingPath: [any CodingKey] { [] }

  private func add(_ value: SQLValue, _ key: Key) { encoder.columns.append((key.stringValue, value)) }

  mutating func encodeNil(forKey key: Key) { add(.null, key) }

  mutating func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
    add(try ColumnEncoder.value(of: value), key)
  }

  // Without these, a `nil` would be left out, and the column keep its old value.
  mutating func encodeIfPresent<T: Encodable>(_ value: T?, forKey key: Key) throws {
    if let value { try encode(value, forKey: key) } else { encodeNil(forKey: key) }
  }
  mutating func encodeIfPresent(_ value: Bool?, forKey key: Key) { add(value.sqlValue, key) }
  mutating func encodeIfPresent(_ value: String?, forKey key: Key) { add(value.sqlValue, key) }
  mutating func encodeIfPresent(_ value: Double?, forKey key: Key) { add(value.sqlValue, key) }
  mutating func encodeIfPresent(_ value: Float?, forKey key: Key) { add(value.sqlValue, key) }
  mutating func encodeIfPresent(_ value: Int?, forKey key: Key) { add(value.sqlValue, key) }
  mutating func encodeIfPresent(_ value: Int8?, forKey key: Key) { add(value.sqlValue, key) }
  mutating func encodeIfPresent(_ value: Int16?, forKey key: Key) { add(value.sqlValue, key) }
  mutating func encodeIfPresent(_ value: Int32?, forKey key: Key) { add(value.sqlValue, key) }
  mutating func encodeIfPresent(_ value: Int64?, forKey key: Key) { add(value.sqlValue, key) }
  mutating func encodeIfPresent(_ value: UInt?, forKey key: Key) { add(value.sqlValue, key) }
  mutating func encodeIfPresent(_ value: UInt8?, forKey key: Key) { add(value.sqlValue, key) }
  mutating func encodeIfPresent(_ value: UInt16?, forKey key: Key) { add(value.sqlValue, key) }
  mutating func encodeIfPresent(_ value: UInt32?, forKey key: Key) { add(value.sqlValue, key) }
  mutating func encodeIfPresent(_ value: UInt64?, forKey key: Key) { add(value.sqlValue, key) }

  mutating func nestedContainer<Nested: CodingKey>(
    keyedBy keyType: Nested.Type, forKey key: Key
  ) -> KeyedEncodingContainer<Nested> {
    KeyedEncodingContainer(RefusingKeyedContainer())
  }

  mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer { RefusingContainer() }
  mutating func superEncoder() -> any Encoder { encoder }
  mutating func superEncoder(forKey key: Key) -> any Encoder { encoder }
}

/// Takes the one raw value of an enum.
private final class ScalarEncoder: Encoder, SingleValueEncodingContainer {
  var result: SQLValue?
  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    KeyedEncodingContainer(RefusingKeyedContainer())
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer { RefusingContainer() }
  func singleValueContainer() -> any SingleValueEncodingContainer { self }
  func encodeNil() { result = .null }
  func encode<T: Encodable>(_ value: T) { result = (value as? any SQLConvertible)?.sqlValue }
}

/// What cannot be a column says so instead of writing half a row.
private struct RefusingContainer: UnkeyedEncodingContainer, SingleValueEncodingContainer {
  var codingPath: [any CodingKey] { [] }
  var count: Int { 0 }

  mutating func encodeNil() throws { throw unsupported() }
  mutating func encode<T: Encodable>(_ value: T) throws { throw unsupported() }
  mutating func nestedContainer<Key: CodingKey>(keyedBy keyType: Key.Type) -> KeyedEncodingContainer<Key> {
    KeyedEncodingContainer(RefusingKeyedContainer())
  }
  mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { self }
  mutating func superEncoder() -> any Encoder { StructEncoder() }
}

private struct RefusingKeyedContainer<Key: CodingKey>: KeyedEncodingContainerProtocol {
  var codingPath: [any CodingKey] { [] }

  mutating func encodeNil(forKey key: Key) throws { throw unsupported() }
  mutating func encode<T: Encodable>(_ value: T, forKey key: Key) throws { throw unsupported() }
  mutating func nestedContainer<Nested: CodingKey>(
    keyedBy keyType: Nested.Type, forKey key: Key
  ) -> KeyedEncodingContainer<Nested> {
    KeyedEncodingContainer(RefusingKeyedContainer<Nested>())
  }
  mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer { RefusingContainer() }
  mutating func superEncoder() -> any Encoder { StructEncoder() }
  mutating func superEncoder(forKey key: Key) -> any Encoder { StructEncoder() }
}
