extension RowDecoder {
  func isNull(_ column: Int32) -> Bool { field(column).isNull }

  func bool(_ column: Int32) throws -> Bool { try bool(field(column), column) }
  func double(_ column: Int32) throws -> Double { try double(field(column), column) }
  func string(_ column: Int32) throws -> String { try string(field(column), column) }
  func integer<I: FixedWidthInteger & SQLConvertible>(_ type: I.Type, _ column: Int32) throws -> I {
    try integer(field(column), type, column)
  }

  func bool(_ field: Field, _ column: Int32) throws -> Bool {
    let value = field.int64
    guard field.isInteger, value == 0 || value == 1 else { throw mismatch(Bool.self, column: column) }
    return value == 1
  }

  func integer<I: FixedWidthInteger & SQLConvertible>(_ field: Field, _ type: I.Type, _ column: Int32) throws -> I {
    if field.isInteger, let value = I(exactly: field.int64) { return value }
    do { return try I(sqlValue: field.value) } catch { throw mismatch(type, column: column) }
  }

  func double(_ field: Field, _ column: Int32) throws -> Double {
    if field.isReal { return field.double }
    do { return try Double(sqlValue: field.value) } catch { throw mismatch(Double.self, column: column) }
  }

  func string(_ field: Field, _ column: Int32) throws -> String {
    guard field.isText, let text = field.validText else { throw mismatch(String.self, column: column) }
    return text
  }
}
