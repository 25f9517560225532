/// A row whose columns are not known beforehand: `query([String: SQLValue].self, "SELECT * FROM Track")`.
extension Dictionary: RowDecodable where Key == String, Value: SQLConvertible {
  /// The columns' values by name. Of columns with the same name, the first counts.
  ///
  /// - Throws: ``StoreError`` with code `typeMismatch` if a value does not fit the type.
  public init(row: borrowing RowReader) throws {
    self.init(minimumCapacity: row.count)
    for (index, name) in row.columnNames.enumerated() where self[name] == nil && !name.hasSuffix(".*") {
      let value: Value = try row[index]
      updateValue(value, forKey: name)
    }
  }
}

/// A value without loss, whatever its type: `query(SQLValue.self, "SELECT x FROM t")`.
extension SQLValue: RowDecodable {
  /// The first column.
  public init(row: borrowing RowReader) throws { self = try row.value(0) }
}
