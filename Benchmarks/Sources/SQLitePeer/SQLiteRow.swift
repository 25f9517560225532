import CSQLite
import Samples

/// A sample as it is bound and read by hand.
package protocol SQLiteRow: Sample {
  init(columnsOf statement: OpaquePointer)
  func bind(to statement: OpaquePointer)
}

extension Track: SQLiteRow {
  package init(columnsOf statement: OpaquePointer) {
    self.init(
      id: sqlite3_column_int64(statement, 0), name: text(statement, 1), composer: textIfPresent(statement, 2),
      milliseconds: Int(sqlite3_column_int64(statement, 3)), bytes: Int(sqlite3_column_int64(statement, 4)),
      price: sqlite3_column_double(statement, 5))
  }

  package func bind(to statement: OpaquePointer) {
    sqlite3_bind_int64(statement, 1, id)
    bindText(name, to: statement, at: 2)
    bindText(composer, to: statement, at: 3)
    sqlite3_bind_int64(statement, 4, Int64(milliseconds))
    sqlite3_bind_int64(statement, 5, Int64(bytes))
    sqlite3_bind_double(statement, 6, price)
  }
}

extension Order: SQLiteRow {
  package init(columnsOf statement: OpaquePointer) {
    self.init(
      id: Int(sqlite3_column_int64(statement, 0)), customerID: textIfPresent(statement, 1),
      employeeID: integerIfPresent(statement, 2), orderDate: textIfPresent(statement, 3),
      requiredDate: textIfPresent(statement, 4), shippedDate: textIfPresent(statement, 5),
      shipVia: integerIfPresent(statement, 6),
      freight: realIfPresent(statement, 7),
      shipName: textIfPresent(statement, 8), shipAddress: textIfPresent(statement, 9),
      shipCity: textIfPresent(statement, 10), shipRegion: textIfPresent(statement, 11),
      shipPostalCode: textIfPresent(statement, 12), shipCountry: textIfPresent(statement, 13))
  }

  package func bind(to statement: OpaquePointer) {
    sqlite3_bind_int64(statement, 1, Int64(id))
    bindText(customerID, to: statement, at: 2)
    bindInteger(employeeID, to: statement, at: 3)
    bindText(orderDate, to: statement, at: 4)
    bindText(requiredDate, to: statement, at: 5)
    bindText(shippedDate, to: statement, at: 6)
    bindInteger(shipVia, to: statement, at: 7)
    if let freight { sqlite3_bind_double(statement, 8, freight) } else { sqlite3_bind_null(statement, 8) }
    bindText(shipName, to: statement, at: 9)
    bindText(shipAddress, to: statement, at: 10)
    bindText(shipCity, to: statement, at: 11)
    bindText(shipRegion, to: statement, at: 12)
    bindText(shipPostalCode, to: statement, at: 13)
    bindText(shipCountry, to: statement, at: 14)
  }
}

extension Item: SQLiteRow {
  package init(columnsOf statement: OpaquePointer) {
    self.init(
      i0: integer(statement, 0), i1: integer(statement, 1), i2: integer(statement, 2), i3: integer(statement, 3),
      i4: integer(statement, 4), i5: integer(statement, 5), i6: integer(statement, 6), i7: integer(statement, 7),
      i8: integer(statement, 8), i9: integer(statement, 9))
  }

  package func bind(to statement: OpaquePointer) {
    sqlite3_bind_int64(statement, 1, Int64(i0))
    sqlite3_bind_int64(statement, 2, Int64(i1))
    sqlite3_bind_int64(statement, 3, Int64(i2))
    sqlite3_bind_int64(statement, 4, Int64(i3))
    sqlite3_bind_int64(statement, 5, Int64(i4))
    sqlite3_bind_int64(statement, 6, Int64(i5))
    sqlite3_bind_int64(statement, 7, Int64(i6))
    sqlite3_bind_int64(statement, 8, Int64(i7))
    sqlite3_bind_int64(statement, 9, Int64(i8))
    sqlite3_bind_int64(statement, 10, Int64(i9))
  }
}

@inline(__always) func trackTuple(_ statement: OpaquePointer) -> TrackTuple {
  (
    sqlite3_column_int64(statement, 0), text(statement, 1), textIfPresent(statement, 2), integer(statement, 3),
    integer(statement, 4), sqlite3_column_double(statement, 5)
  )
}

@inline(__always) func orderTuple(_ statement: OpaquePointer) -> OrderTuple {
  (
    integer(statement, 0), textIfPresent(statement, 1), integerIfPresent(statement, 2), textIfPresent(statement, 3),
    textIfPresent(statement, 4), textIfPresent(statement, 5), integerIfPresent(statement, 6),
    realIfPresent(statement, 7), textIfPresent(statement, 8), textIfPresent(statement, 9), textIfPresent(statement, 10),
    textIfPresent(statement, 11), textIfPresent(statement, 12), textIfPresent(statement, 13)
  )
}

@inline(__always) private func integer(_ statement: OpaquePointer, _ column: Int32) -> Int {
  Int(sqlite3_column_int64(statement, column))
}

@inline(__always) private func integerIfPresent(_ statement: OpaquePointer, _ column: Int32) -> Int? {
  sqlite3_column_type(statement, column) == SQLITE_NULL ? nil : integer(statement, column)
}

@inline(__always) private func realIfPresent(_ statement: OpaquePointer, _ column: Int32) -> Double? {
  sqlite3_column_type(statement, column) == SQLITE_NULL ? nil : sqlite3_column_double(statement, column)
}

@inline(__always) private func text(_ statement: OpaquePointer, _ column: Int32) -> String {
  String(
    decoding: UnsafeBufferPointer(
      start: sqlite3_column_text(statement, column), count: Int(sqlite3_column_bytes(statement, column))),
    as: UTF8.self)
}

@inline(__always) private func textIfPresent(_ statement: OpaquePointer, _ column: Int32) -> String? {
  sqlite3_column_type(statement, column) == SQLITE_NULL ? nil : text(statement, column)
}

@inline(__always) private func bindInteger(_ value: Int?, to statement: OpaquePointer, at index: Int32) {
  if let value { sqlite3_bind_int64(statement, index, Int64(value)) } else { sqlite3_bind_null(statement, index) }
}

@inline(__always) func bindText(_ text: String?, to statement: OpaquePointer, at index: Int32) {
  guard var text else {
    sqlite3_bind_null(statement, index)
    return
  }
  text.withUTF8 { bytes in
    _ = bytes.withMemoryRebound(to: CChar.self) {
      sqlite3_bind_text(statement, index, $0.baseAddress, Int32($0.count), dimple_sqlite_transient())
    }
  }
}
