import DimpleStore
import Testing

/// Types that are another value inside: one column, whichever way a row is made.
@Suite struct RawValueTests {
  enum Size: Int8, Codable, CaseIterable, SQLConvertible { case small = -128, large = 127 }
  enum Colour: String, Codable, CaseIterable, SQLConvertible { case red, odd = "o'd\"d\0", none = "" }

  struct Flags: OptionSet, Codable, Hashable, SQLConvertible {
    var rawValue: UInt64
    static let first = Flags(rawValue: 1)
    static let last = Flags(rawValue: 1 << 63)
  }

  /// One that not every text is.
  struct Address: RawRepresentable, Codable, Hashable, SQLConvertible {
    var rawValue: String

    init?(rawValue: String) {
      guard rawValue.contains("@") else { return nil }
      self.rawValue = rawValue
    }
  }

  /// Made by its initialiser, since it has one.
  struct Person: Codable, Equatable, RowDecodable {
    var size: Size
    var colour: Colour?
    var flags: Flags
    var address: Address?
  }

  /// The same by Codable alone.
  struct CodablePerson: Codable, Equatable {
    var size: Size
    var colour: Colour?
    var flags: Flags
    var address: Address?
  }

  private let db: Database

  init() throws {
    db = try Database.inMemory()
    try db.execute("CREATE TABLE Person (size, colour, flags, address)")
  }

  @Test func theyAreBoundAndReadInEveryWay() throws {
    let flags: Flags = [.first, .last]
    let address = Address(rawValue: "a@b")
    try db.write { connection in
      let insert = try connection.prepared("INSERT INTO Person VALUES (?, ?, ?, ?)")
      try insert.execute(Size.small, Colour.odd, flags, address)
      try connection.execute(
        "INSERT INTO Person VALUES (\(Size.large), \(Colour?.none), \(Flags.first), \(Address?.none))")
    }
    let sql: SQL = "SELECT * FROM Person ORDER BY rowid"
    let expected = [
      Person(size: .small, colour: .odd, flags: flags, address: address),
      Person(size: .large, colour: nil, flags: .first, address: nil),
    ]
    #expect(try db.query(Person.self, sql) == expected)
    let decoded = try db.query(CodablePerson.self, sql)
    #expect(decoded.map(\.size) == expected.map(\.size) && decoded.map(\.colour) == expected.map(\.colour))
    #expect(decoded.map(\.flags) == expected.map(\.flags) && decoded.map(\.address) == expected.map(\.address))
    let tuples = try db.query((Size, Colour?, Flags, Address?).self, sql)
    #expect(tuples.map(\.0) == expected.map(\.size) && tuples.map(\.2) == expected.map(\.flags))
    #expect(try db.querySet(Size.self, "SELECT size FROM Person") == [.small, .large])
    #expect(try db.rows(sql)[0].get("address", as: Address.self) == address)
    #expect(try db.exists("SELECT 1 FROM Person WHERE colour IN \(Colour.allCases) AND size = \(Size.small)"))
    // A set of flags that SQLite's integers hold is one, so that SQL can test its bits.
    #expect(try db.querySingle(Int.self, "SELECT count(*) FROM Person WHERE typeof(flags) = 'integer'") == 1)
  }

  @Test(arguments: ["5, NULL, 0, NULL", "127, 'blue', 0, NULL", "127, NULL, -1, NULL", "127, NULL, 0, 'nobody'"])
  func aRawValueThatIsNoneOfTheTypesIsAMismatch(values: String) {
    let query = SQL(raw: "WITH p (size, colour, flags, address) AS (VALUES (\(values))) SELECT * FROM p")
    for error in [
      storeError { _ = try db.query(Person.self, query) }, storeError { _ = try db.query(CodablePerson.self, query) },
      storeError { _ = try db.query((Size, Colour?, Flags, Address?).self, query) },
    ] {
      #expect(error?.code == .typeMismatch)
      #expect(error?.operation.hasSuffix("of row 1") == true)
    }
  }
}

extension RawValueTests.Person {
  init(row: borrowing RowReader) throws {
    size = try row["size"]
    colour = try row["colour"]
    flags = try row["flags"]
    address = try row["address"]
  }
}
