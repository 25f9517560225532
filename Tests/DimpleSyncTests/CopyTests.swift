import DimpleChangelog
import DimpleRemote
import DimpleStore
import DimpleSync
import DimpleTestSupport
import Foundation
import Testing

@Suite("Copies of a database")
struct CopyTests {
  private let migrations = [Migration("1", "CREATE TABLE Item (id TEXT PRIMARY KEY NOT NULL, a)")]

  @Test func aCopiedFileTakesAnotherNameAndLosesNothing() async throws {
    let storage = MemoryStorage()
    let (path, copyPath) = (TemporaryFile.path(), TemporaryFile.path())
    defer { for file in [path, copyPath] { TemporaryFile.remove(file) } }
    let original = try SimulatedReplica(storage: storage, path: path, migrations: migrations)
    try await original.database.execute("INSERT INTO Item VALUES ('both', 1)")
    _ = try await original.engine.sync()
    try await original.database.execute("INSERT INTO Item VALUES ('not yet sent', 1)")
    try await original.database.close()
    try FileManager.default.copyItem(atPath: path, toPath: copyPath)

    let first = try SimulatedReplica(storage: storage, path: path, migrations: migrations)
    // As where the file system does not tell a copy from its original.
    let second = try SimulatedReplica(storage: storage, path: copyPath, detectsCopies: false, migrations: migrations)
    second.clock.advance(milliseconds: 50)
    let name = try #require(first.database.changelog?.replicaID)
    #expect(second.database.changelog?.replicaID == name)
    try await first.database.execute("INSERT INTO Item VALUES ('first', 1)")
    try await second.database.execute("INSERT INTO Item VALUES ('second', 1)")
    try await second.database.execute("UPDATE Item SET a = 2 WHERE id = 'both'")
    for _ in 0..<2 {
      for replica in [first, second] { #expect(try await replica.engine.sync().skipped.isEmpty) }
    }
    #expect(first.database.changelog?.replicaID == name)
    #expect(second.database.changelog?.replicaID != name)
    #expect(
      try await first.database.query(String.self, "SELECT id FROM Item ORDER BY id") == [
        "both", "first", "not yet sent", "second",
      ])
    #expect(try await first.database.queryOne(Int.self, "SELECT a FROM Item WHERE id = 'both'") == 2)
    #expect(try first.database.fingerprint() == second.database.fingerprint())
    let newcomer = try SimulatedReplica(storage: storage, migrations: migrations)
    _ = try await newcomer.engine.sync()
    #expect(try newcomer.database.fingerprint() == first.database.fingerprint())
    try await first.database.close()
    try await second.database.close()
  }

  @Test func aCopyThatIsFoundWhenItIsOpenedLosesNothingEither() async throws {
    let storage = MemoryStorage()
    let (path, copyPath) = (TemporaryFile.path(), TemporaryFile.path())
    defer { for file in [path, copyPath] { TemporaryFile.remove(file) } }
    let original = try SimulatedReplica(storage: storage, path: path, migrations: migrations)
    try await original.database.execute("INSERT INTO Item VALUES ('both', 1)")
    _ = try await original.engine.sync()
    try await original.database.execute("INSERT INTO Item VALUES ('not yet sent', 1)")
    try await original.database.close()
    try FileManager.default.copyItem(atPath: path, toPath: copyPath)

    let first = try SimulatedReplica(storage: storage, path: path, migrations: migrations)
    let second = try SimulatedReplica(storage: storage, path: copyPath, migrations: migrations)
    let names = try [first, second].map { try #require($0.database.changelog?.replicaID) }
    #expect(names[0] != names[1])
    second.clock.advance(milliseconds: 50)
    try await second.database.execute("INSERT INTO Item VALUES ('second', 1)")
    try await second.database.execute("UPDATE Item SET a = 2 WHERE id = 'both'")
    // The copy is the first to sync: what the original has not sent does not wait for it.
    var reports: [SyncReport] = []
    for replica in [second, first, second] { reports.append(try await replica.engine.sync()) }
    #expect(reports.allSatisfy { $0.skipped.isEmpty && !$0.tookNewName })
    #expect([first, second].map { $0.database.changelog?.replicaID } == names)
    #expect(try first.database.fingerprint() == second.database.fingerprint())
    let newcomer = try SimulatedReplica(storage: storage, migrations: migrations)
    _ = try await newcomer.engine.sync()
    #expect(
      try await newcomer.database.query(String.self, "SELECT id FROM Item ORDER BY id") == [
        "both", "not yet sent", "second",
      ])
    #expect(try newcomer.database.fingerprint() == first.database.fingerprint())
    try await first.database.close()
    try await second.database.close()
  }

  @Test func aPutWhoseAnswerWasLostIsRecognisedAsOnesOwn() async throws {
    let memory = MemoryStorage()
    let faulty = FaultyStorage(memory, schedule: FaultSchedule { $0.operation == .put ? .failAfter : nil })
    let replica = try SimulatedReplica(storage: faulty, migrations: migrations)
    try await replica.database.execute("INSERT INTO Item VALUES ('x', 1)")
    await #expect(throws: RemoteError.self) { _ = try await replica.engine.sync() }
    faulty.schedule = .none
    let name = replica.database.changelog?.replicaID
    let report = try await replica.engine.sync()
    #expect(report.pushedTransactions == 0)
    #expect(replica.database.changelog?.replicaID == name)
    #expect(try await memory.listAll(prefix: "log/").count == 1)
  }
}
