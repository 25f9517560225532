import DimpleStore
import Testing

@Suite struct NamedParametersTests {
  let db: Database

  init() throws {
    db = try Database.inMemory()
    try db.execute("CREATE TABLE Event (name TEXT, start INTEGER, stop INTEGER)")
    try db.write { connection in
      try connection.execute("INSERT INTO Event VALUES ('past', 1, 2), ('now', 3, 6), ('far', 8, 9)")
    }
  }

  @Test func aNameThatOccursTwiceIsGivenOnce() throws {
    let sql = SQL("SELECT name FROM Event WHERE start <= :day AND stop >= :day", ["day": 5])
    #expect(try db.query(String.self, sql) == ["now"])
  }

  @Test func allThreePrefixesName() throws {
    let sql = SQL("SELECT :a || @b || $c", ["a": "x", "b": "y", "c": "z"])
    #expect(try db.queryOne(String.self, sql) == "xyz")
  }

  @Test func numberedPlaceholdersTakeTheirNumbers() throws {
    #expect(try db.queryOne(String.self, SQL("SELECT ?2 || ?1 || ?2", ["b", "a"])) == "aba")
  }

  @Test func namesAndPositionsMix() throws {
    let sql: SQL =
      "SELECT name FROM Event WHERE start > \(2) AND \(SQL("stop < :limit", ["limit": 7])) AND name = \("now")"
    #expect(try db.query(String.self, sql) == ["now"])
  }

  @Test func aPlaceholderWithoutAValueIsAnErrorThatNamesIt() throws {
    let error = #expect(throws: StoreError.self) {
      try db.query(String.self, SQL("SELECT :given || :missing", ["given": "x"]))
    }
    #expect(error?.code == .wrongArgumentCount)
    #expect(error?.message.contains("'missing'") == true)
  }

  @Test func aValueWithoutAPlaceholderIsAnErrorThatNamesIt() throws {
    let error = #expect(throws: StoreError.self) {
      try db.query(String.self, SQL("SELECT :given", ["given": "x", "mispelt": 1]))
    }
    #expect(error?.message.contains("'mispelt'") == true)
    let none = #expect(throws: StoreError.self) { try db.query(Int.self, SQL("SELECT 1", ["stray": 1])) }
    #expect(none?.message.contains("'stray'") == true)
  }

  @Test func partsThatGiveOneNameTwoValuesAreRefused() throws {
    let one = SQL("SELECT :x", ["x": 1])
    let other = SQL(" + :x", ["x": 2])
    let error = #expect(throws: StoreError.self) { try db.query(Int.self, one + other) }
    #expect(error?.code == .wrongArgumentCount)
    #expect(try db.query(Int.self, one + SQL(" + :x", ["x": 1])) == [2])
  }

  @Test func aScriptDealsNamesToTheStatementsThatUseThem() throws {
    try db.write { connection in
      try connection.script(
        SQL(
          "INSERT INTO Event VALUES (:name, 0, :stop); UPDATE Event SET start = -1 WHERE name = :name;",
          ["name": "new", "stop": 4]))
    }
    #expect(try db.queryOne((Int, Int).self, "SELECT start, stop FROM Event WHERE name = 'new'")! == (-1, 4))
    #expect(throws: StoreError.self) {
      try db.write { try $0.script(SQL("DELETE FROM Event WHERE name = :name", ["name": "new", "stray": 1])) }
    }
    #expect(throws: StoreError.self) {
      try db.write { try $0.script(SQL("DELETE FROM Event WHERE name = :name", ["other": "new"])) }
    }
    #expect(try db.exists("SELECT 1 FROM Event WHERE name = 'new'"))
  }

  @Test func aScriptMixesValuesOfBothKinds() throws {
    try db.write { connection in
      try connection.script(
        "DELETE FROM Event; INSERT INTO Event VALUES (\("a"), \(1), \(2)); INSERT INTO Event VALUES (\("b"), \(3), \(4));"
      )
    }
    #expect(try db.query(String.self, "SELECT name FROM Event ORDER BY stop") == ["a", "b"])
  }

  @Test func aPreparedStatementTakesNames() throws {
    try db.write { connection in
      let insert = try connection.prepared("INSERT INTO Event VALUES (:name, :start, :start + 1)")
      for start in 20..<23 { #expect(try insert.execute(named: ["name": "e\(start)", "start": start]) == 1) }
      let find = try connection.prepared("SELECT stop FROM Event WHERE name = :name")
      #expect(try find.query(Int.self, named: ["name": "e21"]) == [22])
      #expect(throws: StoreError.self) { try find.query(Int.self, named: ["nom": "e21"]) }
      #expect(try find.query(Int.self, named: ["name": "e22"]) == [23])
    }
  }
}
