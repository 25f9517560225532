import DimpleRemote
import DimpleS3
import Testing

@Suite("What a server's refusal means")
struct S3FailureTests {
  private func error(_ answer: StubTransport.Answer) async throws -> RemoteError {
    let client = try S3Client.stub(StubTransport(answer))
    return try #require(await #expect(throws: RemoteError.self) { try await client.get("log/a", maximumSize: 10) })
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let status: Int
    let name: String
    let code: RemoteError.Code
    let hint: String
    var isRetryable = false
    var more = ""
    var testDescription: String { "\(status) \(name)" }
  }

  @Test(
    "S3's own codes",
    arguments: [
      Case(status: 403, name: "SignatureDoesNotMatch", code: .accessDenied, hint: "secret key"),
      Case(status: 403, name: "InvalidAccessKeyId", code: .accessDenied, hint: "access key"),
      Case(status: 403, name: "AccessDenied", code: .accessDenied, hint: "bucket music"),
      Case(status: 403, name: "RequestTimeTooSkewed", code: .accessDenied, hint: "clock"),
      Case(status: 400, name: "ExpiredToken", code: .accessDenied, hint: "temporary credentials"),
      Case(status: 404, name: "NoSuchKey", code: .notFound, hint: "List"),
      Case(status: 404, name: "NoSuchBucket", code: .bucketNotFound, hint: "bucket's name"),
      Case(status: 412, name: "PreconditionFailed", code: .preconditionFailed, hint: "condition"),
      Case(status: 409, name: "ConditionalRequestConflict", code: .serverFailed, hint: "again", isRetryable: true),
      Case(status: 503, name: "SlowDown", code: .throttled, hint: "Wait", isRetryable: true),
      Case(status: 503, name: "ServiceUnavailable", code: .throttled, hint: "wait", isRetryable: true),
      Case(status: 500, name: "InternalError", code: .serverFailed, hint: "later", isRetryable: true),
      Case(status: 400, name: "RequestTimeout", code: .timedOut, hint: "again", isRetryable: true),
      Case(status: 400, name: "BadDigest", code: .damaged, hint: "again", isRetryable: true),
      Case(status: 400, name: "XAmzContentSHA256Mismatch", code: .damaged, hint: "again", isRetryable: true),
      Case(status: 400, name: "KeyTooLongError", code: .invalidKey, hint: "prefix"),
      Case(status: 400, name: "EntityTooLarge", code: .tooLarge, hint: "size"),
      Case(status: 403, name: "QuotaExceeded", code: .storageFull, hint: "space"),
      Case(status: 400, name: "InvalidBucketName", code: .invalidConfiguration, hint: "music"),
      Case(
        status: 400, name: "AuthorizationHeaderMalformed", code: .invalidConfiguration, hint: "eu-north-1",
        more: "<Region>eu-north-1</Region>"),
      Case(
        status: 301, name: "PermanentRedirect", code: .invalidConfiguration, hint: "music.s3-eu-north-1.amazonaws.com",
        more: "<Endpoint>music.s3-eu-north-1.amazonaws.com</Endpoint>"),
      Case(status: 400, name: "SomethingNew", code: .damaged, hint: "refused"),
    ])
  func codes(_ expected: Case) async throws {
    let error = try await error(.error(expected.status, expected.name, expected.more))
    #expect(error.code == expected.code, "\(error)")
    #expect(error.hint.contains(expected.hint), "\(error)")
    #expect(error.isRetryable == expected.isRetryable)
    #expect(error.operation == "get log/a")
  }

  @Test(
    "Statuses without a document",
    arguments: [
      (401, .accessDenied), (403, .accessDenied), (404, .notFound), (408, .timedOut), (412, .preconditionFailed),
      (416, .notFound), (429, .throttled), (500, .serverFailed), (502, .serverFailed), (503, .throttled),
      (501, .invalidConfiguration), (507, .storageFull), (302, .invalidConfiguration), (418, .invalidConfiguration),
    ] as [(Int, RemoteError.Code)])
  func statuses(status: Int, code: RemoteError.Code) async throws {
    let error = try await error(.init(status))
    #expect(error.code == code, "\(error)")
    #expect(!error.hint.isEmpty)
  }

  @Test("A web server's page is a wrong endpoint; behind a proxy's 502 is still a server") func foreign() async throws {
    let page = "<html><body><h1>Not Found</h1></body></html>"
    #expect(try await error(.init(404, [:], page)).code == .invalidConfiguration)
    #expect(try await error(.init(400, [:], page)).code == .invalidConfiguration)
    #expect(try await error(.init(502, [:], page)).code == .serverFailed)
  }

  @Test("The wish to wait, in seconds or as a date") func retryAfter() async throws {
    #expect(try await error(.error(503, "SlowDown", headers: ["Retry-After": "7"])).retryAfter == .seconds(7))
    let dated = ["Retry-After": "Sun, 30 Aug 2015 12:36:30 GMT", "Date": "Sun, 30 Aug 2015 12:36:00 GMT"]
    #expect(try await error(.error(429, "SlowDown", headers: dated)).retryAfter == .seconds(30))
    for nonsense in ["-5", "soon", "99999999999999999999"] {
      #expect(try await error(.error(503, "SlowDown", headers: ["Retry-After": nonsense])).retryAfter == nil)
    }
  }

  @Test("The bucket's region, where only a header tells it") func regionHeader() async throws {
    let error = try await error(.init(301, ["x-amz-bucket-region": "ap-south-2"]))
    #expect(error.code == .invalidConfiguration && error.hint.contains("ap-south-2"))
  }

  @Test("A hostile message is cut and cleaned") func hostileMessage() async throws {
    let message = "\u{1B}[31mred\n" + String(repeating: "x", count: 5000)
    let error = try await error(.init(400, [:], "<Error><Code>Odd</Code><Message>\(message)</Message></Error>"))
    #expect(error.message.count < 400 && !error.message.contains("\u{1B}") && !error.message.contains("\n"))
  }

  @Test(
    "No answer at all",
    arguments: [
      (.nameNotResolved, .unreachable, true), (.connectionFailed, .unreachable, true),
      (.tlsFailed, .unreachable, false),
      (.timedOut, .timedOut, true), (.connectionLost, .unreachable, true),
      (.protocolViolation, .invalidConfiguration, false), (.bodyUnreadable, .ioFailed, false),
      (.invalidRequest, .invalidConfiguration, false),
    ] as [(HTTPTransportError.Kind, RemoteError.Code, Bool)])
  func noAnswer(kind: HTTPTransportError.Kind, code: RemoteError.Code, isRetryable: Bool) async throws {
    let error = try await error(.init(0, failure: HTTPTransportError(kind, "It broke.")))
    #expect(error.code == code && error.isRetryable == isRetryable)
    #expect(error.underlying is HTTPTransportError)
    #expect(!error.hint.isEmpty)
  }
}
