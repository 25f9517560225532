import DimpleStore
import Foundation
import Testing

@Suite("Rows without Codable")
struct RowReaderTests {
  private struct Track: RowDecodable, Equatable {
    var id: Int64
    var title: String
    var composer: String?
    var seconds: Double

    init(id: Int64, title: String, composer: String?, seconds: Double) {
      (self.id, self.title, self.composer, self.seconds) = (id, title, composer, seconds)
    }

    init(row: borrowing RowReader) throws {
      id = try row[0]
      title = try row["title"]
      composer = try row["COMPOSER"]
      seconds = try row[3]
    }
  }

  /// Both ways; the initialiser marks what it made.
  private struct Both: Codable, RowDecodable {
    var id: Int
    var isFromRow = false

    init(row: borrowing RowReader) throws {
      id = try row["id"]
      isFromRow = true
    }
  }

  private func makeDatabase() throws -> Database {
    let db = try Database.inMemory(
      migrations: [
        Migration(
          "create", "CREATE TABLE Track (id INTEGER PRIMARY KEY, title TEXT, composer TEXT, seconds REAL)")
      ])
    try db.execute("INSERT INTO Track VALUES (1, 'So What', 'Davis', 545.5), (2, 'Blue in Green', NULL, 327)")
    return db
  }

  @Test func anInitialiserMakesEachRow() throws {
    let db = try makeDatabase()
    let expected = [
      Track(id: 1, title: "So What", composer: "Davis", seconds: 545.5),
      Track(id: 2, title: "Blue in Green", composer: nil, seconds: 327),
    ]
    #expect(try db.query(Track.self, "SELECT * FROM Track ORDER BY id") == expected)
    #expect(try db.queryOne(Track.self, "SELECT * FROM Track WHERE id = \(2)") == expected[1])
    #expect(try db.queryOne(Track.self, "SELECT * FROM Track WHERE id = \(3)") == nil)
  }

  @Test func asynchronously() async throws {
    let db = try makeDatabase()
    #expect(try await db.query(Track.self, "SELECT * FROM Track").count == 2)
    #expect(try await db.queryOne(Track.self, "SELECT * FROM Track WHERE id = 2")?.composer == nil)
    let pair = try await db.queryOne((Int, String).self, "SELECT id, title FROM Track ORDER BY id")
    #expect(pair?.0 == 1 && pair?.1 == "So What")
    #expect(try await db.query((Int, String).self, "SELECT id, title FROM Track").count == 2)
    #expect(try await db.query(Both.self, "SELECT id FROM Track").allSatisfy(\.isFromRow))
    #expect(try await db.queryOne(Both.self, "SELECT id FROM Track")?.isFromRow == true)
  }

  @Test func aTypeThatIsDecodableTooIsMadeFromTheRow() throws {
    let db = try makeDatabase()
    #expect(try db.query(Both.self, "SELECT id FROM Track").allSatisfy(\.isFromRow))
    #expect(try db.queryOne(Both.self, "SELECT id FROM Track")?.isFromRow == true)
  }

  @Test func tuplesTakeOneValuePerColumn() throws {
    let db = try makeDatabase()
    let rows = try db.query((Int, String, String?, Double).self, "SELECT * FROM Track ORDER BY id")
    #expect(rows.map(\.0) == [1, 2])
    #expect(rows.map(\.1) == ["So What", "Blue in Green"])
    #expect(rows.map(\.2) == ["Davis", nil])
    #expect(rows.map(\.3) == [545.5, 327])
    let one = try db.queryOne((String, UInt8).self, "SELECT title, id FROM Track WHERE id = 2")
    #expect(one?.0 == "Blue in Green" && one?.1 == 2)
    #expect(try db.queryOne((Int, Int).self, "SELECT 1, 2 WHERE 0") == nil)
  }

  @Test func whatDoesNotFitIsAnErrorThatSaysWhere() throws {
    let db = try makeDatabase()
    func error(_ body: () throws -> Void) -> StoreError? { #expect(throws: StoreError.self) { try body() } }
    let null = error { _ = try db.query((Int, String).self, "SELECT id, composer FROM Track ORDER BY id") }
    #expect(null?.code == .typeMismatch)
    #expect(null?.operation == "read column 'composer' of row 2")
    #expect(null?.sql == "SELECT id, composer FROM Track ORDER BY id")
    #expect(error { _ = try db.query((Int8, Int).self, "SELECT 300, 1") }?.code == .typeMismatch)
    #expect(error { _ = try db.query((Int, Int).self, "SELECT 1, 'x'") }?.code == .typeMismatch)
    #expect(error { _ = try db.query((Int, Int).self, "SELECT 1.5, 1") }?.code == .typeMismatch)
    #expect(error { _ = try db.query((String, Int).self, "SELECT CAST(x'ff' AS TEXT), 1") }?.code == .typeMismatch)
    #expect(error { _ = try db.query((Int, Int?).self, "SELECT 1") }?.code == .missingColumn)
    let missing = error { _ = try db.query(Track.self, "SELECT id, composer FROM Track") }
    #expect(missing?.code == .missingColumn)
  }

  @Test func everyTypeReadsWhatItConvertsFrom() throws {
    let db = try makeDatabase()
    let id = UUIDv7()
    let row = try db.queryOne(
      (UUIDv7, Bool, [UInt8], SQLValue, UInt64, Int, Double, Date?).self,
      "SELECT \(id), 1, x'0102', 'any', \(UInt64.max), 3.0, 4, NULL")
    #expect(row?.0 == id && row?.1 == true && row?.2 == [1, 2] && row?.3 == .text("any"))
    #expect(row?.4 == .max && row?.5 == 3 && row?.6 == 4 && row?.7 == nil)
  }

  @Test func forEachRowLendsRowsAndStopsWhenTold() throws {
    let db = try makeDatabase()
    try db.read { connection in
      var titles: [String] = []
      try connection.forEachRow("SELECT title, count(*) OVER () AS n FROM Track ORDER BY id") { row in
        #expect(row.count == 2)
        #expect(row.columnNames == ["title", "n"])
        #expect(try row.position(of: "N") == 1)
        #expect(try row.value(1) == .integer(2))
        titles.append(try row[0])
        return false
      }
      #expect(titles == ["So What"])
    }
  }
}
