import CurlPeer
import DimpleChangelog
import DimpleCrypto
import DimpleRemote
import DimpleS3
import DimpleStore
import DimpleSync
import Foundation
import Samples
import Synchronization

/// Whole syncs of many rows through a bucket, encrypted, beside a bare copy of the objects that the last one moved: by the
/// project's own client, and by libcurl with URLs that are signed beforehand.
final class S3SyncBenchmarks {
  /// Rows in a transaction.
  private static let together = 100

  private let configuration: (_ prefix: String) throws -> S3Configuration
  private let curl: CurlHandle
  private let tracks: [Track]
  /// Of the last run of ours: its vault's folder in the bucket, and what it moved.
  private var prefix = ""
  private var moved: [RecordingStorage.Object] = []
  private var urls: [String] = []

  private var author: SyncEngine?
  private var reader: SyncEngine?
  private var recording: RecordingStorage?

  init(_ configuration: @escaping (_ prefix: String) throws -> S3Configuration, _ curl: CurlHandle, size: Size) {
    self.configuration = configuration
    self.curl = curl
    tracks = (1...size(100_000)).map(Track.init(number:))
  }

  var push: Benchmark {
    Benchmark(
      name: "send \(tracks.count) new rows, encrypted", unit: "row", count: tracks.count, setUp: makeBucket,
      contenders: [
        ours(prepare: makeAuthor) { self.author },
        Contender(name: "bare put") {
          let storage = try self.storage("copy")
          for object in self.moved { try await storage.put(object.key, object.bytes) }
          return self.moved.count
        },
        Contender(
          name: "libcurl",
          prepare: {
            let client = S3Client(try self.configuration(""))
            self.urls = try self.moved.map {
              try client.presignedURL(putting: "curl/\($0.key)", expiresIn: .seconds(3600))
            }
          }
        ) {
          for (url, object) in zip(self.urls, self.moved) { try self.curl.put(url, object.bytes) }
          return self.moved.count
        },
      ])
  }

  var pull: Benchmark {
    Benchmark(
      name: "take in \(tracks.count) new rows, encrypted", unit: "row", count: tracks.count, setUp: makeBucket,
      contenders: [
        ours(prepare: makeReader) { self.reader },
        Contender(name: "bare get") {
          let storage = try self.storage(self.prefix)
          var count = 0
          for object in self.moved where try await storage.get(object.key, maximumSize: 64 << 20) == object.bytes {
            count += 1
          }
          return count
        },
        Contender(
          name: "libcurl",
          prepare: {
            let client = S3Client(try self.configuration(""))
            self.urls = try self.moved.map {
              try client.presignedURL(getting: "\(self.prefix)/\($0.key)", expiresIn: .seconds(3600))
            }
          }
        ) {
          try zip(self.urls, self.moved).count { url, object in try self.curl.get(url) == object.bytes }
        },
      ])
  }

  /// - Parameter engine: Its storage is the one that records.
  private func ours(
    prepare: @escaping () async throws -> Void, _ engine: @escaping () -> SyncEngine?
  ) -> Contender {
    Contender(name: Contender.ours, prepare: prepare) {
      _ = try await engine()?.sync()
      self.moved = self.recording?.take() ?? []
      return self.moved.count
    }
  }

  // MARK: - Replicas

  private func makeBucket() async throws { try await S3Client(configuration("")).createBucket() }

  private func storage(_ prefix: String) throws -> S3Storage { S3Storage(try configuration(prefix)) }

  /// An author that has written all rows, in a vault of its own; the vault is open, which is done once in a process's life.
  private func makeAuthor() async throws {
    prefix = UUID().uuidString.lowercased()
    let (author, recording) = try makeEngine("author.db")
    _ = try await author.sync()
    for start in stride(from: 0, to: tracks.count, by: Self.together) {
      let rows = tracks[start..<min(start + Self.together, tracks.count)]
      try await author.database.write { connection in for track in rows { try connection.insert(track) } }
    }
    _ = recording.take()
    (self.author, self.recording) = (author, recording)
  }

  /// A reader to which all of that is new.
  private func makeReader() async throws {
    try await makeAuthor()
    let (reader, recording) = try makeEngine("reader.db")
    _ = try await reader.sync()
    _ = try await author?.sync()
    _ = recording.take()
    (self.reader, self.recording) = (reader, recording)
  }

  private func makeEngine(_ name: String) throws -> (SyncEngine, RecordingStorage) {
    let recording = RecordingStorage(try storage(prefix))
    let database = try Database(
      TemporaryFolder.newPath(name), configuration: Configuration().tracking(),
      migrations: [Migration("create Track", "\(raw: Track.createTable)")])
    let vault = AgeVaultProvider(passphrase: "benchmark", workFactor: 1)
    return (SyncEngine(database, storage: recording, vault: vault), recording)
  }
}

/// Keeps the objects that pass through it, in either direction.
private final class RecordingStorage: ObjectStorage {
  struct Object: Sendable {
    var key: String
    var bytes: [UInt8]
  }

  private let base: any ObjectStorage
  private let objects = Mutex<[Object]>([])

  init(_ base: any ObjectStorage) { self.base = base }

  /// Those since the last time.
  func take() -> [Object] {
    objects.withLock { objects in
      defer { objects = [] }
      return objects
    }
  }

  var description: String { base.description }

  func list(prefix: String, after cursor: ListCursor?) async throws -> ListPage {
    try await base.list(prefix: prefix, after: cursor)
  }

  func get(_ key: String, maximumSize: Int) async throws -> [UInt8] {
    let bytes = try await base.get(key, maximumSize: maximumSize)
    objects.withLock { $0.append(Object(key: key, bytes: bytes)) }
    return bytes
  }

  func put(_ key: String, _ bytes: [UInt8], condition: PutCondition) async throws {
    try await base.put(key, bytes, condition: condition)
    objects.withLock { $0.append(Object(key: key, bytes: bytes)) }
  }

  func delete(_ key: String) async throws { try await base.delete(key) }
}
