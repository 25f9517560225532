import DimpleStore
import Testing

@Suite struct MigrationTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private let first = Migration("first", "CREATE TABLE a (x); INSERT INTO a VALUES (\(1)); INSERT INTO a VALUES (\(2))")
  private let second = Migration("second") { try $0.execute("ALTER TABLE a ADD COLUMN y DEFAULT 7") }

  private func open(_ migrations: [Migration]) throws -> Database {
    try Database(folder.path(), migrations: migrations)
  }

  @Test func eachIsAppliedOnceAndInOrder() throws {
    _ = try open([first])
    let db = try open([first, second])
    #expect(
      try db.rows("SELECT x, y FROM a ORDER BY x").map { [$0[0], $0[1]] } == [
        [.integer(1), .integer(7)], [.integer(2), .integer(7)],
      ])
    _ = try open([first, second])
    #expect(try db.query(String.self, "SELECT name FROM dimple_migration ORDER BY position") == ["first", "second"])
  }

  @Test func aFailingOneIsRolledBackAsAWholeAndNamed() throws {
    let broken = Migration("broken", "CREATE TABLE b (x); INSERT INTO nowhere VALUES (1)")
    let error = storeError { _ = try open([first, broken]) }
    #expect(error?.code == .sqlError)
    #expect(error?.operation.hasPrefix("migrate \"broken\"") == true)
    let db = try open([first])
    #expect(try db.query(String.self, "SELECT name FROM sqlite_schema WHERE name IN ('a', 'b')") == ["a"])
  }

  @Test func anEditedOneIsRefused() throws {
    _ = try open([first])
    let error = storeError { _ = try open([Migration("first", "CREATE TABLE a (x INTEGER)")]) }
    #expect(error?.code == .migrationHistoryChanged)
    #expect(error?.message.contains("'first'") == true)
    #expect(error?.hint.isEmpty == false)
  }

  @Test func anInsertedOrReorderedOneIsRefused() throws {
    _ = try open([first, second])
    let inserted = Migration("between") { _ in }
    #expect(storeError { _ = try open([first, inserted, second]) }?.code == .migrationHistoryChanged)
    #expect(storeError { _ = try open([second, first]) }?.code == .migrationHistoryChanged)
  }

  @Test func aDatabaseOfANewerProgramIsRefused() throws {
    _ = try open([first, second])
    let error = storeError { _ = try open([first]) }
    #expect(error?.code == .newerDatabase)
    #expect(error?.message.contains("'second'") == true)
  }

  @Test func aProgramWithoutMigrationsOpensAnyDatabase() throws {
    _ = try open([first, second])
    #expect(try open([]).query(Int.self, "SELECT count(*) FROM a") == [2])
  }

  @Test func twoOfOneNameAreRefused() {
    #expect(storeError { _ = try open([first, first]) }?.code == .migrationHistoryChanged)
  }

  @Test func severalThatOpenAtOnceMigrateOnce() async throws {
    let path = folder.path()
    let migrations = [first, second]
    try await withThrowingTaskGroup(of: Int?.self) { group in
      for _ in 0..<6 {
        group.addTask {
          let db = try Database(path, migrations: migrations)
          return try await db.queryOne(Int.self, "SELECT count(*) FROM a")
        }
      }
      for try await count in group { #expect(count == 2) }
    }
  }
}
