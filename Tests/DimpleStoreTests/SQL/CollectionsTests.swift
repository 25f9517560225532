import DimpleStore
import Testing

@Suite struct CollectionsTests {
  struct Album: Decodable, Hashable, Sendable {
    var id: Int
    var title: String
  }

  let db: Database

  init() throws {
    db = try Database.inMemory()
    try db.write { connection in
      try connection.script(
        "CREATE TABLE Album (id INTEGER PRIMARY KEY, title TEXT); INSERT INTO Album VALUES (1, 'A'), (2, 'B'), (3, 'B')"
      )
    }
  }

  @Test func theOnlyRowIsGivenAndNoneOrTwoAreErrors() async throws {
    #expect(try await db.querySingle(Album.self, "SELECT * FROM Album WHERE id = 2") == Album(id: 2, title: "B"))
    #expect(try await db.querySingle((Int, String).self, "SELECT * FROM Album WHERE id = 2") == (2, "B"))
    let none = await #expect(throws: StoreError.self) {
      try await db.querySingle(Int.self, "SELECT id FROM Album WHERE id > 9")
    }
    #expect(none?.code == .rowNotFound)
    let many = await #expect(throws: StoreError.self) { try await db.querySingle(Int.self, "SELECT id FROM Album") }
    #expect(many?.code == .tooManyRows)
    let tuples = await #expect(throws: StoreError.self) {
      try await db.querySingle((Int, String).self, "SELECT * FROM Album")
    }
    #expect(tuples?.code == .tooManyRows)
  }

  @Test func aSingleNullIsARow() throws {
    #expect(try db.querySingle(Int?.self, "SELECT NULL") == nil)
  }

  @Test func aSetHoldsDifferentRowsOnce() async throws {
    #expect(try await db.querySet(String.self, "SELECT title FROM Album") == ["A", "B"])
    #expect(try await db.read { try $0.querySet(Album.self, "SELECT * FROM Album").count } == 3)
  }

  @Test func rowsAreKeyedByAProperty() async throws {
    let albums = try await db.query(Album.self, keyedBy: \.id, "SELECT * FROM Album")
    #expect(albums.count == 3)
    #expect(albums[3] == Album(id: 3, title: "B"))
    let error = await #expect(throws: StoreError.self) {
      try await db.query(Album.self, keyedBy: \.title, "SELECT * FROM Album")
    }
    #expect(error?.code == .duplicateKey)
  }

  @Test func pairsAreADictionary() async throws {
    #expect(
      try await db.queryDictionary((Int, String).self, "SELECT id, title FROM Album") == [1: "A", 2: "B", 3: "B"])
    let error = await #expect(throws: StoreError.self) {
      try await db.read { try $0.queryDictionary((String, Int).self, "SELECT title, id FROM Album") }
    }
    #expect(error?.code == .duplicateKey)
  }

  @Test func rowsAreDictionaries() async throws {
    let rows = try await db.query([String: SQLValue].self, "SELECT * FROM Album ORDER BY id")
    #expect(rows[0] == ["id": .integer(1), "title": .text("A")])
    #expect(try await db.queryOne([String: Int].self, "SELECT 1 AS a, 2 AS b, 3 AS a") == ["a": 1, "b": 2])
    await #expect(throws: StoreError.self) { try await db.queryOne([String: Int].self, "SELECT 'x' AS a") }
    #expect(try await db.rows("SELECT 1 AS a, NULL AS b")[0].dictionary == ["a": .integer(1), "b": .null])
  }

  @Test(arguments: [
    "SELECT * FROM Album WHERE id > 1", "SELECT id FROM Album WHERE id > 1; ",
    "SELECT 1 FROM Album WHERE id > 1 -- two",
  ])
  func rowsAreCountedBySQLite(query: String) async throws {
    #expect(try await db.count(SQL(raw: query)) == 2)
  }

  @Test func countAndExistsTakeValues() async throws {
    #expect(try await db.count("SELECT * FROM Album WHERE title = \("B")") == 2)
    #expect(try await db.count(SQL("SELECT * FROM Album WHERE title = :t", ["t": "A"])) == 1)
    #expect(try await db.exists("SELECT * FROM Album WHERE title = \("B")"))
    #expect(try await !db.exists("SELECT * FROM Album WHERE title = \("C")"))
  }

  @Test func aSnapshotHasTheSameVerbs() throws {
    let db = try Database.temporary()
    try db.execute("CREATE TABLE t (x)")
    let snapshot = try db.snapshot()
    try db.execute("INSERT INTO t VALUES (1)")
    #expect(try snapshot.query(Int.self, "SELECT x FROM t") == [])
    #expect(try snapshot.count("SELECT x FROM t") == 0)
    #expect(try db.count("SELECT x FROM t") == 1)
    try snapshot.release()
  }
}
