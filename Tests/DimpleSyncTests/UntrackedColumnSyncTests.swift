import DimpleChangelog
import DimpleRemote
import DimpleStore
import DimpleSync
import DimpleTestSupport
import Testing

@Suite("Syncing where one replica leaves a column out")
struct UntrackedColumnSyncTests {
  private let migrations = [
    Migration("1", "CREATE TABLE Photo(id TEXT PRIMARY KEY NOT NULL, title, path, slot INTEGER UNIQUE)")
  ]

  private func sync(_ replicas: SimulatedReplica...) async throws {
    for _ in 0..<2 {
      for replica in replicas {
        replica.clock.advance(milliseconds: 5)
        #expect(try await replica.engine.sync().skipped.isEmpty)
      }
    }
  }

  @Test func mergedRowsKeepTheLocalValue() async throws {
    let storage = MemoryStorage()
    let without = try SimulatedReplica(
      storage: storage, untrackedColumns: ["Photo": ["path"]], migrations: migrations)
    let with = try SimulatedReplica(storage: storage, migrations: migrations)
    try await without.database.execute("INSERT INTO Photo VALUES ('a', 'A', '/here', 1), ('b', 'B', '/here', 2)")
    try await sync(without, with)
    #expect(try await titles(with) == ["a A - 1", "b B - 2"])
    try await with.database.execute("UPDATE Photo SET title = 'AA', path = '/there' WHERE id = 'a'")
    try await with.database.execute("INSERT INTO Photo VALUES ('c', 'C', '/there', 3)")
    try await sync(without, with)
    #expect(try await titles(without) == ["a AA /here 1", "b B /here 2", "c C - 3"])
    #expect(try await titles(with) == ["a AA /there 1", "b B - 2", "c C /there 3"])
    // Rows that swap a unique value are deleted and inserted.
    try await with.database.execute("UPDATE Photo SET slot = -slot")
    try await with.database.execute("UPDATE Photo SET slot = CASE id WHEN 'a' THEN 2 WHEN 'b' THEN 1 ELSE 3 END")
    try await sync(without, with)
    #expect(try await titles(without) == ["a AA /here 2", "b B /here 1", "c C - 3"])
  }

  @Test func takenInAgainTheOthersHearOfIt() async throws {
    let storage = MemoryStorage()
    let path = TemporaryFile.path()
    defer { TemporaryFile.remove(path) }
    let with = try SimulatedReplica(storage: storage, migrations: migrations)
    let first = try SimulatedReplica(storage: storage, path: path, migrations: migrations)
    try await first.database.execute("INSERT INTO Photo VALUES ('a', 'A', '/x', 1), ('b', 'B', '/x', 2)")
    try await sync(first, with)
    try await first.database.close()
    let second = try SimulatedReplica(
      storage: storage, clock: first.clock, path: path, untrackedColumns: ["Photo": ["path"]], migrations: migrations)
    try await second.database.execute("UPDATE Photo SET path = NULL WHERE id = 'a'")
    try await sync(second, with)
    #expect(try await titles(with) == ["a A /x 1", "b B /x 2"])
    try await second.database.close()
    let third = try SimulatedReplica(storage: storage, clock: first.clock, path: path, migrations: migrations)
    try await sync(third, with)
    #expect(try await titles(with) == ["a A - 1", "b B /x 2"])
    #expect(try third.database.fingerprint() == with.database.fingerprint())
  }

  private func titles(_ replica: SimulatedReplica) async throws -> [String] {
    try await replica.database.query(
      String.self, "SELECT id || ' ' || title || ' ' || ifnull(path, '-') || ' ' || slot FROM Photo ORDER BY id")
  }
}
