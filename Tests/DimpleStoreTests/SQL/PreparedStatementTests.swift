import DimpleStore
import Testing

@Suite("Prepared statements")
struct PreparedStatementTests {
  private struct Point: Codable, Equatable {
    var id: Int
    var name: String?
    var x: Double
  }

  private func makeDatabase() throws -> Database {
    try Database.inMemory(
      migrations: [
        Migration("create", "CREATE TABLE Point (id INTEGER PRIMARY KEY, name TEXT, x REAL NOT NULL CHECK (x >= 0))")
      ])
  }

  @Test func oneRunsManyTimesWithValuesOfItsOwnEachTime() throws {
    let db = try makeDatabase()
    try db.write { connection in
      let insert = try connection.prepared("INSERT INTO Point (name, x) VALUES (?, ?)")
      #expect(insert.parameterCount == 2)
      for (name, x) in [("a", 0.5), (nil, 1), ("ç\0d", 2)] as [(String?, Double)] {
        #expect(try insert.execute(name, x) == 1)
      }
    }
    #expect(
      try db.query(Point.self, "SELECT * FROM Point ORDER BY id") == [
        Point(id: 1, name: "a", x: 0.5), Point(id: 2, name: nil, x: 1), Point(id: 3, name: "ç\0d", x: 2),
      ])
  }

  @Test func everyTypeBindsAsItsValue() throws {
    let db = try makeDatabase()
    try db.read { connection in
      let types = try connection.prepared(
        "SELECT typeof(?) || ' ' || typeof(?) || ' ' || typeof(?) || ' ' || typeof(?)")
      #expect(try types.queryOne(String.self, 1, 1.5, "1", [UInt8(1)]) == "integer real text blob")
      #expect(try types.queryOne(String.self, true, -Double.infinity, "", nil as Int?) == "integer real text null")
      #expect(storeError { _ = try types.queryOne(String.self, 1, Double.nan, 2, 3) }?.code == .typeMismatch)
      let same = try connection.prepared("SELECT ?1 IS ?2")
      #expect(try same.queryOne(Bool.self, UInt64.max, UInt64.max.sqlValue) == true)
      #expect(try same.queryOne(Bool.self, Int64.min, SQLValue.integer(.min)) == true)
      let id = UUIDv7()
      #expect(try same.queryOne(Bool.self, id, id.description) == true)
    }
  }

  @Test func queriesDecode() throws {
    let db = try makeDatabase()
    try db.write { connection in
      let insert = try connection.prepared("INSERT INTO Point VALUES (?, ?, ?)")
      for id in 1...5 { try insert.execute(id, "p", Double(id)) }
      let above = try connection.prepared("SELECT * FROM Point WHERE x > ? ORDER BY id")
      #expect(try above.query(Point.self, 3).map(\.id) == [4, 5])
      #expect(try above.query(Point.self, 10).isEmpty)
      #expect(try above.queryOne(Point.self, 0)?.id == 1)
      #expect(try above.queryOne(Point.self, 9) == nil)
    }
  }

  @Test func anInitialiserMakesItsRows() throws {
    struct Pair: RowDecodable, Equatable {
      let id: Int
      let name: String?
      init(id: Int, name: String?) { (self.id, self.name) = (id, name) }
      init(row: borrowing RowReader) throws {
        id = try row[0]
        name = try row[1]
      }
    }
    struct Both: RowDecodable, Decodable {
      var id: Int
      init(row: borrowing RowReader) throws { id = try row[0] + 100 }
    }
    try makeDatabase().read { connection throws in
      let pairs = try connection.prepared("SELECT ?1, ?2 UNION ALL SELECT ?1 + 1, NULL")
      #expect(try pairs.query(Pair.self, 1, "a") == [Pair(id: 1, name: "a"), Pair(id: 2, name: nil)])
      #expect(try pairs.queryOne(Pair.self, 5, "b") == Pair(id: 5, name: "b"))
      #expect(try pairs.query(Both.self, 1, "a").map(\.id) == [101, 102])
      #expect(try pairs.queryOne(Both.self, 1, "a")?.id == 101)
      #expect(try pairs.query(Pair.self, 7, nil as String?).map(\.id) == [7, 8])
    }
  }

  @Test func tooFewOrTooManyValuesAreAnError() throws {
    let db = try makeDatabase()
    try db.write { connection in
      let insert = try connection.prepared("INSERT INTO Point VALUES (?, ?, ?)")
      for count in [2, 4] {
        let error = #expect(throws: StoreError.self) {
          if count == 2 { try insert.execute(1, "a") } else { try insert.execute(1, "a", 1.0, 2) }
        }
        #expect(error?.code == .wrongArgumentCount)
      }
      #expect(throws: StoreError.self) { try connection.prepared("SELECT \(1)") }
      #expect(throws: StoreError.self) { try connection.prepared("SELECT 1; SELECT 2") }
      #expect(try connection.queryOne(Int.self, "SELECT count(*) FROM Point") == 0)
    }
  }

  @Test func itGoesOnAfterAConstraintRefusedARow() throws {
    let db = try makeDatabase()
    try db.write { connection in
      let insert = try connection.prepared("INSERT INTO Point VALUES (?, NULL, ?)")
      try insert.execute(1, 1.0)
      let error = #expect(throws: StoreError.self) { try insert.execute(2, -1.0) }
      #expect(error?.code.isConstraint == true)
      try insert.execute(3, 1.0)
    }
    #expect(try db.query(Int.self, "SELECT id FROM Point ORDER BY id") == [1, 3])
  }

  @Test func whoeverHoldsOneIsNotDisturbedByTheSameTextRunOtherwise() throws {
    let db = try makeDatabase()
    try db.write { connection in
      let insert = try connection.prepared("INSERT INTO Point VALUES (?, ?, 0)")
      for id in 1...3 { try insert.execute(id, "p") }
      let select = try connection.prepared("SELECT id FROM Point WHERE id >= ? ORDER BY id")
      var pairs: [[Int]] = []
      try connection.forEach(Int.self, "SELECT id FROM Point WHERE id >= \(2) ORDER BY id") { id in
        pairs.append([id] + (try select.query(Int.self, id)))
        return true
      }
      #expect(pairs == [[2, 2, 3], [3, 3]])
    }
  }

  @Test func afterTheClosureItIsAnError() throws {
    let db = try makeDatabase()
    var kept: PreparedStatement?
    try db.write { kept = try $0.prepared("INSERT INTO Point VALUES (?, ?, 0)") }
    let error = #expect(throws: StoreError.self) { try kept?.execute(1, "p") }
    #expect(error?.code == .outsideClosure)
    try db.close()
    #expect(throws: StoreError.self) { try kept?.execute(1, "p") }
  }

  @Test func aReadRefusesToWriteWithOne() throws {
    let db = try makeDatabase()
    let error = #expect(throws: StoreError.self) {
      try db.read { try $0.prepared("INSERT INTO Point VALUES (?, ?, 0)").execute(1, "p") }
    }
    #expect(error?.code == .readOnly)
  }
}
