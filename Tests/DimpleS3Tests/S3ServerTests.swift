import DimpleMutex
import DimpleRemote
import DimpleS3
import DimpleTestSupport
import Foundation
import Testing

@Suite("S3, with a real server", .enabled(if: S3TestServer.isExpected, S3TestServer.missing))
struct S3ServerTests {
  @Test("The storage keeps the contract") func conformance() async throws {
    var options = StorageConformance.Options()
    options.rounds = 8
    options.removesObjects = false
    let client = try await S3TestServer.client(prefix: "vaults/one")
    try await StorageConformance.check(S3Storage(client), options: options)
    let keys = try await client.list().objects.map(\.key)
    #expect(!keys.isEmpty && keys.allSatisfy { $0.hasPrefix("vaults/one/conformance/") })
  }

  @Test("The listing tells the server's time") func serverTime() async throws {
    let page = try await S3Storage(try await S3TestServer.client()).list(prefix: "", after: nil)
    let time = try #require(page.serverTimeMilliseconds)
    #expect(abs(Double(time) / 1000 - Date().timeIntervalSince1970) < 60)
  }

  @Test("Keys of any characters come back as they were put") func oddKeys() async throws {
    let client = try await S3TestServer.client()
    let keys = [
      "a b", "a+b", "a%20b", "ä/ö ü", "a&b<c>\"d'", "a?b=c#d", "😀", "a//b", "./a", "x/../y", "a~b", "(a)*!", "a/",
    ]
    for key in keys { try await client.put(key, [UInt8](key.utf8)) }
    for key in keys { #expect(try await client.get(key, maximumSize: 100) == [UInt8](key.utf8), "\(key)") }
    #expect(try await client.list().objects.map(\.key) == keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
    for key in keys { try await client.delete(key) }
    #expect(try await client.list().objects.isEmpty)
  }

  @Test("Megabytes go from a file and into one, in pieces") func files() async throws {
    let folder = try TemporaryFolder()
    let client = try await S3TestServer.client()
    var random = SeededRandom(seed: 3)
    let bytes = (0..<1_500_000).flatMap { _ in withUnsafeBytes(of: random.next()) { Array($0) } }
    try Data(bytes).write(to: URL(filePath: folder.path("out")))
    let etag = try await client.put("big", file: folder.path("out"))
    let object = try await client.get("big", toFile: folder.path("in"))
    #expect(object.size == 12_000_000 && object.etag == etag)
    #expect(FileManager.default.contents(atPath: folder.path("in")) == Data(bytes))
    #expect(try await client.head("big").size == 12_000_000)
    #expect(
      try await client.get("big", range: 5_000_000..<5_000_010, maximumSize: 10) == Array(bytes[5_000_000..<5_000_010]))
    let total = Mutex(0)
    try await client.get("big") { piece in
      #expect(piece.count <= 1_048_576)
      total.withLock { $0 += piece.count }
    }
    #expect(total.withLock { $0 } == 12_000_000)
    let missing = await #expect(throws: RemoteError.self) { try await client.put("x", file: folder.path("missing")) }
    #expect(missing?.code == .ioFailed)
  }

  @Test("A presigned URL gives the object without keys") func presigned() async throws {
    let client = try await S3TestServer.client()
    try await client.put("a b", [1, 2, 3])
    let url = try client.presignedURL(getting: "a b", expiresIn: .seconds(60))
    let body = Mutex<[UInt8]>([])
    let head = try await CurlTransport().send(HTTPRequest(method: .get, url: url)) { _, piece in
      body.withLock { $0 += piece }
    }
    #expect(head.status == 200)
    #expect(body.withLock { $0 } == [1, 2, 3])
    let forged = try await CurlTransport().send(
      HTTPRequest(method: .get, url: url.replacing("X-Amz-Expires=60", with: "X-Amz-Expires=61"))
    ) { _, _ in }
    #expect(forged.status == 403)
  }

  @Test("A presigned URL takes an object without keys") func presignedPut() async throws {
    let client = try await S3TestServer.client()
    let url = try client.presignedURL(putting: "a b", expiresIn: .seconds(60))
    let head = try await CurlTransport().send(HTTPRequest(method: .put, url: url, body: .bytes([4, 5, 6]))) { _, _ in }
    #expect(head.status == 200)
    #expect(try await client.get("a b", maximumSize: 10) == [4, 5, 6])
    let read = try await CurlTransport().send(HTTPRequest(method: .get, url: url)) { _, _ in }
    #expect(read.status == 403)
  }

  @Test("A conditional put does not replace") func ifAbsent() async throws {
    let client = try await S3TestServer.client()
    try await client.put("a", [1], ifAbsent: true)
    let error = await #expect(throws: RemoteError.self) { try await client.put("a", [2], ifAbsent: true) }
    #expect(error?.code == .preconditionFailed)
    #expect(try await client.get("a", maximumSize: 1) == [1])
  }

  @Test("Making one's own bucket again is fine") func createTwice() async throws {
    let client = try await S3TestServer.client()
    try await client.createBucket()
  }

  @Test("The server checks what it is sent") func checksums() async throws {
    let client = try await S3TestServer.client()
    let signer = RequestSigner(
      credentials: client.configuration.credentials, region: client.configuration.region)
    let host = String(client.configuration.endpoint.dropFirst("http://".count))
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    let path = "/\(client.configuration.bucket)/a"
    let request = RequestSigner.Request(
      method: "PUT", path: path, query: [],
      headers: [HTTPHeader("Host", host), HTTPHeader("X-Amz-Content-Sha256", empty)], payloadHash: empty)
    let headers = signer.signedHeaders(request, atMilliseconds: Int64(Date().timeIntervalSince1970 * 1000))
    let head = try await CurlTransport().send(
      HTTPRequest(
        method: .put, url: client.configuration.endpoint + path, headers: headers.filter { $0.name != "Host" },
        body: .bytes([1, 2, 3]))
    ) { _, _ in }
    #expect(head.status == 400, "bytes that contradict the signed hash were taken")
    await #expect(throws: RemoteError.self) { try await client.head("a") }
  }

  // MARK: What goes wrong

  private func error(_ configuration: S3Configuration) async throws -> RemoteError {
    let storage = S3Storage(configuration)
    let error = try #require(await #expect(throws: RemoteError.self) { try await storage.list(prefix: "", after: nil) })
    let ofPut = await #expect(throws: RemoteError.self) { try await storage.put("a", [1]) }
    #expect(ofPut?.code == error.code, "list: \(error), put: \(String(describing: ofPut))")
    #expect(!"\(error)".contains(configuration.credentials.secretKey))
    return error
  }

  @Test("The wrong secret, key, bucket or region: each named, with its remedy") func refusals() async throws {
    let bucket = try await S3TestServer.client().configuration.bucket
    let secret = try await error(S3TestServer.configuration(bucket: bucket, secretKey: "not-the-one"))
    #expect(secret.code == .accessDenied && secret.hint.contains("secret key"), "\(secret)")
    let key = try await error(S3TestServer.configuration(bucket: bucket, accessKey: "test:nobody"))
    #expect(key.code == .accessDenied && key.hint.contains("access key"), "\(key)")
    let missing = try await error(S3TestServer.configuration(bucket: "no-such-bucket"))
    #expect(missing.code == .bucketNotFound && missing.message.contains("no-such-bucket"), "\(missing)")
    let region = try await error(S3TestServer.configuration(bucket: bucket, region: "eu-central-1"))
    #expect(region.code == .invalidConfiguration && region.hint.contains("us-east-1"), "\(region)")
    #expect([secret, key, missing, region].allSatisfy { !$0.isRetryable })
  }

  @Test("A clock that is wrong does no harm", arguments: [-3_600_000, 3_600_000, 86_400_000 * 4000] as [Int64])
  func wrongClock(milliseconds: Int64) async throws {
    let configuration = try await S3TestServer.client().configuration
    let client = S3Client(
      configuration, transport: CurlTransport(), now: { Int64(Date().timeIntervalSince1970 * 1000) + milliseconds })
    try await client.put("a", [1, 2])
    #expect(try await client.get("a", maximumSize: 2) == [1, 2])
    let time = try #require(try await S3Storage(client).list(prefix: "", after: nil).serverTimeMilliseconds)
    #expect(abs(Double(time) / 1000 - Date().timeIntervalSince1970) < 60)
  }

  @Test("An empty range gives no bytes") func emptyRange() async throws {
    let client = try await S3TestServer.client()
    try await client.put("a", [1])
    #expect(try await client.get("a", range: 1..<1, maximumSize: 1) == [])
    #expect(try await client.get("a", range: 1..<1) { _ in }.size == 0)
  }

  @Test("An empty bucket's object is notFound, by every way to ask") func notFound() async throws {
    let client = try await S3TestServer.client()
    let byGet = await #expect(throws: RemoteError.self) { try await client.get("a", maximumSize: 1) }
    let byHead = await #expect(throws: RemoteError.self) { try await client.head("a") }
    #expect(byGet?.code == .notFound && byHead?.code == .notFound)
    try await client.put("a", [1])
    let beyond = await #expect(throws: RemoteError.self) { try await client.get("a", range: 5..<9, maximumSize: 9) }
    #expect(beyond?.code == .notFound)
  }

  @Test("Many requests at once share a few connections") func parallel() async throws {
    let storage = S3Storage(try await S3TestServer.client())
    try await withThrowingTaskGroup(of: Void.self) { group in
      for index in 0..<100 {
        group.addTask {
          try await storage.put("log/\(index)", [UInt8](repeating: UInt8(index), count: 10_000))
          #expect(try await storage.get("log/\(index)", maximumSize: 10_000).allSatisfy { $0 == UInt8(index) })
        }
      }
      try await group.waitForAll()
    }
    #expect(try await storage.listAll(prefix: "log/").count == 100)
  }
}
