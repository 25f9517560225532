import DimpleDb
import Foundation
import Testing

@Suite("What goes wrong is named, and nothing is lost")
struct FailureTests {
  private static let migrations = [
    Migration("create Note", "CREATE TABLE Note (id INTEGER PRIMARY KEY, text TEXT NOT NULL)")
  ]

  private func database(_ text: String) throws -> Database {
    let database = try Database.openInMemory(migrations: Self.migrations)
    try database.execute("INSERT INTO Note (text) VALUES (\(text))")
    return database
  }

  /// The error that a sync ends with; the database must be whole, and sync once the cause is gone.
  private func failure<E: Error>(
    _ remote: Remote, _ encryption: Encryption, as type: E.Type
  ) async throws -> E? {
    let database = try database("mine")
    let before = try database.fingerprint()
    let error = await #expect(throws: type) {
      _ = try await SyncEngine(database, remote: remote, encryption: encryption).sync()
    }
    #expect(try database.fingerprint() == before)
    #expect(try await database.rows("PRAGMA integrity_check")[0][0] == .text("ok"))
    let other = try await SyncEngine(database, remote: .memory, encryption: .none).sync()
    #expect(other.pushedTransactions == 1)
    return error
  }

  @Test func aWrongPassphraseWritesNothing() async throws {
    let remote = Remote.memory
    let first = try database("first")
    _ = try await SyncEngine(first, remote: remote, encryption: .passphrase("right")).sync()
    let before = try await remote.storage().listAll(prefix: "")
    let error = try await failure(remote, .passphrase("wrong"), as: RemoteError.self)
    #expect(error?.code == .wrongPassphrase)
    #expect(error?.hint.isEmpty == false)
    #expect(try await remote.storage().listAll(prefix: "") == before)
  }

  @Test func encryptionMustBeAskedForAndRefusedByName() async throws {
    let sealed = Remote.memory
    _ = try await SyncEngine(try database("a"), remote: sealed, encryption: .passphrase("right")).sync()
    #expect(try await failure(sealed, .none, as: RemoteError.self)?.code == .encrypted)
    let clear = Remote.memory
    _ = try await SyncEngine(try database("a"), remote: clear, encryption: .none).sync()
    #expect(try await failure(clear, .passphrase("right"), as: RemoteError.self)?.code == .notEncrypted)
  }

  @Test func anUnreachableEndpoint() async throws {
    // A port of this machine where nobody listens: connecting to it is refused at once.
    let remote = Remote.custom(
      try S3Storage(
        S3Configuration(
          endpoint: "http://127.0.0.1:1", bucket: "bucket", region: "us-east-1", accessKey: "a", secretKey: "b")))
    let error = try await failure(remote, .passphrase("right"), as: RemoteError.self)
    #expect(error?.code == .unreachable)
    #expect(error?.isRetryable == true)
    #expect(error?.hint.isEmpty == false)
  }

  @Test(.enabled(if: Environment.expectsS3, "needs the S3 server of scripts/test"))
  func aWrongSecretKeyAndAWrongBucket() async throws {
    let (server, bucket) = try await Environment.makeBucket()
    func remote(bucket: String, secretKey: String) -> Remote {
      .s3(
        endpoint: server.endpoint, bucket: bucket, region: server.region, accessKey: server.accessKey,
        secretKey: secretKey)
    }
    let denied = try await failure(
      remote(bucket: bucket, secretKey: "notTheSecret"), .passphrase("p"), as: RemoteError.self)
    #expect(denied?.code == .accessDenied)
    #expect(denied?.description.contains("notTheSecret") == false)
    #expect(denied?.hint.isEmpty == false)
    let missing = try await failure(
      remote(bucket: "no-such-bucket", secretKey: server.secretKey), .passphrase("p"), as: RemoteError.self)
    #expect(missing?.code == .bucketNotFound)
    #expect(missing?.hint.isEmpty == false)
  }

  @Test func aTruncatedPackIsToldAndConfined() async throws {
    let remote = Remote.memory
    let storage = try remote.storage()
    let first = try database("first")
    let second = try Database.openInMemory(migrations: Self.migrations)
    try await second.execute("INSERT INTO Note VALUES (7, 'second')")
    for database in [first, second] {
      _ = try await SyncEngine(database, remote: remote, encryption: .passphrase("p")).sync()
    }
    let packs = try await storage.listAll(prefix: "log/")
    let whole = try await storage.get(packs[0].key, maximumSize: 1 << 20)
    try await storage.put(packs[0].key, Array(whole.dropLast(20)))

    let third = try Database.openInMemory(migrations: Self.migrations)
    let engine = SyncEngine(third, remote: remote, encryption: .passphrase("p"))
    let report = try await engine.sync()
    #expect(report.skipped.map(\.key) == [packs[0].key])
    #expect(report.skipped.first?.error.code == .damagedObject)
    #expect(report.pulledTransactions == 1)
    // Whole again, it is taken in.
    try await storage.put(packs[0].key, whole)
    #expect(try await engine.sync().pulledTransactions == 1)
    #expect(try await third.rows("SELECT * FROM Note").count == 2)
  }

  @Test func aFullDiskDuringAMergeLosesNothing() async throws {
    let folder = try TemporaryFolder()
    let remote = Remote.memory
    let author = try Database.openInMemory(migrations: Self.migrations)
    try await author.write { connection in
      for _ in 0..<500 {
        try connection.execute("INSERT INTO Note (text) VALUES (\(String(repeating: "x", count: 1000)))")
      }
    }
    _ = try await SyncEngine(author, remote: remote, encryption: .none).sync()

    let reader = try Database.open(folder.file("reader.db"), migrations: Self.migrations)
    try await reader.execute("INSERT INTO Note VALUES (100000, 'mine')")
    // SQLite reports a database at its page limit as it reports a full disk: SQLITE_FULL.
    _ = try await reader.write { try $0.rows("PRAGMA max_page_count = 60") }
    let engine = SyncEngine(reader, remote: remote, encryption: .none)
    let error = await #expect(throws: StoreError.self) { _ = try await engine.sync() }
    #expect(error?.code == .diskFull)
    #expect(error?.hint.isEmpty == false)
    #expect(try await reader.query(String.self, "SELECT text FROM Note") == ["mine"])
    #expect(try await reader.rows("PRAGMA integrity_check")[0][0] == .text("ok"))
    // Room again: the same sync goes through.
    _ = try await reader.write { try $0.rows("PRAGMA max_page_count = 1000000") }
    #expect(try await engine.sync().pulledTransactions == 1)
    #expect(try await reader.queryOne(Int.self, "SELECT count(*) FROM Note") == 501)
    try await reader.close()
  }
}
