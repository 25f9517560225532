/// One request of the S3 protocol before it is signed.
struct S3Call: Sendable {
  /// For errors: `get log/abc`.
  let operation: String
  let method: HTTPRequest.Method
  /// `nil` for the bucket itself.
  let key: String?
  var query: [(name: String, value: String)] = []
  /// All are signed.
  var headers: [HTTPHeader] = []
  var body = RequestBody.empty
  /// Lowercase hexadecimal SHA-256.
  var payloadHash = PayloadDigest.empty.sha256
  /// The one status that counts as success; any of the 2xx where `nil`.
  var expectedStatus: Int?
  /// S3 error codes and HTTP statuses whose answers are returned, not thrown.
  var toleratedErrors: Set<String> = []
  var toleratedStatuses: Set<Int> = []

  init(_ operation: String, _ method: HTTPRequest.Method, key: String?) {
    self.operation = operation
    self.method = method
    self.key = key
  }

  func accepts(_ status: Int) -> Bool {
    expectedStatus.map { $0 == status } ?? (200..<300).contains(status)
  }
}
