internal import DimplePrimitives

/// AWS Signature Version 4, as S3 wants it: the path is encoded once and not normalised.
///
/// Source: the Signature Version 4 pages of the AWS General Reference, and the test suite that comes with them.
package struct RequestSigner: Sendable {
  /// A request before it is signed, nothing percent-encoded yet.
  package struct Request: Sendable {
    package var method: String
    package var path: String
    package var query: [(name: String, value: String)]
    /// All that are to be signed; `Host` must be among them.
    package var headers: [HTTPHeader]
    /// Lowercase hexadecimal SHA-256 of the body, or ``RequestSigner/unsignedPayload``.
    package var payloadHash: String

    package init(
      method: String, path: String, query: [(name: String, value: String)], headers: [HTTPHeader], payloadHash: String
    ) {
      self.method = method
      self.path = path
      self.query = query
      self.headers = headers
      self.payloadHash = payloadHash
    }
  }

  /// Every step, so that a test can say which one went wrong.
  package struct Signature: Sendable {
    package let canonicalRequest: String
    package let stringToSign: String
    package let signature: String
    package let signedHeaders: String
    package let scope: String
  }

  /// For presigned URLs, whose body nobody knows yet.
  package static let unsignedPayload = "UNSIGNED-PAYLOAD"

  private let credentials: S3Credentials
  private let region: String
  private let service: String

  package init(credentials: S3Credentials, region: String, service: String = "s3") {
    self.credentials = credentials
    self.region = region
    self.service = service
  }

  /// The request's headers with `X-Amz-Date`, the session token's and `Authorization` added.
  package func signedHeaders(_ request: Request, atMilliseconds now: Int64) -> [HTTPHeader] {
    let (headers, signature) = sign(request, atMilliseconds: now)
    let authorization =
      "AWS4-HMAC-SHA256 Credential=\(credentials.accessKey)/\(signature.scope), "
      + "SignedHeaders=\(signature.signedHeaders), Signature=\(signature.signature)"
    return headers + [HTTPHeader("Authorization", authorization)]
  }

  /// The headers that are signed, and the signature over them, for a request that carries it in `Authorization`.
  package func sign(
    _ request: Request, atMilliseconds now: Int64
  ) -> (headers: [HTTPHeader], signature: Signature) {
    let time = UTCTime(milliseconds: now)
    var request = request
    request.headers.append(HTTPHeader("X-Amz-Date", time.basicFormat))
    if let token = credentials.sessionToken { request.headers.append(HTTPHeader("X-Amz-Security-Token", token)) }
    return (request.headers, signature(of: request, at: time))
  }

  /// The query of a URL that carries its own signature, percent-encoded and sorted, and that signature.
  ///
  /// - Parameter expiresInSeconds: How long the URL is good for.
  package func presign(
    _ request: Request, atMilliseconds now: Int64, expiresInSeconds: Int
  ) -> (query: String, signature: Signature) {
    let time = UTCTime(milliseconds: now)
    var request = request
    request.query += [
      ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"), ("X-Amz-Credential", "\(credentials.accessKey)/\(scope(time))"),
      ("X-Amz-Date", time.basicFormat), ("X-Amz-Expires", String(expiresInSeconds)),
      ("X-Amz-SignedHeaders", Self.canonicalHeaders(request.headers).names),
    ]
    if let token = credentials.sessionToken { request.query.append(("X-Amz-Security-Token", token)) }
    let signature = signature(of: request, at: time)
    return (Self.canonicalQuery(request.query) + "&X-Amz-Signature=\(signature.signature)", signature)
  }

  /// Encoded and sorted by name, then value: what is signed, and what is sent.
  package static func canonicalQuery(_ query: [(name: String, value: String)]) -> String {
    query.map { (PercentEncoding.encode($0.name), PercentEncoding.encode($0.value)) }
      .sorted { $0 < $1 }
      .map { "\($0)=\($1)" }.joined(separator: "&")
  }

  /// What is signed, and what is sent.
  package static func canonicalPath(_ path: String) -> String { PercentEncoding.encode(path, keepsSlashes: true) }
}

extension RequestSigner {
  private func signature(of request: Request, at time: UTCTime) -> Signature {
    let headers = Self.canonicalHeaders(request.headers)
    let canonical = [
      request.method, Self.canonicalPath(request.path), Self.canonicalQuery(request.query), headers.lines,
      headers.names,
      request.payloadHash,
    ].joined(separator: "\n")
    let scope = scope(time)
    let stringToSign = [
      "AWS4-HMAC-SHA256", time.basicFormat, scope, Hex.encode(SHA256.hash([UInt8](canonical.utf8))),
    ].joined(separator: "\n")
    var key = [UInt8]("AWS4\(credentials.secretKey)".utf8)
    for part in [time.basicDate, region, service, "aws4_request", stringToSign] {
      key = HMACSHA256.authenticate([UInt8](part.utf8), key: key)
    }
    return Signature(
      canonicalRequest: canonical, stringToSign: stringToSign, signature: Hex.encode(key), signedHeaders: headers.names,
      scope: scope)
  }

  private func scope(_ time: UTCTime) -> String { "\(time.basicDate)/\(region)/\(service)/aws4_request" }

  /// One line per name, lowercase, sorted, spaces run together; values of a repeated name joined by commas.
  private static func canonicalHeaders(_ headers: [HTTPHeader]) -> (lines: String, names: String) {
    var values: [String: [String]] = [:]
    for header in headers {
      let words = header.value.split(separator: " ", omittingEmptySubsequences: true)
      values[header.name.lowercased(), default: []].append(words.joined(separator: " "))
    }
    let names = values.keys.sorted()
    let lines = names.map { "\($0):\((values[$0] ?? []).joined(separator: ","))\n" }.joined()
    return (lines, names.joined(separator: ";"))
  }
}
