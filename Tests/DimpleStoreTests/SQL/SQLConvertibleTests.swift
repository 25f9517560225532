import DimpleStore
import Foundation
import Testing

@Suite struct SQLConvertibleTests {
  let db: Database

  init() throws { db = try Database.inMemory() }

  private func stored(_ value: SQLValue) throws -> SQLValue? {
    try db.rows(SQL(raw: "SELECT ? AS x", bindings: [value])).first?["x"]
  }

  @Test(arguments: [
    SQLValue.null, .integer(0), .integer(.min), .integer(.max), .real(-0.0), .real(0), .real(.infinity),
    .real(-.infinity), .real(.leastNonzeroMagnitude), .real(0.1), .text(""), .text("a\0b"), .text("é"),
    .text("e\u{301}"), .blob([]), .blob([0]), .blob([0xFF, 0, 1]), .invalidText([0xFF, 0x41]),
    .invalidText([0xED, 0xA0, 0x80]),
  ])
  func everyValueOfSQLiteComesBackToTheBit(_ value: SQLValue) throws {
    #expect(try stored(value) == value)
  }

  @Test func everyValueSurvivesATableToo() throws {
    let values: [SQLValue] = [
      .real(-0.0), .integer(.max), .text("a\0b"), .blob([]), .invalidText([0x80]), .real(.infinity),
    ]
    try db.execute("CREATE TABLE t (x)")
    for value in values { try db.execute("INSERT INTO t VALUES (\(value))") }
    #expect(try db.rows("SELECT x FROM t ORDER BY rowid").map { $0[0] } == values)
  }

  private func roundTrip<T: SQLConvertible & Equatable & Decodable>(_ value: T) throws -> Bool {
    try db.queryOne(T.self, "SELECT \(value)") == value
  }

  @Test func typesOfTheLibraryRoundTrip() throws {
    #expect(try roundTrip(true))
    #expect(try roundTrip(Int8.min))
    #expect(try roundTrip(Int64.max))
    #expect(try roundTrip(UInt32.max))
    #expect(try roundTrip(UInt64.max))
    #expect(try roundTrip(UInt(1) << 63))
    #expect(try roundTrip(Float(0.1)))
    #expect(try roundTrip(-Double.infinity))
    #expect(try roundTrip("Grüße \u{0} 👋"))
    #expect(try roundTrip([UInt8](0...255)))
    #expect(try roundTrip(Data([1, 2, 3])))
    #expect(try roundTrip(UUID()))
    #expect(try roundTrip(UUIDv7()))
    #expect(try roundTrip(URL(string: "https://example.com/a?b=c#d")))
    #expect(try roundTrip(Decimal(string: "-12345678901234567890.123456789")))
    #expect(try roundTrip(Date(timeIntervalSince1970: 1_795_428_000.125)))
    #expect(try roundTrip(Int?.none))
    #expect(try roundTrip(Int?.some(3)))
  }

  enum Priority: Int, Codable, SQLConvertible { case low = 1, high = 5 }

  @Test func anEnumIsItsRawValue() throws {
    #expect(try roundTrip(Priority.high))
    #expect(Priority.high.sqlValue == .integer(5))
    #expect(storeError { _ = try Priority(sqlValue: .integer(2)) }?.code == .typeMismatch)
  }

  @Test func unsignedIntegersBeyondSQLitesSortBehindAllOthers() throws {
    try db.execute("CREATE TABLE u (x INTEGER)")
    let values: [UInt64] = [.max, 0, 1 << 63, 5, (1 << 63) - 1]
    for value in values { try db.execute("INSERT INTO u VALUES (\(value))") }
    #expect(try db.query(UInt64.self, "SELECT x FROM u ORDER BY x") == values.sorted())
  }

  @Test func whatDoesNotFitIsRefusedRatherThanCutOff() {
    #expect(storeError { _ = try Int8(sqlValue: .integer(128)) }?.code == .typeMismatch)
    #expect(storeError { _ = try UInt8(sqlValue: .integer(-1)) }?.code == .typeMismatch)
    #expect(storeError { _ = try Int(sqlValue: .real(1.5)) }?.code == .typeMismatch)
    #expect(storeError { _ = try Int(sqlValue: .text("1")) }?.code == .typeMismatch)
    #expect(storeError { _ = try Double(sqlValue: .integer(.max)) }?.code == .typeMismatch)
    #expect(storeError { _ = try Bool(sqlValue: .integer(2)) }?.code == .typeMismatch)
    #expect(storeError { _ = try String(sqlValue: .invalidText([0xFF])) }?.code == .typeMismatch)
    #expect(storeError { _ = try String(sqlValue: .null) }?.code == .typeMismatch)
    #expect(storeError { _ = try Decimal(sqlValue: .real(0.1)) }?.code == .typeMismatch)
    #expect(storeError { _ = try Decimal(sqlValue: .text("12 apples")) }?.code == .typeMismatch)
    #expect(storeError { _ = try UUID(sqlValue: .text("nonsense")) }?.code == .typeMismatch)
  }

  @Test func wholeRealsAndExactIntegersConvert() throws {
    #expect(try Int(sqlValue: .real(3)) == 3)
    #expect(try Double(sqlValue: .integer(1 << 53)) == 9_007_199_254_740_992)
  }
}
