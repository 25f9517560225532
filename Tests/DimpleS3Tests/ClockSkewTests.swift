import DimpleRemote
import DimpleS3
import Testing

/// The stub's clock says 12:36 (see `S3Client.stub`).
@Suite("A clock that the server does not take")
struct ClockSkewTests {
  private let tooSkewed = StubTransport.Answer.error(
    403, "RequestTimeTooSkewed", headers: ["Date": "Sun, 30 Aug 2015 14:37:01 GMT"])
  private let stored = StubTransport.Answer(200, ["ETag": "\"any\""])

  private func times(_ transport: StubTransport) -> [String?] {
    transport.requests.map { request in request.headers.first { $0.name.lowercased() == "x-amz-date" }?.value }
  }

  @Test("The request is made again by the server's clock, and all later ones are made by it")
  func corrected() async throws {
    let transport = StubTransport(tooSkewed, stored)
    let client = try S3Client.stub(transport)
    try await client.put("a", [1])
    try await client.put("b", [2])
    #expect(times(transport) == ["20150830T123600Z", "20150830T143701Z", "20150830T143701Z"])
    #expect(transport.requests.map(\.url.last) == ["a", "a", "b"])
    #expect(try client.presignedURL(getting: "a", expiresIn: .seconds(60)).contains("X-Amz-Date=20150830T143701Z"))
  }

  @Test("A listing then tells how far off this device's clock is")
  func listing() async throws {
    let page = StubTransport.Answer(
      200, ["Date": "Sun, 30 Aug 2015 14:37:02 GMT"], "<ListBucketResult></ListBucketResult>")
    let storage = S3Storage(try S3Client.stub(StubTransport(tooSkewed, page)))
    #expect(try await storage.list(prefix: "", after: nil).serverTimeMilliseconds == 1_440_945_422_000)
  }

  @Test("A server that refuses its own time is not asked for ever")
  func once() async throws {
    let transport = StubTransport(tooSkewed)
    let error = await #expect(throws: RemoteError.self) { try await S3Client.stub(transport).put("a", [1]) }
    #expect(error?.code == .accessDenied && error?.hint.contains("clock") == true)
    #expect(transport.requests.count == 2)
  }

  @Test("A server that does not tell its time cannot be helped", arguments: [[:], ["Date": "yesterday"]])
  func noDate(headers: [String: String]) async throws {
    let transport = StubTransport(.error(403, "RequestTimeTooSkewed", headers: headers), stored)
    let error = await #expect(throws: RemoteError.self) { try await S3Client.stub(transport).put("a", [1]) }
    #expect(error?.code == .accessDenied)
    #expect(times(transport) == ["20150830T123600Z"])
  }
}
