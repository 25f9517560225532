/// One row of a result: values by position and by column name. Independent of the database it came from.
public struct Row: Sendable, Hashable {
  /// The names, shared by all rows of a result.
  final class Layout: Sendable, Hashable {
    let names: [String]
    private let positions: [String: Int]

    init(_ names: [String]) {
      self.names = names
      positions = Dictionary(names.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    }

    func position(of name: String) -> Int? {
      positions[name] ?? names.firstIndex { $0.lowercased() == name.lowercased() }
    }

    static func == (left: Layout, right: Layout) -> Bool { left === right || left.names == right.names }

    func hash(into hasher: inout Hasher) { hasher.combine(names) }
  }

  let layout: Layout
  let values: [SQLValue]

  /// In the order of the SELECT; a name may repeat.
  public var columnNames: [String] { layout.names }

  /// How many columns there are.
  public var count: Int { values.count }

  /// The value in the column at `index`, from 0; NULL outside the row.
  public subscript(index: Int) -> SQLValue { values.indices.contains(index) ? values[index] : .null }

  /// The value in the first column called `name`, in any case; NULL if there is none.
  public subscript(name: String) -> SQLValue { layout.position(of: name).map { values[$0] } ?? .null }

  /// The value in the column called `name`, as `T`.
  ///
  /// - Throws: ``StoreError/Code/missingColumn``, ``StoreError/Code/typeMismatch``.
  public func get<T: SQLConvertible>(_ name: String, as type: T.Type = T.self) throws -> T {
    guard let position = layout.position(of: name) else { throw missing(name) }
    do { return try T(sqlValue: values[position]) } catch let error as StoreError { throw located(error, name) }
  }

  func missing(_ name: String) -> StoreError {
    StoreError(
      .missingColumn, operation: "read a row", message: "The result has no column \(name).",
      hint: "Its columns are: \(layout.names.joined(separator: ", ")).")
  }

  func located(_ error: StoreError, _ column: String) -> StoreError {
    var error = error
    error.message = "Column \(column): " + error.message
    return error
  }
}
