/// Columns and values, in the order in which the type encodes them.
struct RowColumnValues {
  var names: [String] = []
  var values: [SQLValue] = []

  /// The values of some columns.
  func values(of columns: [String], encodedBy type: Any.Type, operation: String) throws -> [SQLValue] {
    try columns.map { column in
      guard let index = names.firstIndex(of: column) else {
        throw StoreError(
          .unsupportedMapping, operation: operation, message: "\(type) encodes no column '\(column)'.",
          hint: "Declare idColumn, or the id's columns, as the primary key's.")
      }
      return values[index]
    }
  }
}

/// Encodes a value into columns: one level of keys, each with one SQL value.
///
/// One per connection. Synthesised `encode(to:)` gives its keys in the same order for every value, so the names are learnt
/// from a type's first value, and afterwards only the keys are compared.
final class RowEncoder: Encoder {
  // An encoder stays on its thread, and none of its properties is used inside a change to itself.
  @exclusivity(unchecked) private var plans: [ObjectIdentifier: EncodingPlan] = [:]
  @exclusivity(unchecked) private var plannedType: ObjectIdentifier?
  @exclusivity(unchecked) private var plan = EncodingPlan(RowMapping())
  @exclusivity(unchecked) private var values: [SQLValue] = []
  /// The type asked for something other than keys.
  @exclusivity(unchecked) private var isNotKeyed = false

  let codingPath: [any CodingKey] = []
  let userInfo: [CodingUserInfoKey: Any] = [:]

  /// The columns of an entity.
  func columns<E: Entity>(of entity: E) throws -> RowColumnValues { try columns(of: entity, mapping: E.mapping) }

  /// The columns of a value.
  ///
  /// - Parameter mapping: always the same for a type.
  func columns<T: Encodable>(of value: T, mapping: @autoclosure () -> RowMapping) throws -> RowColumnValues {
    if plannedType != ObjectIdentifier(T.self) { usePlan(for: T.self, mapping()) }
    values.removeAll(keepingCapacity: true)
    isNotKeyed = false
    try value.encode(to: self)
    guard !isNotKeyed else { throw StoreError.unsupportedNesting("\(T.self)") }
    plan.end(values.count)
    return RowColumnValues(names: plan.names, values: values)
  }

  private func usePlan<T>(for type: T.Type, _ mapping: RowMapping) {
    let id = ObjectIdentifier(type)
    plannedType = id
    plan = plans[id] ?? EncodingPlan(mapping)
    plans[id] = plan
  }

  @inline(__always) fileprivate func put<Key: CodingKey>(_ value: SQLValue, _ key: Key) {
    plan.note(key, call: values.count)
    values.append(value)
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

  /// A property's value as the type's mapping stores it.
  func mapped<T: Encodable>(_ value: T) throws -> SQLValue {
    if let mapping = plan.mapping, let stored = mapping.value(value) { return stored }
    return try RowEncoder.sqlValue(value)
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

  private func put(_ value: SQLValue, _ key: Key) { encoder.put(value, key) }

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
  func encode<T: Encodable>(_ value: T, forKey key: Key) throws { put(try encoder.mapped(value), key) }

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
    put(try value.map { try encoder.mapped($0) } ?? .null, key)
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
