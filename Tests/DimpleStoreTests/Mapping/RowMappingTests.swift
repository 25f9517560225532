import DimpleStore
import Foundation
import Testing

/// How a type's properties are named and stored, where the usual way does not do.
@Suite struct RowMappingTests {
  struct Shipment: Entity, Equatable {
    static let mapping = RowMapping(columnNames: .snakeCase, dates: .millisecondsSince1970, uuids: .blob)
    var id: UUID
    var shippedAt: Date
    var arrivedAt: Date?
    var baseURL: URL
    var parentID: UUID?
  }

  let db: Database
  let date = Date(timeIntervalSince1970: 1_700_000_000.125)

  init() throws {
    db = try Database.inMemory()
    try db.execute(
      """
      CREATE TABLE Shipment (
        id BLOB PRIMARY KEY, shipped_at INTEGER NOT NULL, arrived_at INTEGER, base_url TEXT, parent_id BLOB) STRICT
      """)
  }

  private func shipment(arrived: Date? = nil) throws -> Shipment {
    Shipment(
      id: UUID(), shippedAt: date, arrivedAt: arrived, baseURL: try #require(URL(string: "https://a.b/c")),
      parentID: UUID())
  }

  @Test func namesDatesAndUUIDsAreStoredAsTheTypeSays() throws {
    let shipment = try shipment()
    #expect(try db.save(shipment) == shipment)
    let row = try db.querySingle([String: SQLValue].self, "SELECT * FROM Shipment")
    #expect(row["shipped_at"] == .integer(1_700_000_000_125))
    #expect(row["arrived_at"] == .null)
    #expect(row["base_url"] == .text("https://a.b/c"))
    #expect(try db.queryOne(Int.self, "SELECT length(id) FROM Shipment") == 16)
  }

  @Test func anEntityIsFoundUpdatedAndDeletedByTheIDAsItIsStored() throws {
    var shipment = try db.save(try shipment())
    #expect(try db.find(Shipment.self, id: shipment.id) == shipment)
    shipment.arrivedAt = date
    #expect(try db.update(shipment).arrivedAt == date)
    #expect(try db.require(Shipment.self, id: shipment.id).arrivedAt == date)
    #expect(try db.delete(Shipment.self, id: shipment.id))
    #expect(storeError { _ = try db.require(Shipment.self, id: shipment.id) }?.code == .rowNotFound)
  }

  @Test func textInTheColumnIsReadWhateverIsChosen() throws {
    struct Line: Decodable, RowMapped {
      static let mapping = RowMapping(dates: .millisecondsSince1970, uuids: .blob)
      var at: Date
      var id: UUID
    }
    let id = UUID()
    let line = try db.querySingle(Line.self, "SELECT '2023-11-14 22:13:20.125' AS at, \(id) AS id")
    #expect(line.at == date)
    #expect(line.id == id)
    let error = storeError { _ = try db.queryOne(Line.self, "SELECT 'never' AS at, \(id) AS id") }
    #expect(error?.code == .typeMismatch)
    #expect(error?.operation.contains("'at'") == true)
  }

  @Test func secondsKeepWhatADateHolds() throws {
    struct Sample: Entity, Equatable {
      static let mapping = RowMapping(dates: .secondsSince1970, uuids: .uppercaseText)
      var id: UUID
      var at: Date
    }
    try db.execute("CREATE TABLE Sample (id TEXT PRIMARY KEY, at REAL)")
    let sample = Sample(id: UUID(), at: Date(timeIntervalSince1970: 0.1 + 0.2))
    #expect(try db.save(sample) == sample)
    #expect(
      try db.querySingle((String, Double).self, "SELECT * FROM Sample") == (
        sample.id.uuidString, sample.at.timeIntervalSince1970
      ))
  }

  @Test(arguments: [
    ("id", "id"), ("shippedAt", "shipped_at"), ("baseURL", "base_url"), ("URLString", "url_string"), ("aBC", "a_bc"),
    ("urlOfPage2", "url_of_page2"), ("Name", "name"), ("already_snake", "already_snake"),
    ("isHTTP2Used", "is_http2_used"),
  ])
  func keysBecomeSnakeCase(key: String, column: String) {
    #expect(ColumnNames.snakeCase.column(key) == column)
  }

  @Test func aRuleOfOnesOwnNamesColumns() throws {
    struct Coded: Decodable, RowMapped {
      static let mapping = RowMapping(columnNames: .custom { "c_" + $0 })
      var a: Int
      var b: Int?
    }
    let coded = try db.querySingle(Coded.self, "SELECT 1 AS c_a, 2 AS c_b, 3 AS a")
    #expect((coded.a, coded.b) == (1, 2))
    #expect(storeError { _ = try db.queryOne(Coded.self, "SELECT 1 AS a, 2 AS b") }?.code == .missingColumn)
  }

  @Test func twoTypesOfOneStatementKeepTheirOwnMappings() throws {
    struct Plain: Decodable { var shipped_at: Int64 }
    struct Snake: Decodable, RowMapped {
      static let mapping = RowMapping(columnNames: .snakeCase)
      var shippedAt: Int64
    }
    try db.save(try shipment())
    for _ in 0..<3 {
      #expect(try db.querySingle(Plain.self, "SELECT * FROM Shipment").shipped_at == 1_700_000_000_125)
      #expect(try db.querySingle(Snake.self, "SELECT * FROM Shipment").shippedAt == 1_700_000_000_125)
    }
  }
}
