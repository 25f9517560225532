import DimpleMutex
import DimpleS3

/// Answers without a network, and remembers what was asked.
final class StubTransport: HTTPTransport {
  struct Answer: Sendable {
    var status = 200
    var headers: [HTTPHeader] = []
    var body: [UInt8] = []
    var failure: HTTPTransportError?

    init(_ status: Int, _ headers: [String: String] = [:], _ body: String = "", failure: HTTPTransportError? = nil) {
      self.status = status
      self.headers = headers.map { HTTPHeader($0, $1) }
      self.body = [UInt8](body.utf8)
      self.failure = failure
    }

    /// As a server words an error.
    static func error(_ status: Int, _ code: String, _ more: String = "", headers: [String: String] = [:]) -> Answer {
      Answer(
        status, headers,
        "<?xml version='1.0'?><Error><Code>\(code)</Code><Message>Says why.</Message>\(more)</Error>")
    }
  }

  private let state: Mutex<(answers: [Answer], requests: [HTTPRequest])>

  /// The last answer repeats.
  init(_ answers: Answer...) { state = Mutex((answers, [])) }

  var requests: [HTTPRequest] { state.withLock { $0.requests } }

  func send(
    _ request: HTTPRequest, receive: @escaping @Sendable (HTTPResponseHead, UnsafeRawBufferPointer) throws -> Void
  ) async throws -> HTTPResponseHead {
    try Task.checkCancellation()
    let answer = state.withLock { state in
      state.requests.append(request)
      return state.answers.count > 1 ? state.answers.removeFirst() : state.answers[0]
    }
    if let failure = answer.failure { throw failure }
    let head = HTTPResponseHead(status: answer.status, headers: answer.headers)
    // In small pieces, as a network does it.
    for start in stride(from: 0, to: answer.body.count, by: 7) {
      try answer.body[start..<min(start + 7, answer.body.count)].withUnsafeBytes { try receive(head, $0) }
    }
    return head
  }
}

extension S3Configuration {
  /// Of no server in particular.
  static func stub(
    endpoint: String = "https://s3.example.com", region: String = "eu-west-9", prefix: String = "",
    addressing: Addressing = .path, sessionToken: String? = nil
  ) throws -> S3Configuration {
    try S3Configuration(
      endpoint: endpoint, bucket: "music", region: region, accessKey: "AKIAEXAMPLE1234", secretKey: "sEcReTkEy",
      sessionToken: sessionToken, prefix: prefix, addressing: addressing)
  }
}

extension S3Client {
  static func stub(_ transport: StubTransport, _ configuration: S3Configuration? = nil) throws -> S3Client {
    S3Client(try configuration ?? .stub(), transport: transport, now: { 1_440_938_160_000 })
  }
}
