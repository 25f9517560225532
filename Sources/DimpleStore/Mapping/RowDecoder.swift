#if canImport(FoundationEssentials)
  internal import FoundationEssentials
#else
  internal import Foundation
#endif

extension Row {
  /// The row as a `Decodable` type: a struct's properties by column name, or a single value from the first column.
  ///
  /// Properties that are structs, arrays or dictionaries themselves are read from JSON text. Columns without a property
  /// are ignored.
  ///
  /// - Throws: ``StoreError/Code/missingColumn``, ``StoreError/Code/typeMismatch``, with the column.
  public func decode<T: Decodable>(_ type: T.Type) throws -> T {
    if let convertible = T.self as? any SQLConvertible.Type, let value = try convertible.init(sqlValue: self[0]) as? T {
      return value
    }
    do { return try T(from: RowDecoder(row: self)) } catch let error as DecodingError {
      throw StoreError(error)
    }
  }
}

extension StoreError {
  init(_ error: DecodingError) {
    let (message, path): (String, [any CodingKey]) =
      switch error {
      case .typeMismatch(_, let context), .valueNotFound(_, let context), .keyNotFound(_, let context),
        .dataCorrupted(let context):
        (context.debugDescription, context.codingPath)
      @unknown default: ("\(error)", [])
      }
    let place = path.map(\.stringValue).joined(separator: ".")
    self.init(.typeMismatch, operation: "read a row", message: place.isEmpty ? message : "Column \(place): \(message)")
  }
}

private struct RowDecoder: Decoder {
  let row: Row
  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedDecodingContainer<Key> {
    KeyedDecodingContainer(RowContainer<Key>(row: row))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    throw StoreError(.misuse, operation: "read a row", message: "A row is not a list.")
  }

  func singleValueContainer() -> any SingleValueDecodingContainer { ColumnContainer(value: row[0], codingPath: []) }
}

private struct RowContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
  let row: Row
  var codingPath: [any CodingKey] { [] }
  var allKeys: [Key] { row.columnNames.compactMap(Key.init(stringValue:)) }

  func contains(_ key: Key) -> Bool { row.layout.position(of: key.stringValue) != nil }

  private func value(_ key: Key) throws -> SQLValue {
    guard let position = row.layout.position(of: key.stringValue) else { throw row.missing(key.stringValue) }
    return row.values[position]
  }

  func decodeNil(forKey key: Key) throws -> Bool { try value(key) == .null }

  func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
    do { return try ColumnContainer(value: value(key), codingPath: [key]).decode(T.self) } catch let error as StoreError
      where error.code == .typeMismatch
    {
      throw row.located(error, key.stringValue)
    }
  }

  func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type, forKey key: Key
  ) throws -> KeyedDecodingContainer<Nested> {
    try unsupported()
  }

  func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer { try unsupported() }
  func superDecoder() throws -> any Decoder { RowDecoder(row: row) }
  func superDecoder(forKey key: Key) throws -> any Decoder { try unsupported() }

  private func unsupported<T>() throws -> T {
    throw StoreError(
      .misuse, operation: "read a row", message: "A column's contents are read as one value.",
      hint: "Give the nested type its own Decodable conformance.")
  }
}

/// One column: a value, or JSON text that holds one.
private struct ColumnContainer: SingleValueDecodingContainer, Decoder {
  let value: SQLValue
  let codingPath: [any CodingKey]
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func decodeNil() -> Bool { value == .null }

  func decode<T: Decodable>(_ type: T.Type) throws -> T {
    if let convertible = T.self as? any SQLConvertible.Type, let result = try convertible.init(sqlValue: value) as? T {
      return result
    }
    // An enum over text takes the text itself; anything else that is no plain value is JSON.
    if case .text(let text) = value, !(T.self is any RawRepresentable.Type) { return try json(text) }
    return try T(from: self)
  }

  private func json<T: Decodable>(_ text: String) throws -> T {
    do { return try JSONDecoder().decode(T.self, from: Data(text.utf8)) } catch let error as DecodingError {
      // Not JSON: a type that decodes itself from one value may still take the text.
      if let result = try? T(from: self) { return result }
      throw StoreError(error)
    }
  }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    throw value.mismatch([String: Any].self)
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer { throw value.mismatch([Any].self) }
  func singleValueContainer() -> any SingleValueDecodingContainer { self }
}
