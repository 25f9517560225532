/// Containers that `Encoder` must return where there is nothing to encode into: each use throws.
struct RefusingKeyedContainer<Key: CodingKey>: KeyedEncodingContainerProtocol {
  var error: any Error = StoreError.unsupportedNesting("container")
  var codingPath: [any CodingKey] { [] }

  func encodeNil(forKey key: Key) throws { throw error }
  func encode<T: Encodable>(_ value: T, forKey key: Key) throws { throw error }
  func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type, forKey key: Key
  ) -> KeyedEncodingContainer<Nested> {
    KeyedEncodingContainer(RefusingKeyedContainer<Nested>(error: error))
  }
  func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer { RefusingContainer(error: error) }
  func superEncoder() -> any Encoder { RefusingEncoder(error: error) }
  func superEncoder(forKey key: Key) -> any Encoder { RefusingEncoder(error: error) }
}

/// See ``RefusingKeyedContainer``.
struct RefusingContainer: UnkeyedEncodingContainer, SingleValueEncodingContainer {
  var error: any Error = StoreError.unsupportedNesting("container")
  var codingPath: [any CodingKey] { [] }
  var count: Int { 0 }

  func encodeNil() throws { throw error }
  func encode<T: Encodable>(_ value: T) throws { throw error }
  func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
    KeyedEncodingContainer(RefusingKeyedContainer<Nested>(error: error))
  }
  func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { self }
  func superEncoder() -> any Encoder { RefusingEncoder(error: error) }
}

/// See ``RefusingKeyedContainer``.
struct RefusingEncoder: Encoder {
  var error: any Error = StoreError.unsupportedNesting("super")
  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    KeyedEncodingContainer(RefusingKeyedContainer<Key>(error: error))
  }
  func unkeyedContainer() -> any UnkeyedEncodingContainer { RefusingContainer(error: error) }
  func singleValueContainer() -> any SingleValueEncodingContainer { RefusingContainer(error: error) }
}
