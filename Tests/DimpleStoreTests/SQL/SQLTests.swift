import DimpleStore
import Testing

@Suite struct SQLTests {
  @Test func anInterpolatedValueIsBoundAndNeverPartOfTheText() {
    let input = "x'); DROP TABLE Todo; --"
    let sql: SQL = "INSERT INTO Todo (text) VALUES (\(input))"
    #expect(sql.text == "INSERT INTO Todo (text) VALUES (?)")
    #expect(sql.bindings == [.text(input)])
  }

  @Test func aListBecomesOnePlaceholderPerElement() {
    let sql: SQL = "SELECT * FROM t WHERE id IN \([1, 2, 3])"
    #expect(sql.text == "SELECT * FROM t WHERE id IN (?,?,?)")
    #expect(sql.bindings == [.integer(1), .integer(2), .integer(3)])
  }

  @Test func aSetOfOneIsAList() {
    let sql: SQL = "IN \(Set(["a"]))"
    #expect(sql == SQL(raw: "IN (?)", bindings: [.text("a")]))
  }

  @Test func anEmptyListMatchesNothingAndUnderNotInEverything() throws {
    let db = try Database.inMemory()
    let none: [Int] = []
    #expect(try db.query(Int.self, "SELECT 1 WHERE 1 IN \(none)") == [])
    #expect(try db.query(Int.self, "SELECT 1 WHERE 1 NOT IN \(none)") == [1])
    #expect(try db.query(Int.self, "SELECT 1 WHERE NULL NOT IN \(none)") == [1])
  }

  @Test func bytesAreOneBlobAndNoList() {
    let bytes: [UInt8] = [1, 2]
    let sql: SQL = "SELECT \(bytes)"
    #expect(sql == SQL(raw: "SELECT ?", bindings: [.blob([1, 2])]))
  }

  @Test func anOptionalIsNullOrItsValue() {
    let missing: Int? = nil
    let present: Int? = 7
    let sql: SQL = "SELECT \(missing), \(present)"
    #expect(sql.bindings == [.null, .integer(7)])
  }

  @Test func anIdentifierIsQuotedWhateverItHolds() throws {
    let name = "odd \"name\"; --"
    let db = try Database.inMemory()
    try db.execute("CREATE TABLE \(identifier: name) (x)")
    try db.execute("INSERT INTO \(identifier: name) VALUES (\(1))")
    #expect(try db.query(Int.self, "SELECT x FROM \(identifier: name)") == [1])
  }

  @Test func sqlNestsWithItsBindings() {
    let condition: SQL = "b = \(2)"
    let sql: SQL = "SELECT \(1) WHERE \(condition) AND \(raw: "c") = \(3)"
    #expect(sql.text == "SELECT ? WHERE b = ? AND c = ?")
    #expect(sql.bindings == [.integer(1), .integer(2), .integer(3)])
  }

  @Test func partsAreJoined() {
    let parts: [SQL] = ["a = \(1)", "b = \(2)"]
    #expect(parts.joined(separator: " AND ") == SQL(raw: "a = ? AND b = ?", bindings: [.integer(1), .integer(2)]))
    #expect([SQL]().joined(separator: ",").text.isEmpty)
  }

  @Test func hostileTextsNeverChangeWhatAStatementDoes() throws {
    let db = try Database.inMemory()
    try db.execute("CREATE TABLE t (a TEXT NOT NULL)")
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SeededRandom(seed: seed)
    let pieces = ["'", "\"", ";", "--", "/*", "*/", "?", "\\", "\0", "\u{1F600}", "DROP TABLE t", ")", "\n", "%", ":a"]
    for _ in 0..<300 {
      let input = (0..<Int.random(in: 0..<6, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }
        .joined()
      try db.execute("INSERT INTO t VALUES (\(input))")
      let found = try db.queryOne(String.self, "SELECT a FROM t WHERE a = \(input) ORDER BY rowid DESC LIMIT 1")
      #expect(found.map { Array($0.utf8) } == Array(input.utf8), "seed \(seed)")
    }
    #expect(try db.queryOne(Int.self, "SELECT count(*) FROM t") == 300)
  }
}

/// A literal is known by where its parts lie, and nothing of that may show.
@Suite struct SQLTextTests {
  @Test func aLiteralEqualsTheSameTextMadeOtherwise() {
    let value = 1
    let literal: SQL = "SELECT \(value) FROM t"
    let raw = SQL(raw: "SELECT ? FROM t", bindings: [.integer(1)])
    #expect(literal == raw)
    #expect(Set([literal, raw, "SELECT \(1) FROM t"]).count == 1)
    #expect(literal != "SELECT \(2) FROM t")
    #expect(literal != "SELECT \(1) FROM u")
  }

  @Test func valuesStandWhereTheyWereWritten() {
    let (a, b) = (1, 2)
    #expect(("\(a)" as SQL).text == "?")
    #expect(("\(a)\(b)" as SQL).text == "??")
    #expect(("\(a) \(b) " as SQL).text == "? ? ")
    #expect(("x\(raw: "y")\(a)z" as SQL).text == "xy?z")
    #expect(("\(a)\(raw: "y")z" as SQL).text == "?yz")
    #expect(("\([a, b])\(b)" as SQL).text == "(?,?)?")
    #expect(("\(SQL(raw: "n = ?", bindings: [.null])) \(b)" as SQL).text == "n = ? ?")
    #expect(("" as SQL).text.isEmpty)
  }

  @Test func literalsThatBeginAlikeAreDifferentStatements() throws {
    let db = try Database.inMemory()
    try db.read { connection throws in
      for _ in 0..<3 {
        #expect(try connection.query(Int.self, "SELECT \(1) + 1") == [2])
        #expect(try connection.query(Int.self, "SELECT \(1) + 2") == [3])
        #expect(try connection.query(Int.self, "SELECT \(1)") == [1])
      }
    }
  }

  @Test func aLiteralUsedInsideItsOwnResultIsAnotherStatement() throws {
    let db = try Database.inMemory()
    func digits(_ connection: Connection, _ depth: Int) throws -> Int {
      var sum = 0
      try connection.forEach(Int.self, "SELECT value FROM json_each('[1, 2, 3]') WHERE value <= \(depth)") { value in
        sum += value
        if depth > 1 { sum += try digits(connection, depth - 1) }
        return true
      }
      return sum
    }
    #expect(try db.read { try digits($0, 3) } == 6 + 3 * (3 + 2 * 1))
  }

  @Test func moreLiteralsThanPlacesAreAllFound() throws {
    var configuration = Configuration()
    configuration.statementCacheCapacity = 2
    let db = try Database.inMemory(configuration: configuration)
    try db.read { connection throws in
      for _ in 0..<3 {
        #expect(try connection.queryOne(Int.self, "SELECT 1 + \(1)") == 2)
        #expect(try connection.queryOne(Int.self, "SELECT 2 + \(1)") == 3)
        #expect(try connection.queryOne(Int.self, "SELECT 3 + \(1)") == 4)
        #expect(try connection.queryOne(Int.self, "SELECT 4 + \(1)") == 5)
      }
    }
  }
}
