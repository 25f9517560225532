import DimpleChangelog
import DimpleRemote
import DimpleStore
import DimpleSync
import DimpleTestSupport
import Foundation
import Testing

/// Database files that are removed at the end.
final class CopiedFiles: @unchecked Sendable {  // used by one test
  private var paths: [String] = []

  func new() -> String {
    paths.append(TemporaryFile.path())
    return paths[paths.count - 1]
  }

  deinit { for path in paths { TemporaryFile.remove(path) } }
}

/// Replicas of one table, and copies of their files.
protocol CopiedItems {
  var files: CopiedFiles { get }
}

extension CopiedItems {
  /// - Parameter detectsCopies: Else it is as where the file system does not tell a copy from its original.
  func replica(
    _ storage: any ObjectStorage, path: String? = nil, later: Int64 = 0, detectsCopies: Bool = false
  ) throws -> SimulatedReplica {
    try SimulatedReplica(
      storage: storage, clock: ManualClock(milliseconds: 1_800_000_000_000 + later), path: path,
      detectsCopies: detectsCopies, migrations: [Migration("1", "CREATE TABLE Item (id TEXT PRIMARY KEY NOT NULL, a)")])
  }

  func engine(
    _ replica: SimulatedReplica, _ storage: any ObjectStorage, _ vault: String = "transparent"
  ) -> SyncEngine {
    SyncEngine(replica.database, storage: storage, vault: TransparentVault(id: vault))
  }

  func insert(_ ids: String..., in replica: SimulatedReplica) async throws {
    for id in ids { try await replica.database.execute("INSERT INTO Item VALUES (\(id), 1)") }
  }

  func ids(_ replica: SimulatedReplica) async throws -> [String] {
    try await replica.database.query(String.self, "SELECT id FROM Item ORDER BY id")
  }

  func name(_ replica: SimulatedReplica) throws -> ReplicaID {
    try #require(replica.database.changelog?.replicaID)
  }

  /// One that has written `a` and sent it.
  func synced(
    _ storage: any ObjectStorage, path: String, detectsCopies: Bool = false
  ) async throws -> SimulatedReplica {
    let original = try replica(storage, path: path, detectsCopies: detectsCopies)
    try await insert("a", in: original)
    _ = try await original.engine.sync()
    return original
  }

  /// Closes the original; its file and a copy of it are opened.
  func copy(
    _ original: SimulatedReplica, _ path: String, storage: any ObjectStorage
  ) async throws -> (SimulatedReplica, SimulatedReplica) {
    let copies = try await copies(2, of: original, path, storage: storage)
    return (copies[0], copies[1])
  }

  /// Closes the original; its file and copies of it are opened, `count` in all.
  func copies(
    _ count: Int, of original: SimulatedReplica, _ path: String, storage: any ObjectStorage
  ) async throws -> [SimulatedReplica] {
    try await original.database.close()
    let paths = [path] + (1..<count).map { _ in files.new() }
    for copy in paths.dropFirst() { try FileManager.default.copyItem(atPath: path, toPath: copy) }
    return try paths.enumerated().map { try replica(storage, path: $1, later: Int64($0) * 50) }
  }

  /// Equal tables, and equal authors of every row and column.
  func expectAgreement(_ replicas: SimulatedReplica..., sourceLocation: SourceLocation = #_sourceLocation)
    throws
  {
    let first = try replicas[0].database.fingerprint()
    for replica in replicas {
      #expect(try replica.database.fingerprint() == first, sourceLocation: sourceLocation)
      #expect(try authors(replica) == authors(replicas[0]), sourceLocation: sourceLocation)
    }
  }

  func authors(_ replica: SimulatedReplica) throws -> [String] {
    try replica.database.rows("SELECT id FROM Item ORDER BY id").map { row in
      let authors = try #require(try replica.database.authors(of: [row[0]], in: "Item"))
      return
        "\(row[0]) \(authors.inserted?.stamp.uuid.description ?? "") \(authors.columns["a"]?.stamp.uuid.description ?? "")"
    }
  }
}
