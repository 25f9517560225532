import DimpleMutex
import DimpleRemote
import DimpleS3
import DimpleTestSupport
import Foundation
import Testing

@Suite("S3 client, without a server")
struct S3ClientTests {
  private let stored = StubTransport.Answer(200, ["ETag": "\"any\""])

  private func header(_ request: HTTPRequest?, _ name: String) -> String? {
    request?.headers.first { $0.name.lowercased() == name.lowercased() }?.value
  }

  @Test("A put carries the hashes that let the server check it") func put() async throws {
    let transport = StubTransport(stored)
    try await S3Client.stub(transport).put("log/a b.age", [UInt8]("hello".utf8))
    let request = try #require(transport.requests.first)
    #expect(request.method == .put)
    #expect(request.url == "https://s3.example.com/music/log/a%20b.age")
    #expect(
      header(request, "x-amz-content-sha256") == "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824")
    #expect(header(request, "content-md5") == "XUFAKrxLKna5cZ2REBfFkg==")
    #expect(header(request, "x-amz-date") == "20150830T123600Z")
    let authorization = header(request, "authorization") ?? ""
    #expect(authorization.contains("SignedHeaders=content-md5;host;x-amz-content-sha256;x-amz-date,"))
    #expect(header(request, "host") == nil, "the transport writes it")
    #expect(header(request, "if-none-match") == nil)
  }

  @Test("A virtual host, a port and a session token") func virtualHost() async throws {
    let transport = StubTransport(stored)
    let configuration = try S3Configuration.stub(
      endpoint: "HTTP://S3.Example.com:9000/base/", addressing: .virtualHost, sessionToken: "token")
    try await S3Client.stub(transport, configuration).put("a", [])
    #expect(transport.requests.first?.url == "http://music.s3.example.com:9000/base/a")
    #expect(header(transport.requests.first, "x-amz-security-token") == "token")
    #expect(header(transport.requests.first, "authorization")?.contains("x-amz-security-token,") == true)
  }

  @Test("The scheme's own port is not named, as in Host") func ownPort() async throws {
    let transport = StubTransport(stored)
    try await S3Client.stub(transport, .stub(endpoint: "https://s3.example.com:443")).put("a", [])
    #expect(transport.requests.first?.url == "https://s3.example.com/music/a")
  }

  @Test("An ETag that contradicts the bytes is damage, worth another try") func contradiction() async throws {
    let transport = StubTransport(StubTransport.Answer(200, ["ETag": "\"00000000000000000000000000000000\""]))
    let error = await #expect(throws: RemoteError.self) { try await S3Client.stub(transport).put("a", [1]) }
    #expect(error?.code == .damaged && error?.isRetryable == true)
    for headers in [
      ["ETag": "\"5d41402abc4b2a76b9719d911017c592\""], ["ETag": "\"00000000000000000000000000000000-2\""],
      ["ETag": "W/\"weak\""],
      ["ETag": "\"00000000000000000000000000000000\"", "x-amz-server-side-encryption": "aws:kms"],
      ["ETag": "\"00000000000000000000000000000000\"", "x-amz-server-side-encryption-customer-algorithm": "AES256"],
    ] {
      try await S3Client.stub(StubTransport(.init(200, headers))).put("a", [UInt8]("hello".utf8))
    }
  }

  @Test("A success that no S3 server sent is none") func loginPage() async throws {
    let transport = StubTransport(.init(200, ["Content-Type": "text/html"], "<html><p>Welcome to our hotel</html>"))
    let client = try S3Client.stub(transport)
    for operation: () async throws -> Void in [
      { try await client.put("a", [1]) }, { _ = try await client.list() },
    ] {
      let error = await #expect(throws: RemoteError.self) { try await operation() }
      #expect(error?.code == .invalidConfiguration)
      #expect(error?.hint.contains("endpoint") == true)
    }
  }

  @Test("A server that lacks conditions gets the put again without") func conditionUnknown() async throws {
    let transport = StubTransport(.error(501, "NotImplemented"), stored)
    try await S3Client.stub(transport).put("a", [1], ifAbsent: true)
    #expect(transport.requests.map { header($0, "if-none-match") } == ["*", nil])
  }

  @Test("A listing's page is read whole") func list() async throws {
    let transport = StubTransport(
      .init(
        200, ["Date": "Sun, 30 Aug 2015 12:36:00 GMT"],
        """
        <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><EncodingType>url</EncodingType>
        <IsTruncated>true</IsTruncated><NextContinuationToken>next/&amp;=</NextContinuationToken>
        <Contents><Key>v/log/a%2Bb+c%C3%A9</Key><Size>5</Size><ETag>&quot;e1&quot;</ETag><LastModified>t</LastModified></Contents>
        <Contents><Key>v/log/z</Key><Size>9000000000</Size></Contents></ListBucketResult>
        """))
    let client = try S3Client.stub(transport)
    let page = try await client.list(prefix: "v/log/", continuationToken: "to ken")
    #expect(
      page.objects == [
        S3Object(key: "v/log/a+b cé", size: 5, etag: "e1", lastModified: "t"),
        S3Object(key: "v/log/z", size: 9_000_000_000),
      ])
    #expect(page.continuationToken == "next/&=")
    #expect(page.serverTimeMilliseconds == 1_440_938_160_000)
    #expect(
      transport.requests.first?.url == "https://s3.example.com/music?continuation-token=to%20ken&encoding-type=url"
        + "&list-type=2&max-keys=1000&prefix=v%2Flog%2F")
  }

  @Test(
    "A malformed listing is damage, not an empty bucket",
    arguments: [
      "<Contents><Size>1</Size></Contents>", "<Contents><Key>v/a</Key></Contents>",
      "<Contents><Key>v/a</Key><Size>-1</Size></Contents>", "<Contents><Key>other</Key><Size>1</Size></Contents>",
      "<IsTruncated>true</IsTruncated>",
      "<EncodingType>url</EncodingType><Contents><Key>v/%zz</Key><Size>1</Size></Contents>",
    ])
  func malformedListing(inside: String) async throws {
    let transport = StubTransport(.init(200, [:], "<ListBucketResult>\(inside)</ListBucketResult>"))
    let error = await #expect(throws: RemoteError.self) { try await S3Client.stub(transport).list(prefix: "v/") }
    #expect(error?.code == .damaged)
  }

  @Test("A get is bounded, by the announced length and by what comes") func bounded() async throws {
    for headers in [["Content-Length": "10"], [:]] {
      let client = try S3Client.stub(StubTransport(.init(200, headers, "0123456789")))
      #expect(try await client.get("a", maximumSize: 10) == [UInt8]("0123456789".utf8))
      let error = await #expect(throws: RemoteError.self) { try await client.get("a", maximumSize: 9) }
      #expect(error?.code == .tooLarge)
    }
  }

  @Test("A range is asked for, and the whole is not taken for a part") func range() async throws {
    let transport = StubTransport(.init(206, [:], "345"), .init(200, [:], "0123456789"))
    let client = try S3Client.stub(transport)
    #expect(try await client.get("a", range: 3..<6, maximumSize: 10) == [UInt8]("345".utf8))
    #expect(header(transport.requests.first, "range") == "bytes=3-5")
    await #expect(throws: RemoteError.self) { try await client.get("a", range: 3..<6, maximumSize: 10) }
  }

  @Test("An empty range gives no bytes, of an object that is there") func emptyRange() async throws {
    let transport = StubTransport(.init(200, ["Content-Length": "10", "ETag": "\"e\""]), .init(404))
    let client = try S3Client.stub(transport)
    #expect(try await client.get("a", range: 5..<5, maximumSize: 10) == [])
    let missing = await #expect(throws: RemoteError.self) { try await client.get("a", range: 5..<5) { _ in } }
    #expect(missing?.code == .notFound)
    #expect(transport.requests.map(\.method) == [.head, .head])
    let client2 = try S3Client.stub(StubTransport(.init(200, ["Content-Length": "10", "ETag": "\"e\""])))
    #expect(try await client2.get("a", range: 0..<0) { _ in } == S3Object(key: "a", size: 0, etag: "e"))
    let before = await #expect(throws: RemoteError.self) { try await client.get("a", range: -1..<5, maximumSize: 10) }
    #expect(before?.code == .invalidConfiguration && transport.requests.count == 2)
  }

  @Test("Pieces go to the caller's closure, and its error comes back") func streaming() async throws {
    struct Enough: Error {}
    let client = try S3Client.stub(StubTransport(.init(200, ["Content-Length": "26"], "abcdefghijklmnopqrstuvwxyz")))
    let pieces = Mutex<[[UInt8]]>([])
    let object = try await client.get("a") { piece in pieces.withLock { $0.append(Array(piece)) } }
    #expect(object.size == 26)
    #expect(pieces.withLock { $0.joined().elementsEqual("abcdefghijklmnopqrstuvwxyz".utf8) && $0.count > 1 })
    await #expect(throws: Enough.self) { try await client.get("a") { _ in throw Enough() } }
  }

  @Test("A download appears whole or not at all") func toFile() async throws {
    let folder = try TemporaryFolder()
    let client = try S3Client.stub(
      StubTransport(.init(200, [:], "whole"), .error(404, "NoSuchKey"), .init(200, [:], "again")))
    try await client.get("a", toFile: folder.path("file"))
    await #expect(throws: RemoteError.self) { try await client.get("a", toFile: folder.path("file")) }
    #expect(FileManager.default.contents(atPath: folder.path("file")) == Data("whole".utf8))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["file"])
    let error = await #expect(throws: RemoteError.self) {
      try await client.get("a", toFile: folder.path("missing/file"))
    }
    #expect(error?.code == .ioFailed)
  }

  @Test("Deleting what is not there succeeds; a missing bucket does not") func delete() async throws {
    try await S3Client.stub(StubTransport(.init(204))).delete("a")
    try await S3Client.stub(StubTransport(.error(404, "NoSuchKey"))).delete("a")
    let error = await #expect(throws: RemoteError.self) {
      try await S3Client.stub(StubTransport(.error(404, "NoSuchBucket"))).delete("a")
    }
    #expect(error?.code == .bucketNotFound)
  }

  @Test("A bucket is made in its region, which is named unless it is the first or there is none")
  func createBucket() async throws {
    let document = """
      <CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LocationConstraint>eu-west-9\
      </LocationConstraint></CreateBucketConfiguration>
      """
    let cases = [
      ("eu-west-9", document, "99aa5c3dd6127f6319a24675e397ee7c007886651c231287e9681e4d7af92f7d"),
      ("us-east-1", "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("auto", "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ]
    for (region, body, hash) in cases {
      let transport = StubTransport(.init(200))
      try await S3Client.stub(transport, .stub(region: region)).createBucket()
      let request = try #require(transport.requests.first)
      #expect(request.url == "https://s3.example.com/music" && request.method == .put)
      #expect(try bytes(of: request.body) == Array(body.utf8))
      #expect(header(request, "x-amz-content-sha256") == hash)
    }
  }

  private func bytes(of body: RequestBody) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Int(body.size))
    let reader = try body.makeReader()
    let count = try bytes.withUnsafeMutableBytes { try reader.read(into: $0) }
    return Array(bytes.prefix(count))
  }

  @Test("A presigned URL is good for a second to a week") func presigned() async throws {
    let client = try S3Client.stub(StubTransport(stored))
    let url = try client.presignedURL(getting: "log/a b", expiresIn: .seconds(60))
    #expect(url.hasPrefix("https://s3.example.com/music/log/a%20b?X-Amz-Algorithm=AWS4-HMAC-SHA256&"))
    #expect(url.contains("&X-Amz-Expires=60&") && !url.contains("sEcReT"))
    for bad in [Duration.zero, .milliseconds(500), .seconds(604_801), .seconds(-1)] {
      #expect(throws: RemoteError.self) { try client.presignedURL(getting: "a", expiresIn: bad) }
    }
  }

  @Test("The storage keeps its prefix to itself, and foreign keys out") func storage() async throws {
    let transport = StubTransport(
      .init(
        200, [:],
        """
        <ListBucketResult><Contents><Key>vault/log/b</Key><Size>1</Size></Contents><Contents><Key>vault/log/a</Key>
        <Size>2</Size></Contents><Contents><Key>vault/log/</Key><Size>0</Size></Contents><Contents>
        <Key>vault/log/holiday photo.jpg</Key><Size>3</Size></Contents></ListBucketResult>
        """))
    let storage = S3Storage(try S3Client.stub(transport, .stub(prefix: "vault")))
    #expect(storage.description == "s3://music/vault")
    let page = try await storage.list(prefix: "log/", after: nil)
    #expect(page.objects == [ObjectInfo(key: "log/a", size: 2), ObjectInfo(key: "log/b", size: 1)])
    _ = try? await storage.get("log/a", maximumSize: 1)
    #expect(transport.requests.last?.url == "https://s3.example.com/music/vault/log/a")
  }
}
