import DimpleChangelog
import DimpleRemote
import DimpleStore
import DimpleTestSupport
import Testing

@testable import DimpleSync

/// What SQLite takes for equal, or for a string, is so on every device, whatever arrives first.
@Suite("Comparisons and conversions")
struct ComparisonCasesTests {
  /// SQLite compares a child's value as the parent's column would store it.
  @Test(arguments: [
    ("TEXT", "'7'", "INTEGER", "7"), ("INTEGER", "7", "TEXT", "'7'"),
    ("REAL", "7.0", "INTEGER", "7"), ("REAL", "7.0", "TEXT", "'7'"), ("INTEGER", "7", "TEXT", "'07'"),
    ("INTEGER", "7", "", "'7'"), ("NUMERIC", "7.5", "TEXT", "'7.5'"),
    ("TEXT", "'7.0'", "REAL", "7"),
  ])
  func aReferenceIsComparedAsTheParentsColumn(parent: String, key: String, child: String, value: String) async throws {
    for arrivesFirst in 0..<2 {
      let fleet = try Fleet(
        3,
        """
        CREATE TABLE Parent (id \(parent) PRIMARY KEY NOT NULL);
        CREATE TABLE Child (id INTEGER PRIMARY KEY, p \(child) REFERENCES Parent(id));
        """)
      try await fleet[0].execute("INSERT INTO Parent VALUES (\(raw: key))")
      try await fleet.converge()
      try await fleet[0].execute("DELETE FROM Parent")
      fleet.replicas[1].clock.advance(milliseconds: 10)
      try await fleet[1].execute("INSERT INTO Child VALUES (1, \(raw: value))")
      try await fleet.sync(fleet.replicas[arrivesFirst])
      try await fleet.converge()
      try fleet.expectAgreement()
      // NO ACTION: the delete would not have been allowed.
      #expect(try fleet.rows("SELECT count(*) FROM Child", on: 0) == [[.integer(1)]])
    }
  }

  /// Where a column does not make one number of them, the key says so, and SQLite refuses the second.
  @Test(arguments: ["", "BLOB", "REAL"]) func keysThatAreEqualNumbersAreOneKey(type: String) async throws {
    for (left, right) in [("1", "1.0"), ("0.0", "-0.0")] {
      let fleet = try Fleet(3, "CREATE TABLE Item (id \(type) PRIMARY KEY NOT NULL, a)")
      try await fleet[0].execute("INSERT INTO Item VALUES (\(raw: left), 'a')")
      fleet.replicas[1].clock.advance(milliseconds: 10)
      try await fleet[1].execute("INSERT INTO Item VALUES (\(raw: right), 'b')")
      try await fleet.converge()
      try fleet.expectAgreement()
      #expect(try fleet.rows("SELECT count(*) FROM Item") == [[.integer(1)]])
    }
  }

  @Test(arguments: [#""none""#, "''", #""""#, "active", "- 5", "`x`", "[x y]", #""it's ""so""""#])
  func namesAfterDefaultAreStrings(text: String) async throws {
    let storage = MemoryStorage()
    let first = Migration("1", "CREATE TABLE Item (id TEXT PRIMARY KEY NOT NULL, a)")
    let second = Migration("2", "ALTER TABLE Item ADD COLUMN b NOT NULL DEFAULT \(raw: text)")
    let old = try SimulatedReplica(storage: storage, migrations: [first])
    let new = try SimulatedReplica(storage: storage, migrations: [first, second])
    try await old.database.execute("INSERT INTO Item VALUES ('x', 'a')")
    try await new.database.execute("INSERT INTO Item(id, a) VALUES ('y', 'a')")
    _ = try await old.engine.sync()
    let report = try await new.engine.sync()
    #expect(report.heldRows == 0)
    let values = try await new.database.rows("SELECT b FROM Item ORDER BY id").map { $0[0] }
    #expect(values.count == 2 && values[0] == values[1])
  }

  /// A key has none; SQLite's `=` would never find the row again.
  @Test(arguments: [
    #"{"table":"Item","op":"insert","key":[null],"columns":{"a":1}}"#,
    #"{"table":"Item", "op":"insert","key":[null],"columns":{"a":1}}"#,
  ])
  func aKeyWithNullIsRefused(change: String) async throws {
    let factory = PackFactory()
    let line = #"{"number":1,"time":4096,"changes":[\#(change)]}"# + "\n"
    let signed = Array(try factory.signed(line, 1...1, salts: ["Item"]).utf8)
    let storage = MemoryStorage([try factory.key(signed, 1...1): try Gzip.compress(signed)])
    let replica = try SimulatedReplica(
      storage: storage, migrations: [Migration("1", "CREATE TABLE Item (id TEXT PRIMARY KEY, a)")])
    #expect(try await replica.engine.sync().skipped.map(\.error.code) == [.damagedObject])
    #expect(try await replica.database.queryOne(Int.self, "SELECT count(*) FROM Item") == 0)
  }

  // MARK: - References

  /// Row by row, each behind the one it refers to, or before it.
  @Test(arguments: [1, -1]) func longChainsAreMergedInAStatementOrSoForEachRow(step: Int) async throws {
    func statements(count: Int) async throws -> Int {
      let storage = MemoryStorage()
      let migrations = [
        Migration(
          "1",
          "CREATE TABLE Node (id INTEGER PRIMARY KEY, next INTEGER REFERENCES Node(id) DEFERRABLE INITIALLY DEFERRED)")
      ]
      let author = try SimulatedReplica(storage: storage, migrations: migrations)
      try await author.database.write { connection in
        for id in 1...count {
          let next = (1...count).contains(id + step) ? id + step : nil
          try connection.execute("INSERT INTO Node VALUES (\(id), \(next))")
        }
      }
      _ = try await author.engine.sync()
      let number = Counter()
      var configuration = Configuration()
      configuration.trace = { _ in _ = number.next() }
      let reader = try SimulatedReplica(storage: storage, configuration: configuration, migrations: migrations)
      let before = number.next()
      #expect(try await reader.engine.sync().changedRows == count)
      #expect(try reader.database.fingerprint() == author.database.fingerprint())
      return number.next() - before
    }
    let (few, many) = (try await statements(count: 500), try await statements(count: 2000))
    #expect(many < 6 * few)
  }

  /// Its parent's column is itself a reference that shows NULL.
  @Test func whatRefersToAReferenceThatShowsNullFallsWithIt() async throws {
    let fleet = try Fleet(
      3,
      """
      CREATE TABLE User (id TEXT PRIMARY KEY NOT NULL);
      CREATE TABLE Profile (id TEXT PRIMARY KEY NOT NULL, user TEXT UNIQUE REFERENCES User(id) ON DELETE SET NULL);
      CREATE TABLE Card (id TEXT PRIMARY KEY NOT NULL, owner TEXT REFERENCES Profile(user));
      """)
    try await fleet[0].execute("INSERT INTO User VALUES ('u')")
    try await fleet.converge()
    try await fleet[0].execute("DELETE FROM User")
    fleet.replicas[1].clock.advance(milliseconds: 10)
    try await fleet[1].write { connection in
      try connection.execute("INSERT INTO Profile VALUES ('p', 'u')")
      try connection.execute("INSERT INTO Card VALUES ('c', 'u')")
    }
    try await fleet.converge()
    try fleet.expectAgreement()
    #expect(try fleet.rows("SELECT user FROM Profile") == [[.null]])
    #expect(try fleet.rows("SELECT count(*) FROM Card") == [[.integer(0)]])
    // It comes back with what it lacks.
    try await fleet[0].execute("INSERT INTO User VALUES ('u')")
    try await fleet.converge()
    try fleet.expectAgreement()
    #expect(try fleet.rows("SELECT owner FROM Card", on: 2) == [[.text("u")]])
  }

  /// Two keys share a column: which parent falls first must decide nothing, nor in which order a process looks.
  @Test(arguments: 0..<8, [false, true]) func keysThatShareAColumnAreDecidedAlike(run: Int, fallsLater: Bool)
    async throws
  {
    let fleet = try Fleet(
      3,
      """
      CREATE TABLE Root (id TEXT PRIMARY KEY NOT NULL);
      CREATE TABLE A (t TEXT NOT NULL, a TEXT NOT NULL, root TEXT REFERENCES Root(id) ON DELETE CASCADE, PRIMARY KEY (t, a));
      CREATE TABLE B (t TEXT NOT NULL, b TEXT NOT NULL, root TEXT REFERENCES Root(id) ON DELETE CASCADE, PRIMARY KEY (t, b));
      CREATE TABLE C (id TEXT PRIMARY KEY NOT NULL, t TEXT, a TEXT, b TEXT,
        FOREIGN KEY (t, a) REFERENCES A ON DELETE SET NULL, FOREIGN KEY (t, b) REFERENCES B ON DELETE CASCADE);
      """)
    try await fleet[0].write { connection in
      try connection.execute("INSERT INTO Root VALUES ('r')")
      if !fallsLater { try connection.execute("INSERT INTO A VALUES ('t', 'a', NULL)") }
    }
    try await fleet.converge()
    try await fleet[0].write { connection in
      try connection.execute("DELETE FROM Root")
      try connection.execute("DELETE FROM A")
    }
    fleet.replicas[1].clock.advance(milliseconds: 10)
    try await fleet[1].write { connection in
      if fallsLater { try connection.execute("INSERT INTO A VALUES ('t', 'a', 'r')") }
      try connection.execute("INSERT INTO B VALUES ('t', 'b', 'r')")
      for id in 0..<10 { try connection.execute("INSERT INTO C VALUES (\("\(id)"), 't', 'a', 'b')") }
    }
    try await fleet.converge()
    try fleet.expectAgreement()
    // CASCADE: one parent of two is gone, whatever the other lets it show.
    #expect(try fleet.rows("SELECT count(*) FROM C") == [[.integer(0)]])
  }
}
