extension RowDecoder {
  func isNull(_ column: Int32) -> Bool { statement.columnType(column) == .null }

  func bool(_ column: Int32) throws -> Bool {
    guard statement.columnType(column) == .integer else { throw mismatch(Bool.self, column: column) }
    switch statement.int64(column) {
    case 0: return false
    case 1: return true
    default: throw mismatch(Bool.self, column: column)
    }
  }

  func integer<I: FixedWidthInteger & SQLConvertible>(_ type: I.Type, _ column: Int32) throws -> I {
    if statement.columnType(column) == .integer, let value = I(exactly: statement.int64(column)) { return value }
    do { return try I(sqlValue: statement.value(column)) } catch { throw mismatch(type, column: column) }
  }

  func double(_ column: Int32) throws -> Double {
    if statement.columnType(column) == .real { return statement.double(column) }
    do { return try Double(sqlValue: statement.value(column)) } catch { throw mismatch(Double.self, column: column) }
  }

  func string(_ column: Int32) throws -> String {
    guard statement.columnType(column) == .text, let text = statement.validText(column) else {
      throw mismatch(String.self, column: column)
    }
    return text
  }
}
