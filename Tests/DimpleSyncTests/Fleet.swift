import DimpleChangelog
import DimpleRemote
import DimpleStore
import DimpleSync
import DimpleTestSupport
import Testing

/// Some replicas of one schema that meet in memory.
struct Fleet {
  let storage = MemoryStorage()
  let replicas: [SimulatedReplica]

  init(_ count: Int, _ schema: String) throws {
    let storage = storage
    replicas = try (0..<count).map { _ in
      try SimulatedReplica(storage: storage, migrations: [Migration("schema", "\(raw: schema)")])
    }
  }

  subscript(index: Int) -> Database { replicas[index].database }

  /// Everyone syncs twice, so that everyone has everything.
  func converge() async throws {
    for _ in 0..<2 { for replica in replicas { _ = try await sync(replica) } }
  }

  @discardableResult
  func sync(_ replica: SimulatedReplica) async throws -> SyncReport {
    let report = try await replica.engine.sync()
    #expect(report.skipped.map(\.error.description) == [])
    return report
  }

  /// All show the same rows, hold the same rows, and break no foreign key.
  func expectAgreement(sourceLocation: SourceLocation = #_sourceLocation) throws {
    let first = try replicas[0].database.fingerprint()
    let held = Set(try replicas[0].database.heldRows())
    for replica in replicas {
      #expect(try replica.database.fingerprint() == first, sourceLocation: sourceLocation)
      #expect(Set(try replica.database.heldRows()) == held, sourceLocation: sourceLocation)
      #expect(
        try replica.database.rows("SELECT * FROM pragma_foreign_key_check").isEmpty, sourceLocation: sourceLocation)
    }
  }

  func rows(_ sql: SQL, on index: Int = 0) throws -> [[SQLValue]] {
    try replicas[index].database.rows(sql).map { row in (0..<row.count).map { row[$0] } }
  }
}
