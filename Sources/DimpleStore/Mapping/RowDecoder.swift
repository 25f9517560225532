/// Decodes a statement's current row, straight from its columns.
///
/// One per statement, lent to each run of it; row after row, it is told to start over.
final class RowDecoder: Decoder {
  /// `nil` between two runs: nobody should ask then, but a type may have kept its container.
  // Whoever lends the decoder holds it.
  @exclusivity(unchecked) unowned(unsafe) private(set) var statement: Statement?
  // A decoder stays on its thread, and none of its properties is used inside a change to itself: the check at run time
  // would cost a tenth of a row.
  @exclusivity(unchecked) private(set) var plan = DecodingPlan(ColumnScope([]), RowMapping())
  /// What was learnt about the statement's columns, by the type decoded.
  @exclusivity(unchecked) private var plans: [ObjectIdentifier: DecodingPlan] = [:]
  @exclusivity(unchecked) private var plannedType: ObjectIdentifier?
  /// The planned type, if it is one SQL value.
  @exclusivity(unchecked) private var singleValueType: (any SQLConvertible.Type)?
  /// The container that a row asked for, and the type of its keys: the next row will ask for the same, and making one
  /// costs more than decoding a column.
  @exclusivity(unchecked) private var container: AnyObject?
  @exclusivity(unchecked) private var containerKeys: ObjectIdentifier?
  /// SQLite's own, so that reading a column asks nothing of ARC; `nil` between two runs.
  @exclusivity(unchecked) private var handle: OpaquePointer?
  /// The plan's, of the call to come.
  @exclusivity(unchecked) private var prediction: UnsafeMutablePointer<ColumnPrediction>
  @exclusivity(unchecked) private var lastPrediction: UnsafeMutablePointer<ColumnPrediction>
  @exclusivity(unchecked) private(set) var rowNumber = 0

  /// The columns of a nested value; `nil` for the whole row.
  private let nestedScope: ColumnScope?

  let codingPath: [any CodingKey] = []
  let userInfo: [CodingUserInfoKey: Any] = [:]

  init(_ nestedScope: ColumnScope? = nil) {
    self.nestedScope = nestedScope
    prediction = plan.predictions
    lastPrediction = plan.predictions
  }

  /// Lends a statement's decoder for its rows, of which some may have been decoded before.
  static func decoding<T>(
    _ statement: Statement, after rowNumber: Int = 0, _ body: (RowDecoder) throws -> T
  ) throws -> T {
    let decoder = statement.decoder ?? RowDecoder()
    statement.decoder = decoder
    decoder.use(statement, rowNumber: rowNumber)
    defer { decoder.use(nil, rowNumber: 0) }
    return try body(decoder)
  }

  private func use(_ statement: Statement?, rowNumber: Int) {
    self.statement = statement
    handle = statement?.handle
    self.rowNumber = rowNumber
    // Until a row is decoded, each call is looked up, and told that it is too late.
    prediction = lastPrediction
  }

  /// A column's value, in place; between two runs, SQLite makes it `NULL`, and ``mismatch(_:column:)`` says why.
  @inline(__always) func field(_ column: Int32) -> Field { Field(column: column, of: handle) }

  private static var tooLate: StoreError {
    StoreError(
      .outsideClosure, operation: "decode a row", message: "A row was decoded further after init(from:) had returned.",
      hint: "Decode everything in init(from:).")
  }

  /// Without this, the container and the decoder keep each other alive.
  func letContainerGo() {
    container = nil
    containerKeys = nil
    for plan in plans.values { for decoder in plan.nested { decoder.letContainerGo() } }
  }

  /// The row as the type: by name, or of its first column if the type is one SQL value.
  func decodeRow<T: Decodable>(_ type: T.Type) throws -> T {
    rowNumber += 1
    if plannedType != ObjectIdentifier(type) { usePlan(for: type) }
    prediction = plan.predictions
    lastPrediction = prediction + plan.predictionCount
    do {
      if let singleValueType { return try convert(singleValueType, to: type, column: 0) }
      return try T(from: self)
    } catch let error as DecodingError {
      throw wrap(error)
    } catch is NeedsJSON {
      guard nestedScope == nil else { throw StoreError.unsupportedNesting("\(type)") }
      return try JSONColumn.decode(type, from: self, column: 0)
    }
  }

  private func usePlan<T>(for type: T.Type) {
    let id = ObjectIdentifier(type)
    plannedType = id
    singleValueType = type as? any SQLConvertible.Type
    if let known = plans[id] {
      plan = known
    } else {
      let mapping = (type as? any RowMapped.Type)?.mapping ?? RowMapping()
      plan = DecodingPlan(nestedScope ?? ColumnScope(statement?.columnNames ?? []), mapping)
      plans[id] = plan
    }
  }

  /// The statement's columns are others than before.
  func forgetPlans() {
    letContainerGo()
    plans.removeAll()
    plannedType = nil
  }

  /// The names of all columns.
  var columnNames: [String] { nestedScope?.names ?? statement?.columnNames ?? [] }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    if containerKeys == ObjectIdentifier(type), let container {
      return unsafeDowncast(container, to: Kept<KeyedDecodingContainer<Key>>.self).get()
    }
    return newContainer(keyedBy: type)
  }

  /// Apart from the above, which must not ask the runtime for the container's type each time.
  @inline(never) private func newContainer<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedDecodingContainer<Key> {
    let new = KeyedDecodingContainer(RowContainer<Key>(decoder: self))
    container = Kept(new)
    containerKeys = ObjectIdentifier(type)
    return new
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer { throw NeedsJSON() }

  func singleValueContainer() throws -> any SingleValueDecodingContainer {
    ColumnDecoder(row: self, column: 0)
  }

  /// The column of a key, in order of the calls.
  @inline(__always) func column<Key: CodingKey>(_ key: Key) throws -> Int32 {
    let column = try place(key)
    if column >= 0 { return column }
    throw missing(key)
  }

  /// The column of a key, in order of the calls; below zero for a nested value.
  @inline(__always) func place<Key: CodingKey>(_ key: Key) throws -> Int32 {
    let predicted = prediction
    prediction = predicted + 1
    if predicted < lastPrediction, predicted.pointee.isFor(key) { return predicted.pointee.column }
    return try lookUp(key, call: predicted - plan.predictions)
  }

  private func lookUp<Key: CodingKey>(_ key: Key, call: Int) throws -> Int32 {
    if statement == nil { throw Self.tooLate }
    if let column = plan.column(key, call: call) { return column }
    throw missing(key)
  }

  private func missing<Key: CodingKey>(_ key: Key) -> StoreError {
    .missingColumn(key.stringValue, among: columnNames, row: rowNumber, sql: statement?.sql ?? "")
  }

  /// Any decodable value of a place: of a column one SQL value, a type that decodes from one, or JSON; or a nested value.
  func decode<T: Decodable, Key: CodingKey>(_ type: T.Type, at place: Int32, _ key: Key) throws -> T {
    if place >= 0 { return try decode(type, column: place) }
    // One SQL value cannot be made of several columns.
    guard !(type is any SQLConvertible.Type) else { throw missing(key) }
    return try plan.nestedDecoder(place).decodeNested(type, in: self)
  }

  /// Whether a place holds nothing: `NULL`, or of a nested value nothing but `NULL`s, as an outer join leaves it.
  func isNull(at place: Int32) throws -> Bool {
    if place >= 0 { return field(place).isNull }
    guard let statement, let scope = plan.nestedDecoder(place).nestedScope else { throw Self.tooLate }
    return scope.isNull(in: statement)
  }

  private func decodeNested<T: Decodable>(_ type: T.Type, in outer: RowDecoder) throws -> T {
    use(outer.statement, rowNumber: outer.rowNumber - 1)
    defer { use(nil, rowNumber: 0) }
    return try decodeRow(type)
  }

  /// Any decodable value of a column: one SQL value, a type that decodes from one, or JSON.
  func decode<T: Decodable>(_ type: T.Type, column: Int32) throws -> T {
    if let mapping = plan.mapping, let value = try mapped(type, column: column, mapping) { return value }
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

  private func mapped<T>(_ type: T.Type, column: Int32, _ mapping: RowMapping) throws -> T? {
    do { return try mapping.read(type, from: field(column).value) } catch let error as StoreError {
      throw located(error, column: column)
    }
  }

  private func convert<T>(_ convertible: any SQLConvertible.Type, to type: T.Type, column: Int32) throws -> T {
    let value = field(column).value
    do {
      guard let result = try convertible.init(sqlValue: value) as? T else { throw StoreError.mismatch(type, value) }
      return result
    } catch let error as StoreError {
      throw located(error, column: column)
    }
  }

  /// Says where a value does not fit.
  func mismatch(_ type: Any.Type, column: Int32) -> StoreError {
    if statement == nil { return Self.tooLate }
    return located(StoreError.mismatch(type, statement?.value(column) ?? .null), column: column)
  }

  private func located(_ error: StoreError, column: Int32) -> StoreError {
    error.located(column: statement?.columnName(column) ?? "", row: rowNumber, sql: statement?.sql ?? "")
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
      sql: statement?.sql, message: context?.debugDescription ?? "The row does not decode.", underlying: error)
  }
}

/// A value that is kept as an object, which knows its type: whoever asks for the value need not look the type up.
private final class Kept<Value> {
  private let value: Value
  init(_ value: Value) { self.value = value }
  @inline(never) func get() -> Value { value }
}

/// Thrown where a type asks a column for more than one value: it is stored as JSON.
struct NeedsJSON: Error {}
