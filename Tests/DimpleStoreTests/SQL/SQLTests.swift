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
