import DimpleStore
import Testing

@Suite struct StatementTests {
  let db: Database

  init() throws {
    var configuration = Configuration()
    configuration.statementCacheCapacity = 2
    db = try Database.inMemory(configuration: configuration)
    try db.execute("CREATE TABLE t (x)")
  }

  @Test func theSameTextGivesTheSameStatementOnceItIsLetGo() throws {
    try db.read { connection throws in
      let first = ObjectIdentifier(try connection.prepare("SELECT ?"))
      #expect(ObjectIdentifier(try connection.prepare("SELECT ?")) == first)
    }
  }

  @Test func aStatementInUseIsNotLentTwice() throws {
    try db.read { connection throws in
      let outer = try connection.prepare("SELECT 1 UNION ALL SELECT 2")
      var pairs: [[Int64]] = []
      while try outer.step() {
        let inner = try connection.prepare("SELECT 1 UNION ALL SELECT 2")
        while try inner.step() { pairs.append([outer.int64(0), inner.int64(0)]) }
      }
      #expect(pairs == [[1, 1], [1, 2], [2, 1], [2, 2]])
    }
  }

  @Test func aCachedStatementComesWithoutTheOldValues() throws {
    try db.read { connection throws in
      do {
        let statement = try connection.prepare("SELECT ?")
        try statement.bind(.integer(5), at: 1)
        #expect(try statement.step())
      }
      let again = try connection.prepare("SELECT ?")
      #expect(try again.step())
      #expect(again.value(0) == .null)
    }
  }

  @Test func whatIsNotUsedForLongestGoesFirst() throws {
    try db.read { connection throws in
      let identity = { (sql: String) in ObjectIdentifier(try connection.prepare(sql)) }
      let kept = try connection.prepare("SELECT 1")
      _ = try identity("SELECT 2")
      _ = try identity("SELECT 3")
      #expect(try identity("SELECT 1") != ObjectIdentifier(kept))
    }
  }

  @Test func itRunsAgainAndAgain() throws {
    try db.write { connection throws in
      let insert = try connection.prepare("INSERT INTO t VALUES (?)")
      for number in 0..<5 { try insert.run(.integer(Int64(number))) }
      #expect(try connection.queryOne(Int.self, "SELECT sum(x) FROM t") == 10)
      #expect(connection.changeCount == 1)
      #expect(connection.lastInsertRowID == 5)
    }
  }

  @Test func theNumberOfValuesMustFit() throws {
    let error = storeError { _ = try db.rows(SQL(raw: "SELECT ?, ?", bindings: [.null])) }
    #expect(error?.code == .wrongArgumentCount)
    #expect(
      storeError { try db.write { try $0.script(SQL(raw: "SELECT 1", bindings: [.null])) } }?.code
        == .wrongArgumentCount)
  }

  @Test(arguments: ["", "  ", "-- nothing", ";;", "/* open"])
  func textWithoutAStatementIsRefused(text: String) {
    #expect(storeError { try db.execute(SQL(raw: text)) }?.code == .multipleStatements)
  }

  @Test func severalStatementsPointToScript() throws {
    for text in ["SELECT 1; SELECT 2", "SELECT 1; nonsense", "SELECT 1; -- a\nSELECT 2", "SELECT 1\0; DELETE FROM t"] {
      let error = storeError { try db.execute(SQL(raw: text)) }
      #expect(error?.code == .multipleStatements, "\(text)")
      #expect(error?.hint.contains("script") == true)
    }
    for text in ["SELECT 1;", " SELECT 1 ; ; \n", "SELECT 1; -- end", "SELECT 1; /* end */ -- more"] {
      #expect(try db.execute(SQL(raw: text)) == 0, "\(text)")
    }
  }

  @Test func aScriptHandsItsValuesOutInOrder() throws {
    try db.write { try $0.script("INSERT INTO t VALUES (\(1)); INSERT INTO t VALUES (\(2)), (\(3));") }
    #expect(try db.query(Int.self, "SELECT x FROM t ORDER BY x") == [1, 2, 3])
  }

  @Test func anErrorOfSyntaxSaysWhatAndWhere() {
    let error = storeError { _ = try db.rows("SELECT * FORM t") }
    #expect(error?.code == .sqlError)
    #expect(error?.operation == "prepare")
    #expect(error?.message == "near \"FORM\": syntax error (at byte 9)")
    #expect(error?.sql == "SELECT * FORM t")
  }

  @Test func valuesAreInErrorsOnlyWhereAskedFor() throws {
    let text: SQL = "INSERT INTO s VALUES (\("secret"))"
    func failing(_ configuration: Configuration) throws -> StoreError? {
      let db = try Database.inMemory(configuration: configuration)
      try db.execute("CREATE TABLE s (x CHECK (x > 'z'))")
      return storeError { try db.execute(text) }
    }
    let plain = try failing(Configuration())
    #expect(plain?.code == .checkConstraint)
    #expect(plain.map { "\($0)".contains("secret") } == false)
    var open = Configuration()
    open.exposesValuesInErrors = true
    #expect(try failing(open)?.sql == "INSERT INTO s VALUES ('secret')")
  }

  @Test func theRowsChangedAreCountedPerStatement() throws {
    #expect(try db.execute("INSERT INTO t VALUES (1), (2), (3)") == 3)
    #expect(try db.execute("CREATE TABLE other (x)") == 0)
    #expect(try db.execute("UPDATE t SET x = 0 WHERE x = 9") == 0)
    #expect(try db.execute("DELETE FROM t") == 3)
    #expect(try db.execute("SELECT 1") == 0)
  }

  @Test func constraintsHaveCodesOfTheirOwn() throws {
    try db.execute("CREATE TABLE c (id INTEGER PRIMARY KEY, n NOT NULL, t REFERENCES c (id))")
    try db.execute("INSERT INTO c VALUES (1, 1, NULL)")
    #expect(storeError { try db.execute("INSERT INTO c VALUES (1, 1, NULL)") }?.code == .uniqueConstraint)
    #expect(storeError { try db.execute("INSERT INTO c VALUES (2, NULL, NULL)") }?.code == .notNullConstraint)
    #expect(storeError { try db.execute("INSERT INTO c VALUES (2, 1, 9)") }?.code == .foreignKeyConstraint)
  }
}
