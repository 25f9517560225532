import DimpleChangelog
import DimpleStore
import DimpleTestSupport
import Testing

@Suite("Columns that stay on this device")
struct UntrackedColumnTests {
  private static let table = "CREATE TABLE Photo(id INTEGER PRIMARY KEY, title, path DEFAULT 'none')"
  private static let columns: [String: Set<String>] = ["photo": ["PATH"]]

  private func open(
    _ file: TemporaryFile, _ schema: String = "", _ columns: [String: Set<String>] = Self.columns
  ) throws -> TrackedDatabase {
    try TrackedDatabase(schema, path: file.path, untrackedColumns: columns)
  }

  @Test func areNotLoggedAndChangingOnlyThemLogsNothing() throws {
    let t = try TrackedDatabase(Self.table, untrackedColumns: Self.columns)
    #expect(try t.logged("INSERT INTO Photo VALUES (1, 'a', '/x')") == ["insert Photo[1] title='a'"])
    #expect(try t.logged("UPDATE Photo SET path = '/y'") == [])
    #expect(try t.logged("UPDATE Photo SET path = '/z', title = 'b'") == ["update Photo[1] title='b'"])
    #expect(try t.logged("UPDATE Photo SET id = 2") == ["delete Photo[1]", "insert Photo[2] title='b'"])
    #expect(try t.rows("SELECT path FROM Photo") == ["'/z'"])
  }

  @Test func areLeftOutOfAdoption() throws {
    let file = try TemporaryFile()
    let plain = try Database(file.path)
    try plain.write { try $0.script("\(raw: Self.table); INSERT INTO Photo VALUES (1, 'a', '/x')") }
    try plain.close()
    #expect(try open(file).log() == ["insert Photo[1] title='a'"])
  }

  @Test func aColumnOfTheKeyOrOneThatMustBeWrittenIsRefused() throws {
    for (table, column) in [
      ("CREATE TABLE T(id INTEGER PRIMARY KEY, a)", "ID"), ("CREATE TABLE T(id PRIMARY KEY, a NOT NULL)", "a"),
    ] {
      let file = try TemporaryFile()
      let error = #expect(throws: ChangelogError.self) { try open(file, table, ["T": [column]]) }
      #expect(error?.code == .untrackableColumn)
      let plain = try Database(file.path)
      try plain.write { try $0.script("\(raw: table)") }
      try plain.close()
      let second = #expect(throws: ChangelogError.self) { try open(file, "", ["T": [column]]) }
      #expect(second?.code == .untrackableColumn && second?.hint.isEmpty == false)
    }
    let t = try TrackedDatabase("CREATE TABLE T(id INTEGER PRIMARY KEY, a)", untrackedColumns: ["T": ["local"]])
    let error = #expect(throws: ChangelogError.self) { try t.script("ALTER TABLE T RENAME COLUMN id TO local") }
    #expect(error?.code == .untrackableColumn)
    #expect(try t.logged("INSERT INTO T VALUES (1, 2)") == ["insert T[1] a=2"])
  }

  @Test func leavingOneOutIsFollowedAtTheNextOpening() throws {
    let file = try TemporaryFile()
    let first = try open(file, Self.table + "; INSERT INTO Photo VALUES (1, 'a', '/x')", [:])
    #expect(try first.log() == ["insert Photo[1] title='a' path='/x'"])
    try first.database.close()
    let second = try open(file)
    #expect(
      try second.logged("UPDATE Photo SET path = '/y'; INSERT INTO Photo VALUES (2, 'b', '/z')") == [
        "insert Photo[2] title='b'"
      ])
    #expect(try second.log().first == "insert Photo[1] title='a' path='/x'")
  }

  @Test func takingOneInAgainLogsAllItsValuesOnce() throws {
    let file = try TemporaryFile()
    let first = try open(file, Self.table + "; INSERT INTO Photo VALUES (1, 'a', '/x'), (2, 'b', '/y')", [:])
    try first.database.close()
    let second = try open(file)
    // Back at its default: the others still have '/x'.
    try second.script("UPDATE Photo SET path = 'none' WHERE id = 1")
    let before = try second.lastTransaction
    try second.database.close()
    for _ in 0..<2 {
      let third = try open(file, "", [:])
      #expect(try third.log(after: before) == ["update Photo[1] path='none'", "update Photo[2] path='/y'"])
      try third.database.close()
    }
    #expect(try open(file, "", [:]).logged("UPDATE Photo SET path = 0 WHERE id = 1") == ["update Photo[1] path=0"])
  }

  @Test func takingOneInForTheFirstTimeLogsWhatIsNotItsDefault() throws {
    let file = try TemporaryFile()
    let first = try open(file, Self.table + "; INSERT INTO Photo VALUES (1, 'a', '/x'), (2, 'b', 'none')")
    let before = try first.lastTransaction
    try first.database.close()
    #expect(try open(file, "", [:]).log(after: before) == ["update Photo[1] path='/x'"])
  }

  @Test func renamingFollowsTheNames() throws {
    let t = try TrackedDatabase(
      Self.table + "; INSERT INTO Photo VALUES (1, 'a', '/x')", untrackedColumns: Self.columns)
    #expect(try t.logged("ALTER TABLE Photo RENAME COLUMN path TO place") == ["update Photo[1] place='/x'"])
    #expect(try t.logged("UPDATE Photo SET place = '/y'") == ["update Photo[1] place='/y'"])
    #expect(try t.logged("ALTER TABLE Photo RENAME COLUMN place TO path; UPDATE Photo SET path = '/z'") == [])
    #expect(try t.logged("ALTER TABLE Photo RENAME TO Picture") == ["update Picture[1] path='/z'"])
    #expect(try t.logged("ALTER TABLE Picture RENAME TO Photo; UPDATE Photo SET path = '/x'") == [])
  }

  @Test func droppingAddingAndRebuilding() throws {
    let t = try TrackedDatabase(
      Self.table + "; INSERT INTO Photo VALUES (1, 'a', '/x')", untrackedColumns: Self.columns)
    #expect(
      try t.logged("ALTER TABLE Photo DROP COLUMN path; UPDATE Photo SET title = 'b'") == ["update Photo[1] title='b'"])
    #expect(try t.logged("ALTER TABLE Photo ADD COLUMN path; UPDATE Photo SET path = '/y'") == [])
    #expect(
      try t.logged(
        """
        CREATE TABLE New(id INTEGER PRIMARY KEY, title TEXT, path TEXT); INSERT INTO New SELECT * FROM Photo;
        DROP TABLE Photo; ALTER TABLE New RENAME TO Photo; UPDATE Photo SET path = '/z';
        """) == [])
    #expect(try t.logged("UPDATE Photo SET title = 'c'") == ["update Photo[1] title='c'"])
    #expect(try t.rows("SELECT * FROM Photo") == ["1 'c' '/z'"])
  }
}
