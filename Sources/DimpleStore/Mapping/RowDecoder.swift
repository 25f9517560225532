/// Decodes a statement's current row, straight from its columns.
///
/// One per run of a query; row after row, it is told to start over.
final class RowDecoder: Decoder {
  let statement: Statement
  private(set) var plan = DecodingPlan(columnNames: [])
  private var plannedType: ObjectIdentifier?
  /// The planned type, if it is one SQL value.
  private var singleValueType: (any SQLConvertible.Type)?
  private var call = 0
  private(set) var rowNumber = 0

  let codingPath: [any CodingKey] = []
  let userInfo: [CodingUserInfoKey: Any] = [:]

  init(statement: Statement) { self.statement = statement }

  /// The row as the type: by name, or of its first column if the type is one SQL value.
  func decodeRow<T: Decodable>(_ type: T.Type) throws -> T {
    rowNumber += 1
    call = 0
    if plannedType != ObjectIdentifier(type) { usePlan(for: type) }
    do {
      if let singleValueType { return try convert(singleValueType, to: type, column: 0) }
      return try T(from: self)
    } catch let error as DecodingError {
      throw wrap(error)
    } catch is NeedsJSON {
      return try JSONColumn.decode(type, from: self, column: 0)
    }
  }

  private func usePlan<T>(for type: T.Type) {
    let id = ObjectIdentifier(type)
    plannedType = id
    singleValueType = type as? any SQLConvertible.Type
    if let known = statement.decodingPlans[id] {
      plan = known
    } else {
      plan = DecodingPlan(columnNames: statement.columnNames)
      statement.decodingPlans[id] = plan
    }
  }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    KeyedDecodingContainer(RowContainer<Key>(decoder: self))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer { throw NeedsJSON() }

  func singleValueContainer() throws -> any SingleValueDecodingContainer {
    ColumnDecoder(row: self, column: 0)
  }

  /// The column of a key, in order of the calls.
  func column(_ name: String) throws -> Int32 {
    defer { call += 1 }
    guard let column = plan.column(name, call: call) else {
      throw StoreError.missingColumn(name, among: statement.columnNames, row: rowNumber, sql: statement.sql)
    }
    return column
  }

  /// Whether there is such a column; does not count as a call.
  func hasColumn(_ name: String) -> Bool { plan.column(name, call: .max) != nil }

  /// Any decodable value of a column: one SQL value, a type that decodes from one, or JSON.
  func decode<T: Decodable>(_ type: T.Type, column: Int32) throws -> T {
    if let convertible = type as? any SQLConvertible.Type { return try convert(convertible, to: type, column: column) }
    if plan.jsonColumns.contains(column) { return try JSONColumn.decode(type, from: self, column: column) }
    do {
      return try T(from: ColumnDecoder(row: self, column: column))
    } catch is NeedsJSON {
      let value = try JSONColumn.decode(type, from: self, column: column)
      plan.jsonColumns.insert(column)
      return value
    }
  }

  private func convert<T>(_ convertible: any SQLConvertible.Type, to type: T.Type, column: Int32) throws -> T {
    let value = statement.value(column)
    do {
      guard let result = try convertible.init(sqlValue: value) as? T else { throw StoreError.mismatch(type, value) }
      return result
    } catch let error as StoreError {
      throw located(error, column: column)
    }
  }

  /// Says where a value does not fit.
  func mismatch(_ type: Any.Type, column: Int32) -> StoreError {
    located(StoreError.mismatch(type, statement.value(column)), column: column)
  }

  private func located(_ error: StoreError, column: Int32) -> StoreError {
    error.located(column: statement.columnName(column), row: rowNumber, sql: statement.sql)
  }

  /// What a Codable implementation of the caller's threw.
  private func wrap(_ error: DecodingError) -> StoreError {
    let context: DecodingError.Context? =
      switch error {
      case .typeMismatch(_, let context), .valueNotFound(_, let context), .keyNotFound(_, let context),
        .dataCorrupted(let context):
        context
      @unknown default: nil
      }
    let path = context?.codingPath.map(\.stringValue).joined(separator: ".") ?? ""
    return StoreError(
      .typeMismatch, operation: path.isEmpty ? "read row \(rowNumber)" : "read '\(path)' of row \(rowNumber)",
      sql: statement.sql, message: context?.debugDescription ?? "The row does not decode.", underlying: error)
  }
}

/// Thrown where a type asks a column for more than one value: it is stored as JSON.
struct NeedsJSON: Error {}
