/// Takes the one value of a type that encodes as a single value: an enum with a raw value, a wrapper.
///
/// A type that asks for keys or elements is stored as JSON: noted here, since a container cannot be refused.
final class ColumnEncoder: Encoder, SingleValueEncodingContainer {
  private(set) var value: SQLValue?
  private(set) var needsJSON = false

  let codingPath: [any CodingKey] = []
  let userInfo: [CodingUserInfoKey: Any] = [:]

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    needsJSON = true
    return KeyedEncodingContainer(RefusingKeyedContainer<Key>(error: NeedsJSON()))
  }
  func unkeyedContainer() -> any UnkeyedEncodingContainer {
    needsJSON = true
    return RefusingContainer(error: NeedsJSON())
  }
  func singleValueContainer() -> any SingleValueEncodingContainer { self }

  func encodeNil() throws { value = .null }
  func encode(_ value: Bool) throws { self.value = value.sqlValue }
  func encode(_ value: String) throws { self.value = value.sqlValue }
  func encode(_ value: Double) throws { self.value = value.sqlValue }
  func encode(_ value: Float) throws { self.value = value.sqlValue }
  func encode(_ value: Int) throws { self.value = value.sqlValue }
  func encode(_ value: Int8) throws { self.value = value.sqlValue }
  func encode(_ value: Int16) throws { self.value = value.sqlValue }
  func encode(_ value: Int32) throws { self.value = value.sqlValue }
  func encode(_ value: Int64) throws { self.value = value.sqlValue }
  func encode(_ value: UInt) throws { self.value = value.sqlValue }
  func encode(_ value: UInt8) throws { self.value = value.sqlValue }
  func encode(_ value: UInt16) throws { self.value = value.sqlValue }
  func encode(_ value: UInt32) throws { self.value = value.sqlValue }
  func encode(_ value: UInt64) throws { self.value = value.sqlValue }
  func encode<T: Encodable>(_ value: T) throws { self.value = try RowEncoder.sqlValue(value) }
}
