import DimpleStore
import Testing

/// Whatever is interpolated, it is a value or a name, and never more SQL.
@Suite struct InterpolationFuzzTests {
  @Test(arguments: 0..<100) func noInputChangesTheStatement(seed: UInt64) throws {
    var random = HostileText(seed: seed)
    let db = try Database.inMemory()
    try db.execute("CREATE TABLE victim (id INTEGER PRIMARY KEY, x)")
    try db.execute("INSERT INTO victim VALUES (1, 'safe')")
    for _ in 0..<20 {
      let (a, b) = (random.text(), random.text())
      let sql: SQL = "SELECT x FROM victim WHERE x = \(a) OR x IN \([a, b]) OR x = \(Optional(b))"
      #expect(sql.text == "SELECT x FROM victim WHERE x = ? OR x IN (?,?) OR x = ?")
      #expect(try db.query(String.self, sql) == [], "seed \(seed)")
      #expect(try db.querySingle((String, String).self, "SELECT \(a), \(b)") == (a, b), "seed \(seed)")
      #expect(try db.querySingle(String.self, SQL("SELECT :v", ["v": a])).utf8.elementsEqual(a.utf8), "seed \(seed)")
      let nested: SQL = "x = \(a)"
      #expect(
        try db.execute("UPDATE victim SET x = \(b) WHERE \(nested) AND \([nested, nested].joined(separator: " OR "))")
          == 0)
    }
    #expect(try db.query(String.self, "SELECT x FROM victim") == ["safe"], "seed \(seed)")
    #expect(try db.count("SELECT 1 FROM sqlite_schema") == 1, "seed \(seed)")
  }

  @Test(arguments: 0..<100) func noNameEndsItsQuotes(seed: UInt64) throws {
    var random = HostileText(seed: seed)
    let db = try Database.inMemory()
    try db.execute("CREATE TABLE victim (id INTEGER PRIMARY KEY, x)")
    for index in 0..<5 {
      let name = random.name(index)
      // SQL text ends at a NUL: a name with one cannot be said, and is refused rather than cut off.
      guard !name.utf8.contains(0) else {
        #expect(storeError { try db.execute("CREATE TABLE \(identifier: name) (y)") } != nil, "seed \(seed)")
        continue
      }
      try db.execute("CREATE TABLE \(identifier: name) (\(identifier: name) TEXT)")
      try db.execute("INSERT INTO \(identifier: name) (\(identifier: name)) VALUES (\(name))")
      let rows = try db.rows("SELECT \(identifier: name) FROM \(identifier: name) WHERE \(identifier: name) = \(name)")
      #expect(rows.map { $0[0] } == [.text(name)], "seed \(seed)")
      #expect(try db.exists("SELECT 1 FROM sqlite_schema WHERE name = \(name)"), "seed \(seed)")
      try db.execute("DROP TABLE \(identifier: name)")
    }
    #expect(try db.query(String.self, "SELECT name FROM sqlite_schema") == ["victim"], "seed \(seed)")
  }
}

/// Text made of what has broken out of strings elsewhere.
private struct HostileText {
  private var random: SeededRandom
  private static let pieces = [
    "'", "\"", "`", "]", "[", "\\", "\\'", "''", "\"\"", ";", "--", "/*", "*/", "\0", "?", "?1", ":x", "@x", "$x", "%",
    "_",
    " OR 1=1", "); DROP TABLE victim; --", "' UNION SELECT 'safe", "\n", "\u{2028}", "\u{FF07}", "\u{2019}", "é", "𝄞",
    "x",
    "\u{FEFF}", "\u{301}", "NULL", "x'41'", "CHAR(39)",
  ]

  init(seed: UInt64) { random = SeededRandom(seed: seed) }

  mutating func text() -> String {
    (0..<Int.random(in: 1...6, using: &random))
      .map { _ in Self.pieces[Int.random(in: Self.pieces.indices, using: &random)] }.joined()
  }

  /// Names are unique in any case, and those of SQLite's own are reserved.
  mutating func name(_ index: Int) -> String { "n\(index)" + text() }
}
