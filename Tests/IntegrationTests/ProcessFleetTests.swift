import DimpleDb
import DimpleTestSupport
import Foundation
import Synchronization
import Testing

/// Real processes, a real S3 server, encryption, a bad network, and `kill -9`.
///
/// `DIMPLE_PROCESS_ROUNDS` says how many fleets (2), `DIMPLE_PROCESS_SEED` where their seeds begin (1).
@Suite("Fleets of real processes", .serialized)
struct ProcessFleetTests {
  private static let phrase = "correct horse battery staple"

  private static func setting(_ name: String, default value: UInt64) -> UInt64 {
    ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) } ?? value
  }

  /// How a sync of a process ended.
  private enum End: String { case done, failed, killed }

  private struct Fleet {
    var paths: [String]
    var databases: [Database]
    var environment: [String: String]
    var arguments: [String]
  }

  @Test(.enabled(if: Environment.expectsS3, "needs the S3 server of scripts/test"))
  func theyEndTheSameThroughABadNetworkAlthoughSomeAreKilled() async throws {
    let first = Self.setting("DIMPLE_PROCESS_SEED", default: 1)
    var ends: [End: Int] = [:]
    var faults: [String: Int] = [:]
    for seed in first..<first + Self.setting("DIMPLE_PROCESS_ROUNDS", default: 2) {
      let (server, bucket) = try await Environment.makeBucket()
      let proxy = try await FaultyProxy(before: server.endpoint, seed: seed, oneIn: 6)
      try await run(seed: seed, server, bucket, proxy, &ends)
      faults.merge(proxy.faults, uniquingKeysWith: +)
      try proxy.stop()
    }
    print(
      "Syncs of processes: \(ends.map { "\($0.value) \($0.key)" }.sorted()), faults: \(faults.sorted { $0.key < $1.key })"
    )
    #expect(ends[.killed, default: 0] > 0 && ends[.done, default: 0] > 0, "nobody was killed, or everybody")
    #expect(faults.count >= 4, "the network was too good")
  }

  private func run(
    seed: UInt64, _ server: Environment.Server, _ bucket: String, _ proxy: FaultyProxy, _ ends: inout [End: Int]
  ) async throws {
    let folder = try TemporaryFolder()
    let fleet = try fleet(in: folder, server, bucket, proxy)
    var random = SeededRandom(seed: seed)
    for _ in 0..<14 {
      let index = random.below(fleet.databases.count)
      for _ in 0..<1 + random.below(4) { try write(fleet.databases[index], &random) }
      // The process syncs the file while the app has it open.
      let killedAt = random.oneIn(2) ? 1 + random.below(9) : nil
      ends[try sync(fleet, index, proxy, killedAt: killedAt), default: 0] += 1
    }
    try await converge(fleet, server, bucket, seed)
  }

  private func fleet(
    in folder: TemporaryFolder, _ server: Environment.Server, _ bucket: String, _ proxy: FaultyProxy
  ) throws -> Fleet {
    let paths = (0..<3).map { folder.file("\($0).db") }
    let databases = try paths.map { path in
      try Database.open(
        path, migrations: [Migration("shop", "\(raw: Self.schema)")])
    }
    return Fleet(
      paths: paths, databases: databases,
      environment: [
        "DIMPLE_PASSPHRASE": Self.phrase, "AWS_ACCESS_KEY_ID": server.accessKey,
        "AWS_SECRET_ACCESS_KEY": server.secretKey,
      ],
      arguments: ["s3://\(bucket)/vault", "--endpoint", proxy.endpoint, "--region", server.region])
  }

  private static let schema = """
    CREATE TABLE Artist (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
    CREATE TABLE Album (id INTEGER PRIMARY KEY, title TEXT NOT NULL, artist INTEGER NOT NULL REFERENCES Artist(id));
    CREATE TABLE Track (album INTEGER NOT NULL REFERENCES Album(id) ON DELETE CASCADE, number INTEGER NOT NULL, name TEXT,
      PRIMARY KEY (album, number)) WITHOUT ROWID;
    """

  private func write(_ database: Database, _ random: inout SeededRandom) throws {
    let (id, other, text) = (1 + random.below(6), 1 + random.below(6), "text \(random.below(20))")
    let statement: SQL =
      switch random.below(8) {
      case 0, 1: "INSERT INTO Artist VALUES (\(id), \(text))"
      case 2: "UPDATE Artist SET name = \(text) WHERE id = \(id)"
      case 3: "DELETE FROM Artist WHERE id = \(id)"
      case 4: "INSERT INTO Album VALUES (\(id), \(text), \(other))"
      case 5: "UPDATE Album SET title = \(text) WHERE id = \(id)"
      case 6: "INSERT INTO Track VALUES (\(id), \(random.below(3)), \(text))"
      default: "DELETE FROM Album WHERE id = \(id)"
      }
    do { try database.execute(statement) } catch let error as StoreError where error.code.isConstraint {}
  }

  /// Runs `dimple sync`, and kills it as soon as it has made so many requests.
  private func sync(_ fleet: Fleet, _ index: Int, _ proxy: FaultyProxy, killedAt: Int?) throws -> End {
    let process = try Tool.launch(["sync", fleet.paths[index]] + fleet.arguments, environment: fleet.environment)
    if let killedAt {
      let left = Mutex(killedAt)
      let pid = process.processIdentifier
      proxy.onRequest {
        let now = left.withLock { left in
          left -= 1
          return left
        }
        if now == 0 { kill(pid, SIGKILL) }
      }
    }
    process.waitUntilExit()
    proxy.onRequest(nil)
    if process.terminationReason == .uncaughtSignal {
      #expect(process.terminationStatus == SIGKILL, "a process crashed")
      return .killed
    }
    return process.terminationStatus == 0 ? .done : .failed
  }

  /// The network is good again, and everyone syncs twice.
  private func converge(
    _ fleet: Fleet, _ server: Environment.Server, _ bucket: String, _ seed: UInt64
  ) async throws {
    let remote = Remote.s3(
      endpoint: server.endpoint, bucket: bucket, prefix: "vault", region: server.region, accessKey: server.accessKey,
      secretKey: server.secretKey)
    let newcomer = try Database.openInMemory(migrations: [Migration("shop", "\(raw: Self.schema)")])
    let engines = (fleet.databases + [newcomer]).map {
      SyncEngine($0, remote: remote, encryption: .passphrase(Self.phrase))
    }
    for _ in 0..<2 {
      for engine in engines { #expect(try await engine.sync().skipped.isEmpty, "seed \(seed)") }
    }
    let expected = try newcomer.fingerprint()
    for database in fleet.databases {
      #expect(try database.fingerprint() == expected, "seed \(seed)")
      #expect(try Set(database.heldRows()) == Set(newcomer.heldRows()), "seed \(seed)")
      #expect(try await database.rows("SELECT * FROM pragma_foreign_key_check").isEmpty, "seed \(seed)")
      #expect(try await database.rows("PRAGMA integrity_check")[0][0] == .text("ok"), "seed \(seed)")
    }
    try expectNothingLost(fleet.databases, newcomer, seed)
    for engine in engines { #expect(try await engine.sync().isEmpty, "seed \(seed)") }
    for database in fleet.databases { try await database.close() }
  }

  private struct RowID: Hashable {
    var table: String
    var key: [SQLValue]
  }

  /// A row lives if its last insert, wherever it was made, is later than its last delete; then it is shown or held. And an
  /// artist's name is the one written last.
  private func expectNothingLost(_ databases: [Database], _ newcomer: Database, _ seed: UInt64) throws {
    let changes = try databases.flatMap { try $0.changelog?.changes() ?? [] }.sorted { $0.stamp < $1.stamp }
    var alive: Set<RowID> = []
    var names: [RowID: SQLValue] = [:]
    for change in changes {
      let id = RowID(table: change.table, key: change.key)
      switch change.operation {
      case .insert: alive.insert(id)
      case .delete: alive.remove(id)
      case .update: break
      }
      // A later insert brings its own name; what was written to a dead row comes to nothing.
      if let name = change.columns.first(where: { $0.name == "name" }), change.operation != .delete {
        names[id] = name.value
      }
    }
    var shown: Set<RowID> = []
    for (table, columns) in [("Artist", "id"), ("Album", "id"), ("Track", "album, number")] {
      for row in try newcomer.rows("SELECT \(raw: columns) FROM \(raw: table)") {
        shown.insert(RowID(table: table, key: (0..<row.count).map { row[$0] }))
      }
    }
    let held = try Set(newcomer.heldRows().map { RowID(table: $0.table, key: $0.key) })
    for id in alive { #expect(shown.contains(id) != held.contains(id), "seed \(seed): \(id)") }
    for row in try newcomer.rows("SELECT id, name FROM Artist") {
      let id = RowID(table: "Artist", key: [row[0]])
      if alive.contains(id) { #expect(row[1] == names[id], "seed \(seed): \(id)") }
    }
    #expect(!changes.isEmpty)
  }
}
