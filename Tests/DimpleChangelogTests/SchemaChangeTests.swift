import DimpleChangelog
import DimpleStore
import DimpleTestSupport
import Testing

@Suite("Schema changes keep tracking whole")
struct SchemaChangeTests {
  @Test("A created table is tracked at once, in the same transaction")
  func createAndSeed() throws {
    let t = try TrackedDatabase()
    #expect(
      try t.logged("CREATE TABLE T(id INTEGER PRIMARY KEY, a); INSERT INTO T VALUES (1, 'seed')")
        == ["insert T[1] a='seed'"])
  }

  @Test("Rows that migrations insert are logged once, at the first opening and later ones")
  func migrations() throws {
    let file = try TemporaryFile()
    var migrations = [
      Migration("one", "CREATE TABLE T(id INTEGER PRIMARY KEY, a); INSERT INTO T VALUES (1, 'seed')")
    ]
    for (expected, next) in [
      (["insert T[1] a='seed'"], Migration("two", "ALTER TABLE T ADD COLUMN b; UPDATE T SET b = 2")),
      (["insert T[1] a='seed'", "update T[1] b=2"], Migration("three", "INSERT INTO T VALUES (2, 'y', 3)")),
      (["insert T[1] a='seed'", "update T[1] b=2", "insert T[2] a='y' b=3"], Migration("four", "")),
    ] {
      let database = try Database(file.path, configuration: Configuration().tracking(), migrations: migrations)
      #expect(try database.changelog?.changes().map(describe) == expected)
      try database.close()
      migrations.append(next)
    }
  }

  @Test("ADD COLUMN is tracked at once")
  func addColumn() throws {
    let t = try TrackedDatabase("CREATE TABLE T(id INTEGER PRIMARY KEY, a); INSERT INTO T VALUES (1, 'x')")
    #expect(try t.logged("ALTER TABLE T ADD COLUMN b DEFAULT 5") == [])
    #expect(try t.logged("UPDATE T SET b = 6") == ["update T[1] b=6"])
    #expect(try t.logged("INSERT INTO T(id) VALUES (2)") == ["insert T[2] a=NULL b=5"])
  }

  @Test("RENAME COLUMN keeps the column's id: the log follows the name")
  func renameColumn() throws {
    let t = try TrackedDatabase("CREATE TABLE T(id INTEGER PRIMARY KEY, a, b); INSERT INTO T VALUES (1, 'x', 'y')")
    try t.script("ALTER TABLE T RENAME COLUMN a TO \"new \"\"name\"")
    #expect(try t.logged("UPDATE T SET \"new \"\"name\" = 'z'") == ["update T[1] new \"name='z'"])
    #expect(try t.log().first == "insert T[1] new \"name='x' b='y'")
    try t.script("ALTER TABLE T RENAME COLUMN id TO key; ALTER TABLE T RENAME COLUMN b TO B")
    #expect(try t.logged("UPDATE T SET b = 1") == ["update T[1] B=1"])
  }

  @Test("RENAME TABLE keeps the table's id, its history and its tracking")
  func renameTable() throws {
    let t = try TrackedDatabase("CREATE TABLE T(id INTEGER PRIMARY KEY, a); INSERT INTO T VALUES (1, 'x')")
    let id = try t.id(of: "T")
    try t.script("ALTER TABLE T RENAME TO \"order\"")
    #expect(try t.logged("UPDATE \"order\" SET a = 'y'") == ["update order[1] a='y'"])
    #expect(try t.log().first == "insert order[1] a='x'")
    #expect(try t.id(of: "order") == id)
  }

  @Test("Two tables may swap their names")
  func swapNames() throws {
    let t = try TrackedDatabase(
      "CREATE TABLE A(id INTEGER PRIMARY KEY, x); CREATE TABLE B(id INTEGER PRIMARY KEY, y); INSERT INTO A VALUES (1, 1)"
    )
    let ids = try (t.id(of: "A"), t.id(of: "B"))
    try t.script("ALTER TABLE A RENAME TO M; ALTER TABLE B RENAME TO A; ALTER TABLE M RENAME TO B")
    #expect(try t.id(of: "B") == ids.0 && t.id(of: "A") == ids.1)
    #expect(try t.log() == ["insert B[1] x=1"])
    #expect(try t.logged("INSERT INTO A VALUES (2, 2)") == ["insert A[2] y=2"])
  }

  @Test("DROP COLUMN works, and the log keeps the column's last name")
  func dropColumn() throws {
    let t = try TrackedDatabase("CREATE TABLE T(id INTEGER PRIMARY KEY, a, b); INSERT INTO T VALUES (1, 'x', 'y')")
    try t.script("ALTER TABLE T DROP COLUMN a")
    #expect(try t.logged("UPDATE T SET b = 'z'") == ["update T[1] b='z'"])
    #expect(try t.log().first == "insert T[1] a='x' b='y'")
    let before = try t.column("b", of: "T")
    try t.script("ALTER TABLE T ADD COLUMN a")
    #expect(try t.logged("INSERT INTO T VALUES (2, 'p', 'q')") == ["insert T[2] b='p' a='q'"])
    #expect(try t.column("a", of: "T") == 4 && t.column("b", of: "T") == before)
  }

  @Test("DROP TABLE keeps the history; a new table of the name has an id of its own")
  func dropTable() throws {
    let t = try TrackedDatabase("CREATE TABLE T(id INTEGER PRIMARY KEY, a); INSERT INTO T VALUES (1, 'x')")
    let id = try t.id(of: "T")
    #expect(try t.logged("DROP TABLE T") == [])
    #expect(try t.log() == ["insert T[1] a='x'"])
    #expect(try t.logged("CREATE TABLE T(k TEXT PRIMARY KEY, b)") == [])
    #expect(try t.logged("INSERT INTO T VALUES ('n', 2)") == ["insert T['n'] b=2"])
    #expect(try t.id(of: "T") != id)
    #expect(try t.log() == ["insert T[1] a='x'", "insert T['n'] b=2"])
  }

  @Test("A schema change undone by a savepoint or a failure leaves tracking as it was")
  func undone() throws {
    let t = try TrackedDatabase("CREATE TABLE T(id INTEGER PRIMARY KEY, a); INSERT INTO T VALUES (1, 'x')")
    try t.database.write { connection in
      #expect(throws: Stop.self) {
        try connection.savepoint {
          try connection.script("ALTER TABLE T ADD COLUMN b; CREATE TABLE U(id INTEGER PRIMARY KEY)")
          throw Stop()
        }
      }
      try connection.execute("UPDATE T SET a = 'y'")
      try connection.script("CREATE TABLE W(id INTEGER PRIMARY KEY, w); INSERT INTO W VALUES (1, 2)")
      // Fails after its triggers were taken away.
      #expect(throws: StoreError.self) { try connection.script("ALTER TABLE T ADD COLUMN n NOT NULL") }
      #expect(throws: StoreError.self) { try connection.script("ALTER TABLE T DROP COLUMN id") }
      try connection.execute("UPDATE T SET a = 'z'")
    }
    #expect(try t.log(after: 1) == ["update T[1] a='y'", "insert W[1] w=2", "update T[1] a='z'"])
    #expect(throws: Stop.self) {
      try t.database.write { connection in
        try connection.script("ALTER TABLE T RENAME TO R; CREATE TABLE T(k PRIMARY KEY)")
        throw Stop()
      }
    }
    #expect(
      try t.logged("UPDATE T SET a = 'w'; INSERT INTO W VALUES (2, 3)") == ["update T[1] a='w'", "insert W[2] w=3"])
  }

  @Test("A table that cannot be tracked does not commit, even if its error is passed over; undone, it does no harm")
  func untrackableTable() throws {
    let t = try TrackedDatabase("CREATE TABLE T(id INTEGER PRIMARY KEY)")
    let error = #expect(throws: ChangelogError.self) {
      try t.database.write { connection in
        try? connection.script("CREATE TABLE Bad(a)")
        try connection.execute("INSERT INTO T VALUES (1)")
      }
    }
    #expect(error?.code == .missingPrimaryKey)
    #expect(try t.rows("SELECT name FROM sqlite_schema WHERE name = 'Bad'") == [] && t.log() == [])
    try t.database.write { connection in
      #expect(throws: ChangelogError.self) { try connection.savepoint { try connection.script("CREATE TABLE Bad(a)") } }
      #expect(throws: ChangelogError.self) { try connection.script("CREATE TABLE Bad2(a)") }
      try connection.script("DROP TABLE Bad2")
      try connection.execute("INSERT INTO T VALUES (2)")
    }
    #expect(try t.log() == ["insert T[2]"])
  }

  @Test("A trigger made after ours, or dropped by hand, does not disturb tracking")
  func triggers() throws {
    let t = try TrackedDatabase("CREATE TABLE T(id INTEGER PRIMARY KEY, a)")
    try t.script("CREATE TRIGGER again AFTER INSERT ON T BEGIN UPDATE T SET a = 'again' WHERE id = NEW.id; END")
    #expect(try t.logged("INSERT INTO T VALUES (1, 'x')") == ["insert T[1] a='x'", "update T[1] a='again'"])
    let ours = try t.rows("SELECT name FROM sqlite_schema WHERE type = 'trigger' AND name GLOB 'dimple_*'")
    #expect(ours.count == 3)
    for name in ours { try? t.script("DROP TRIGGER \(name.replacing("'", with: "\""))") }
    #expect(try t.logged("DELETE FROM T") == ["delete T[1]"])
  }

  @Test("A schema changed by another open database on the file is followed")
  func otherConnection() throws {
    let file = try TemporaryFile()
    let first = try TrackedDatabase("CREATE TABLE T(id INTEGER PRIMARY KEY, a)", path: file.path)
    let second = try TrackedDatabase(path: file.path)
    try second.script("INSERT INTO T VALUES (1, 'x')")
    try first.script("ALTER TABLE T ADD COLUMN b; ALTER TABLE T RENAME COLUMN a TO c; CREATE TABLE U(id PRIMARY KEY)")
    #expect(
      try second.logged("UPDATE T SET b = 1, c = 2; INSERT INTO U VALUES (1)") == [
        "update T[1] c=2 b=1", "insert U[1]",
      ])
    try second.script("ALTER TABLE U RENAME TO V")
    #expect(try first.logged("INSERT INTO V VALUES (2)") == ["insert V[2]"])
    #expect(try first.database.read { try first.changelog.trackedTables($0).map(\.name) } == ["T", "V"])
  }

  @Test("A table that takes an untracked name stops being logged; one that leaves it is adopted")
  func untrackedNames() throws {
    let t = try TrackedDatabase(
      "CREATE TABLE Cache(id INTEGER PRIMARY KEY, a); INSERT INTO Cache VALUES (1, 'x')", untracked: ["Cache"])
    #expect(try t.logged("ALTER TABLE Cache RENAME TO T") == ["insert T[1] a='x'"])
    #expect(try t.logged("INSERT INTO T VALUES (2, 'y')") == ["insert T[2] a='y'"])
    #expect(try t.logged("ALTER TABLE T RENAME TO cache; INSERT INTO Cache VALUES (3, 'z')") == [])
  }

  @Test("VACUUM leaves the log and tracking alone")
  func vacuum() throws {
    let file = try TemporaryFile()
    let t = try TrackedDatabase(
      """
      CREATE TABLE T(k TEXT PRIMARY KEY, a); CREATE TABLE U(id INTEGER PRIMARY KEY);
      CREATE TRIGGER again AFTER INSERT ON T BEGIN UPDATE T SET a = 'again' WHERE k = NEW.k; END;
      INSERT INTO T VALUES ('x', 1), ('y', 2); DELETE FROM T WHERE k = 'x'; DROP TABLE U;
      """, path: file.path)
    let before = try t.log()
    try t.database.close()
    try vacuum(file.path)
    let again = try TrackedDatabase(path: file.path)
    #expect(try again.log() == before)
    #expect(try again.logged("INSERT INTO T VALUES ('z', 3)") == ["insert T['z'] a=3", "update T['z'] a='again'"])
  }

  private func vacuum(_ path: String) throws {
    let result = try ForeignProgram.run(path, "VACUUM")
    #expect(result.status == 0, "\(result.output)")
  }

  @Test("A newer format is refused")
  func newerFormat() throws {
    let file = try TemporaryFile()
    let t = try TrackedDatabase("CREATE TABLE T(id INTEGER PRIMARY KEY)", path: file.path)
    try t.database.write { connection in
      try connection.withInternalAccess {
        try connection.script("UPDATE dimple_meta SET value = 3 WHERE name = 'format'")
      }
    }
    try t.database.close()
    let error = #expect(throws: ChangelogError.self) { try TrackedDatabase(path: file.path) }
    #expect(error?.code == .newerFormat)
  }

  @Test("A log of format 1 is gone on with, by this version's triggers, and keeps what it has")
  func olderFormat() throws {
    let file = try TemporaryFile()
    let t = try TrackedDatabase("CREATE TABLE T(id INTEGER PRIMARY KEY, a)", path: file.path)
    try t.script("INSERT INTO T VALUES (1, 'a')")
    try t.database.write { connection in
      try connection.withInternalAccess {
        try connection.script(
          """
          UPDATE dimple_meta SET value = 1 WHERE name = 'format';
          DROP TRIGGER dimple_1_insert;
          CREATE TRIGGER "dimple_1_insert" AFTER INSERT ON "T" BEGIN
            INSERT INTO dimple_log VALUES (dimple_tick(), dimple_pack_insert(x'00010102', NEW."id", NEW."a"));
          END
          """)
        let version = try connection.schemaVersion()
        try connection.script("UPDATE dimple_meta SET value = \(version) WHERE name = 'schemaVersion'")
      }
    }
    try t.database.close()
    let again = try TrackedDatabase(path: file.path, clock: t.clock)
    #expect(try again.rows("SELECT value FROM dimple_meta WHERE name = 'format'") == ["2"])
    try again.script("INSERT INTO T VALUES (2, 'b'), (3, 'c')")
    #expect(try again.log() == ["insert T[1] a='a'", "insert T[2] a='b'", "insert T[3] a='c'"])
    #expect(try again.changes().map(\.transaction) == [1, 2, 2])
  }
}

extension TrackedDatabase {
  func table(_ name: String) throws -> TrackedTable {
    try #require(try database.read { try changelog.trackedTables($0) }.first { $0.name == name })
  }

  func id(of table: String) throws -> Int64 { try self.table(table).id }

  func column(_ name: String, of table: String) throws -> Int64 {
    try #require(try self.table(table).columns.first { $0.name == name }).id
  }
}
