import DimpleS3
import Foundation
import Testing

@Suite("Signature Version 4")
struct RequestSignerTests {
  // MARK: The examples of the S3 API Reference, "Signature Calculations for the Authorization Header"

  private static let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
  private static let host = HTTPHeader("Host", "examplebucket.s3.amazonaws.com")
  private let signer = RequestSigner(
    credentials: S3Credentials(
      accessKey: "AKIAIOSFODNN7EXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"), region: "us-east-1")

  struct Example: CustomTestStringConvertible, Sendable {
    let request: RequestSigner.Request
    let signature: String
    var testDescription: String { "\(request.method) \(request.path) \(request.query)" }

    init(
      _ method: String, _ path: String, query: [(name: String, value: String)] = [], headers: [HTTPHeader] = [],
      payload: String = empty, signature: String
    ) {
      request = RequestSigner.Request(
        method: method, path: path, query: query,
        headers: [host] + headers + [HTTPHeader("x-amz-content-sha256", payload)], payloadHash: payload)
      self.signature = signature
    }
  }

  static let ownExamples: [Example] = [
    Example(
      "GET", "/test.txt", headers: [HTTPHeader("Range", "bytes=0-9")],
      signature: "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
    Example(
      "PUT", "/test$file.text",
      headers: [
        HTTPHeader("Date", "Fri, 24 May 2013 00:00:00 GMT"), HTTPHeader("x-amz-storage-class", "REDUCED_REDUNDANCY"),
      ], payload: "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
      signature: "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"),
    Example(
      "GET", "/", query: [("lifecycle", "")],
      signature: "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
    Example(
      "GET", "/", query: [("prefix", "J"), ("max-keys", "2")],
      signature: "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
  ]

  @Test("S3's own examples", arguments: ownExamples) func example(_ example: Example) {
    let (_, signature) = signer.sign(example.request, atMilliseconds: 1_369_353_600_000)
    #expect(signature.signature == example.signature, "\(signature.canonicalRequest)")
    let authorization = signer.signedHeaders(example.request, atMilliseconds: 1_369_353_600_000).last
    #expect(authorization?.name == "Authorization")
    #expect(
      authorization?.value.hasPrefix(
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=") == true)
    #expect(authorization?.value.hasSuffix("Signature=\(example.signature)") == true)
  }

  @Test("The path is encoded once, and not normalised") func path() {
    #expect(RequestSigner.canonicalPath("/a b/../%2F//é~") == "/a%20b/../%252F//%C3%A9~")
  }

  // MARK: The test suite

  @Test(
    "AWS's test suite, for headers and for queries",
    .enabled(if: SigningVector.areThere, "../shared/sigv4-vectors is missing"))
  func testSuite() throws {
    let vectors = try SigningVector.all()
    #expect(vectors.count >= 14)
    for vector in vectors {
      let (headers, byHeader) = vector.signer.sign(vector.request(forQuery: false), atMilliseconds: vector.milliseconds)
      #expect(byHeader.canonicalRequest == vector.text("header-canonical-request"), "\(vector.name)")
      #expect(byHeader.stringToSign == vector.text("header-string-to-sign"), "\(vector.name)")
      #expect(byHeader.signature == vector.text("header-signature"), "\(vector.name)")
      let signedRequest = vector.text("header-signed-request")
      for header in headers {
        #expect(signedRequest.contains("\(header.name):"), "\(vector.name): \(header.name)")
      }
      let (query, byQuery) = vector.signer.presign(
        vector.request(forQuery: true), atMilliseconds: vector.milliseconds, expiresInSeconds: vector.expiry)
      #expect(byQuery.canonicalRequest == vector.text("query-canonical-request"), "\(vector.name)")
      #expect(byQuery.stringToSign == vector.text("query-string-to-sign"), "\(vector.name)")
      #expect(byQuery.signature == vector.text("query-signature"), "\(vector.name)")
      #expect(query.hasSuffix("&X-Amz-Signature=\(byQuery.signature)"), "\(vector.name)")
    }
  }
}

/// One case of the signing test suite.
struct SigningVector {
  private struct Context: Decodable {
    struct Credentials: Decodable {
      let access_key_id: String
      let secret_access_key: String
      let token: String?
    }
    let credentials: Credentials
    let expiration_in_seconds: Int
    let region: String
    let service: String
    let sign_body: Bool
    let timestamp: String
  }

  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../../shared/sigv4-vectors").standardizedFileURL

  static var areThere: Bool { FileManager.default.fileExists(atPath: folder.path) }

  static func all() throws -> [SigningVector] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().map {
      let file = folder.appending(path: $0).appending(path: "context.json")
      return SigningVector(name: $0, context: try JSONDecoder().decode(Context.self, from: Data(contentsOf: file)))
    }
  }

  let name: String
  private let context: Context

  var signer: RequestSigner {
    RequestSigner(
      credentials: S3Credentials(
        accessKey: context.credentials.access_key_id, secretKey: context.credentials.secret_access_key,
        sessionToken: context.credentials.token), region: context.region, service: context.service)
  }

  var expiry: Int { context.expiration_in_seconds }

  var milliseconds: Int64 {
    let date = try? Date(context.timestamp, strategy: .iso8601)
    return Int64((date?.timeIntervalSince1970 ?? 0) * 1000)
  }

  func text(_ name: String) -> String {
    let file = Self.folder.appending(path: self.name).appending(path: "\(name).txt")
    return (try? String(contentsOf: file, encoding: .utf8)) ?? "\(file.path) is missing"
  }

  /// The request of the case; signing its body adds a header.
  func request(forQuery: Bool) -> RequestSigner.Request {
    let parts = text("request").split(separator: "\n\n", maxSplits: 1, omittingEmptySubsequences: false)
    let lines = parts[0].split(separator: "\n")
    let first = lines[0].split(separator: " ", maxSplits: 1)
    let target = first[1].dropLast(" HTTP/1.1".count).split(separator: "?", maxSplits: 1)
    var headers = lines.dropFirst().map { line in
      let pair = line.split(separator: ":", maxSplits: 1)
      return HTTPHeader(String(pair[0]), pair[1].trimmingCharacters(in: .whitespaces))
    }
    // In a query, the hash of the body is known from the request alone.
    let canonical = text(forQuery ? "query-canonical-request" : "header-canonical-request")
    let hash = String(canonical.suffix(64))
    if context.sign_body, !forQuery { headers.append(HTTPHeader("x-amz-content-sha256", hash)) }
    let query = target.dropFirst().first.map { $0.split(separator: "&") } ?? []
    return RequestSigner.Request(
      method: String(first[0]), path: String(target[0]),
      query: query.map { pair in
        let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        return (sides[0], sides.count > 1 ? sides[1] : "")
      }, headers: headers, payloadHash: hash)
  }
}
