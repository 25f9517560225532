import DimpleChangelog
import DimpleStore
import DimpleTestSupport
import Testing

@Suite("Adopting rows that were there before tracking")
struct AdoptionTests {
  private func plain(_ path: String, _ sql: String) throws {
    let database = try Database(path)
    try database.write { try $0.script("\(raw: sql)") }
    try database.close()
  }

  private static func rows(_ count: Int) -> String {
    "WITH n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < \(count)) INSERT INTO T SELECT i, 'row ' || i FROM n;"
  }

  @Test("Every row becomes an insert once, in batches")
  func adoptsOnce() throws {
    let file = try TemporaryFile()
    try plain(file.path, "CREATE TABLE T(id INTEGER PRIMARY KEY, a);" + Self.rows(5000))
    try plain(
      file.path,
      """
      CREATE TABLE W(k1 TEXT COLLATE NOCASE, k2, a, PRIMARY KEY (k1, k2 DESC)) WITHOUT ROWID;
      INSERT INTO W VALUES ('a', 1, 1.5), ('A', 2, x'00'), ('b', 1, NULL);
      """)
    let t = try TrackedDatabase(path: file.path)
    let changes = try t.changes()
    #expect(changes.allSatisfy { $0.operation == .insert })
    #expect(Set(changes.filter { $0.table == "T" }.map(\.key)).count == 5000)
    #expect(
      try Set(t.log().filter { $0.contains("W[") })
        == ["insert W['a',1] a=1.5", "insert W['A',2] a=x[0]", "insert W['b',1] a=NULL"])
    #expect(Set(changes.map(\.transaction)) == [1, 2, 3, 4])
    #expect(try t.logged("UPDATE T SET a = 'new' WHERE id = 5000") == ["update T[5000] a='new'"])
    try t.database.close()
    let again = try TrackedDatabase(path: file.path)
    #expect(try again.changes().count == 5004)
  }

  @Test("Migrations of an app that begins to track see the old tables, and no row is logged twice")
  func adoptsAfterMigrations() throws {
    let file = try TemporaryFile()
    try plain(file.path, "CREATE TABLE T(id INTEGER PRIMARY KEY, a);" + Self.rows(3))
    let migration = Migration(
      "m",
      "UPDATE T SET a = 'migrated' WHERE id = 1; DELETE FROM T WHERE id = 2; CREATE TABLE U(id PRIMARY KEY); INSERT INTO U VALUES (9)"
    )
    let database = try Database(file.path, configuration: Configuration().tracking(), migrations: [migration])
    #expect(
      try database.changelog?.changes().map(describe) == [
        "insert U[9]", "insert T[1] a='migrated'", "insert T[3] a='row 3'",
      ])
  }

  @Test("A migration may rebuild a table that was never tracked")
  func rebuildBeforeTracking() throws {
    let file = try TemporaryFile()
    try plain(file.path, "CREATE TABLE T(id, a); INSERT INTO T VALUES (1, 'x')")
    let migration = Migration(
      "key",
      "CREATE TABLE N(id INTEGER PRIMARY KEY, a); INSERT INTO N SELECT * FROM T; DROP TABLE T; ALTER TABLE N RENAME TO T"
    )
    let database = try Database(file.path, configuration: Configuration().tracking(), migrations: [migration])
    #expect(try database.changelog?.changes().map(describe) == ["insert T[1] a='x'"])
  }

  @Test("A table without a primary key stops the opening with the remedy, and untracked opens it")
  func missingPrimaryKey() throws {
    let file = try TemporaryFile()
    try plain(file.path, "CREATE TABLE T(a); INSERT INTO T VALUES (1)")
    let error = #expect(throws: ChangelogError.self) { try TrackedDatabase(path: file.path) }
    #expect(error?.code == .missingPrimaryKey && error?.operation.contains("“T”") == true)
    let t = try TrackedDatabase(path: file.path, untracked: ["t"])
    #expect(try t.logged("INSERT INTO T VALUES (2)") == [])
  }

  @Test("A NULL key stops adoption with the remedy, and it goes on when that is mended")
  func nullKey() throws {
    let file = try TemporaryFile()
    try plain(file.path, "CREATE TABLE T(id TEXT PRIMARY KEY, a); INSERT INTO T VALUES ('x', 1), (NULL, 2)")
    let error = #expect(throws: ChangelogError.self) { try TrackedDatabase(path: file.path) }
    #expect(error?.code == .nullKey && error?.operation.contains("“T”") == true)
    #expect(error?.hint.contains("NOT NULL") == true)
    let t = try TrackedDatabase(path: file.path, untracked: ["T"])
    try t.script("UPDATE T SET id = 'y' WHERE id IS NULL")
    try t.database.close()
    let again = try TrackedDatabase(path: file.path)
    #expect(try again.log() == ["insert T['x'] a=1", "insert T['y'] a=2"])
  }

  @Test("Adoption that was cut off goes on after its last batch")
  func resumes() throws {
    let file = try TemporaryFile()
    try plain(file.path, "CREATE TABLE T(id INTEGER PRIMARY KEY, a);" + Self.rows(5000))
    try TrackedDatabase(path: file.path).database.close()
    let first = try TrackedDatabase(path: file.path)
    // Back to before the first batch.
    let other = try TrackedDatabase(path: file.path)
    try other.database.write { connection in
      try connection.withInternalAccess {
        try connection.script("UPDATE dimple_table SET state = 2; DELETE FROM dimple_log")
      }
    }
    try other.database.close()
    var seen: [AdoptionProgress] = []
    #expect(throws: Stop.self) {
      try first.changelog.adopt { progress in
        seen.append(progress)
        throw Stop()
      }
    }
    #expect(seen.map(\.rows) == [2000] && seen.map(\.table) == ["T"])
    #expect(try first.changes().map(\.key) == (1...2000).map { [.integer($0)] })
    try first.database.close()
    let second = try TrackedDatabase(path: file.path)
    #expect(try second.changes().map(\.key) == (1...5000).map { [.integer($0)] })
    #expect(try Set(second.changes().map(\.transaction)) == [1, 2, 3])
    seen = []
    try second.changelog.adopt { seen.append($0) }
    #expect(seen == [])
  }

  @Test("Opening says after each batch how far it is")
  func progress() async throws {
    let file = try TemporaryFile()
    try plain(file.path, "CREATE TABLE T(id INTEGER PRIMARY KEY, a);" + Self.rows(4500))
    let (stream, continuation) = AsyncStream.makeStream(of: AdoptionProgress.self)
    let t = try TrackedDatabase(path: file.path, adoptionDidProgress: { continuation.yield($0) })
    #expect(try t.changes().count == 4500)
    continuation.finish()
    var iterator = stream.makeAsyncIterator()
    for rows in [2000, 4000, 4500] { #expect(await iterator.next()?.rows == rows) }
    #expect(await iterator.next() == nil)
  }

  @Test("A table that was untracked for a while is adopted when it is tracked again")
  func untrackedForAWhile() throws {
    let file = try TemporaryFile()
    let first = try TrackedDatabase("CREATE TABLE T(id INTEGER PRIMARY KEY); INSERT INTO T VALUES (1)", path: file.path)
    let id = try first.id(of: "T")
    try first.database.close()
    let second = try TrackedDatabase(path: file.path, untracked: ["T"])
    #expect(try second.logged("INSERT INTO T VALUES (2)") == [])
    try second.database.close()
    let third = try TrackedDatabase(path: file.path)
    #expect(try third.log() == ["insert T[1]", "insert T[1]", "insert T[2]"])
    #expect(try third.id(of: "T") == id)
  }
}
