import DimpleStore
import Foundation
import Testing

@Suite struct RowDecodingTests {
  let db: Database

  init() throws { db = try Database.inMemory() }

  struct Everything: Codable, Equatable {
    enum Kind: String, Codable { case plain, fancy }
    struct Address: Codable, Equatable {
      var street: String
      var since: Date
    }
    struct Wrapped: Codable, Equatable, RawRepresentable { var rawValue: Int }

    var bool: Bool
    var int8: Int8
    var uint64: UInt64
    var double: Double
    var float: Float
    var string: String
    var data: Data
    var bytes: [UInt8]
    var date: Date
    var uuid: UUID
    var id: UUIDv7
    var url: URL
    var decimal: Decimal
    var kind: Kind
    var wrapped: Wrapped
    var address: Address
    var tags: [String]
    var scores: [String: Double]
    var nothing: Int?
    var maybe: Address?
    var optionalKind: Kind?
  }

  private func sample() throws -> Everything {
    Everything(
      bool: true, int8: -128, uint64: .max, double: -0.0, float: 1.5, string: "a\0b", data: Data([0, 255]), bytes: [],
      date: Date(timeIntervalSince1970: 1_795_428_000.5), uuid: UUID(), id: UUIDv7(),
      url: try #require(URL(string: "https://example.com")), decimal: Decimal(5) / 10, kind: .fancy,
      wrapped: .init(rawValue: 7), address: .init(street: "Main / 1", since: Date(timeIntervalSince1970: 0)),
      tags: ["x", "y"], scores: ["a": .infinity], nothing: nil, maybe: nil, optionalKind: .plain)
  }

  @Test func aStructOfAllTypesComesBackEqual() throws {
    struct Flat: Entity, Equatable {
      static let tableName = "Everything"
      var everything: Everything
      var id: UUIDv7 { everything.id }
      init(_ everything: Everything) { self.everything = everything }
      init(from decoder: any Decoder) throws { everything = try Everything(from: decoder) }
      func encode(to encoder: any Encoder) throws { try everything.encode(to: encoder) }
    }
    try db.execute(
      """
      CREATE TABLE Everything (bool, int8, uint64, double, float, string, data, bytes, date, uuid, id PRIMARY KEY, url,
        decimal TEXT, kind, wrapped, address, tags, scores, "nothing", maybe, optionalKind)
      """)
    let value = Flat(try sample())
    #expect(try db.save(value) == value)
    #expect(try db.query(Everything.self, "SELECT * FROM Everything") == [value.everything])
    let row = try #require(try db.rows("SELECT * FROM Everything").first)
    #expect(row["address"] == .text(#"{"since":"1970-01-01 00:00:00.000","street":"Main / 1"}"#))
    #expect(row["wrapped"] == .integer(7))
    #expect(row["kind"] == .text("fancy"))
    #expect(row["nothing"] == .null)
  }

  @Test func rowsOfDifferentShapeOfOneStructAreDecodedByName() throws {
    struct Pair: Decodable, Equatable {
      var a: Int
      var b: String
    }
    #expect(
      try db.query(Pair.self, "SELECT 'x' AS b, 9 AS other, 1 AS A UNION ALL SELECT 'y', 8, 2")
        == [Pair(a: 1, b: "x"), Pair(a: 2, b: "y")])
  }

  @Test func aTypeThatAsksInChangingOrderIsDecodedToo() throws {
    struct Fickle: Decodable, Equatable {
      enum CodingKeys: CodingKey { case kind, a, b }
      var value: Int
      init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        value =
          try container.decode(Bool.self, forKey: .kind)
          ? container.decode(Int.self, forKey: .a) : container.decode(Int.self, forKey: .b)
      }
    }
    let values = try db.query(
      Fickle.self, "SELECT 1 AS kind, 10 AS a, 20 AS b UNION ALL SELECT 0, 11, 21 UNION ALL SELECT 1, 12, 22")
    #expect(values.map(\.value) == [10, 21, 12])
  }

  struct Number: Decodable { var n: Int8 }
  struct OptionalNumber: Decodable { var n: Int? }

  @Test func nullIntoANonOptionalSaysColumnRowAndSQL() {
    let sql: SQL = "SELECT 1 AS n UNION ALL SELECT NULL"
    let error = storeError { _ = try db.query(Number.self, sql) }
    #expect(error?.code == .typeMismatch)
    #expect(error?.operation == "read column 'n' of row 2")
    #expect(error?.sql == sql.text)
    #expect(error?.hint.contains("optional") == true)
  }

  @Test func anIntegerOutOfRangeIsAnErrorThatHidesTheValue() {
    let error = storeError { _ = try db.query(Number.self, "SELECT \(300) AS n") }
    #expect(error?.code == .typeMismatch)
    #expect(error.map { "\($0)".contains("300") } == false)
  }

  @Test func aMissingColumnIsAnErrorForAnOptionalToo() {
    #expect(storeError { _ = try db.query(Number.self, "SELECT 1 AS m") }?.code == .missingColumn)
    #expect(storeError { _ = try db.query(OptionalNumber.self, "SELECT 1 AS m") }?.code == .missingColumn)
  }

  @Test func textThatIsNotTheJSONOfTheTypeIsAnError() {
    struct Holder: Decodable { var list: [Int] }
    let error = storeError { _ = try db.query(Holder.self, "SELECT '[1,' AS list") }
    #expect(error?.code == .typeMismatch)
    #expect(error?.underlying is DecodingError)
    #expect(storeError { _ = try db.query(Holder.self, "SELECT 5 AS list") }?.code == .typeMismatch)
  }

  @Test func singleValuesAreTakenFromTheFirstColumn() throws {
    #expect(try db.query(Int.self, "SELECT 1 UNION ALL SELECT 2") == [1, 2])
    #expect(try db.query(String?.self, "SELECT NULL UNION ALL SELECT 'x'") == [nil, "x"])
    #expect(try db.query([Int].self, "SELECT '[1,2]'") == [[1, 2]])
    #expect(try db.queryOne(Int.self, "SELECT 1 WHERE 0") == nil)
  }

  @Test func aDictionaryTakesAllColumns() throws {
    #expect(try db.query([String: Int].self, "SELECT 1 AS a, 2 AS b") == [["a": 1, "b": 2]])
  }

  @Test func aRowIsDecodedAfterTheTableHasGrown() throws {
    struct Pair: Decodable, Equatable {
      var a: Int
      var b: Int
    }
    try db.execute("CREATE TABLE t (b)")
    try db.execute("INSERT INTO t VALUES (1)")
    #expect(storeError { _ = try db.query(Pair.self, "SELECT * FROM t") }?.code == .missingColumn)
    try db.execute("ALTER TABLE t ADD COLUMN a DEFAULT 5")
    #expect(try db.query(Pair.self, "SELECT * FROM t") == [Pair(a: 5, b: 1)])
  }

  @Test func anEarlyEndOfForEachLeavesTheConnectionUsable() throws {
    let seen = try db.read { connection in
      var seen: [Int] = []
      try connection.forEach(Int.self, "SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3") { value in
        seen.append(value)
        return seen.count < 2
      }
      return seen
    }
    #expect(seen == [1, 2])
  }
}
