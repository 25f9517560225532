internal import DimpleRemote

/// An answer that is not the one hoped for, and what it means to the caller of a storage.
struct S3Failure {
  let operation: String
  let configuration: S3Configuration
  let head: HTTPResponseHead
  let document: S3ErrorDocument?
  private let isEmpty: Bool

  /// - Parameter body: At most the first 64 KiB.
  init(operation: String, configuration: S3Configuration, head: HTTPResponseHead, body: [UInt8]) {
    self.operation = operation
    self.configuration = configuration
    self.head = head
    document = S3ErrorDocument(parsing: body)
    isEmpty = body.isEmpty
  }

  /// The request's time is too far from the server's.
  var isForTheTime: Bool { document?.code == "RequestTimeTooSkewed" }

  /// The error to throw.
  var remoteError: RemoteError {
    if let document, let error = error(for: document) { return error }
    return error(forStatus: head.status, document: document)
  }

  private func make(
    _ code: RemoteError.Code, _ message: String, hint: String, isRetryable: Bool? = nil
  ) -> RemoteError {
    RemoteError(
      code, operation: operation, message: message, hint: hint, isRetryable: isRetryable, retryAfter: retryAfter)
  }

  /// `Retry-After`, in seconds or as a date that the answer's own `Date` is taken from.
  private var retryAfter: Duration? {
    guard let text = head["retry-after"] else { return nil }
    if let seconds = Int64(text) { return seconds >= 0 ? .seconds(seconds) : nil }
    guard let until = UTCTime(httpDate: text), let now = head.date else { return nil }
    return .seconds(max(0, until.seconds - now.seconds))
  }

  // MARK: By S3's own code

  private func error(for document: S3ErrorDocument) -> RemoteError? {
    let said = "\(document.code): \(document.message)"
    switch document.code {
    case "NoSuchKey", "NoSuchVersion":
      return make(.notFound, "There is no such object.", hint: "List again.")
    case "NoSuchBucket":
      return make(
        .bucketNotFound, "There is no bucket \(configuration.bucket) at \(configuration.endpoint).",
        hint: "Check the bucket's name and the endpoint, or create the bucket.")
    case "PreconditionFailed":
      return make(.preconditionFailed, "An object has this key already.", hint: "Get it, or put without the condition.")
    case "EntityTooLarge":
      return make(.tooLarge, said, hint: "The service does not take objects of this size.")
    case "KeyTooLongError":
      return make(.invalidKey, said, hint: "Use a shorter prefix.")
    case "QuotaExceeded", "StorageFull", "XMinioStorageFull", "InsufficientCapacity", "StorageQuotaExceeded":
      return make(.storageFull, said, hint: "Free space in the account, or enlarge it.")
    case "SlowDown", "TooManyRequests", "RequestLimitExceeded", "Throttling", "ThrottlingException", "Busy":
      return make(.throttled, said, hint: "Wait a little; make fewer requests at once.")
    case "RequestTimeout":
      return make(.timedOut, said, hint: "Try again on a better connection.")
    case "ConditionalRequestConflict", "OperationAborted":
      return make(.serverFailed, said, hint: "Another request for the same key was under way; try again.")
    case "BadDigest", "XAmzContentSHA256Mismatch", "IncompleteBody", "InvalidDigest":
      return make(.damaged, said, hint: "The bytes changed on their way; try again.", isRetryable: true)
    default:
      return accessError(for: document, said) ?? placeError(for: document, said)
    }
  }

  private func accessError(for document: S3ErrorDocument, _ said: String) -> RemoteError? {
    switch document.code {
    case "SignatureDoesNotMatch":
      make(
        .accessDenied, "The signature is wrong.", hint: "Check the secret key: it does not belong to this access key.")
    case "InvalidAccessKeyId":
      make(.accessDenied, "The server does not know the access key.", hint: "Check the access key and the endpoint.")
    // The first after another try by the server's clock, see `S3Client.perform`.
    case "RequestTimeTooSkewed", "RequestExpired":
      make(
        .accessDenied,
        "The server's clock says \(head["date"] ?? "another time"), this device's clock differs too much.",
        hint: "Set the device's clock: date, time and time zone.")
    case "ExpiredToken", "InvalidToken", "TokenRefreshRequired":
      make(.accessDenied, said, hint: "Get new temporary credentials (session token).")
    case "AccessDenied", "AllAccessDisabled", "AccountProblem", "InvalidObjectState", "NotSignedUp", "Forbidden":
      make(
        .accessDenied, said,
        hint: "Check that the access key may list, read, write and delete in the bucket \(configuration.bucket).")
    default: nil
    }
  }

  private func placeError(for document: S3ErrorDocument, _ said: String) -> RemoteError? {
    switch document.code {
    case "AuthorizationHeaderMalformed", "AuthorizationQueryParametersError", "IllegalLocationConstraintException",
      "InvalidRegion":
      make(.invalidConfiguration, said, hint: regionHint(document.region))
    case "PermanentRedirect", "TemporaryRedirect", "Redirect":
      make(.invalidConfiguration, said, hint: placeHint(document))
    case "InvalidBucketName":
      make(.invalidConfiguration, said, hint: "Check the bucket's name, \(configuration.bucket).")
    case "MethodNotAllowed":
      make(.invalidConfiguration, said, hint: "The server at \(configuration.endpoint) lacks this part of S3.")
    default: nil
    }
  }

  private func regionHint(_ region: String?) -> String {
    let expected = region ?? head["x-amz-bucket-region"]
    return expected.map { "Use the region \($0) instead of \(configuration.region)." }
      ?? "Check the region: \(configuration.region) is not what the server expects."
  }

  private func placeHint(_ document: S3ErrorDocument?) -> String {
    if let region = document?.region ?? head["x-amz-bucket-region"] {
      return "The bucket is in the region \(region): use it, and that region's endpoint."
    }
    if let endpoint = document?.endpoint ?? head["location"].map({ String($0.prefix(200)) }) {
      return "Use the endpoint \(endpoint)."
    }
    return "Check the endpoint and the region."
  }

  // MARK: By HTTP's status

  private func error(forStatus status: Int, document: S3ErrorDocument?) -> RemoteError {
    let said = document.map { "\($0.code): \($0.message)" } ?? "The server answered with HTTP status \(status)."
    switch status {
    case 301, 302, 303, 307, 308:
      return make(.invalidConfiguration, said, hint: placeHint(document))
    case 401, 403:
      return make(.accessDenied, said, hint: "Check the access key, the secret key and what they are allowed to do.")
    case 404 where document != nil || isEmpty:
      return make(.notFound, said, hint: "Check the bucket, the key and the endpoint.")
    case 408: return make(.timedOut, said, hint: "Try again on a better connection.")
    case 412:
      return make(.preconditionFailed, "An object has this key already.", hint: "Get it, or put without the condition.")
    case 413: return make(.tooLarge, said, hint: "The service does not take objects of this size.")
    case 416: return make(.notFound, "The object has no bytes in this range.", hint: "Ask for its size first.")
    case 429: return make(.throttled, said, hint: "Wait a little; make fewer requests at once.")
    case 501:
      return make(.invalidConfiguration, said, hint: "The server at \(configuration.endpoint) lacks this part of S3.")
    case 503: return make(.throttled, said, hint: "The service is busy; wait a little.")
    case 507: return make(.storageFull, said, hint: "Free space in the account, or enlarge it.")
    case 500...: return make(.serverFailed, said, hint: "The service has a problem of its own; try again later.")
    default:
      guard document == nil else { return make(.damaged, said, hint: "The server refused a request it should take.") }
      return foreign
    }
  }

  /// What answers is no S3 server: a web server, a router's login page.
  var foreign: RemoteError {
    make(
      .invalidConfiguration,
      "What answers at \(configuration.endpoint) does not speak S3 (HTTP status \(head.status)).",
      hint: "Check the endpoint, and that no login page of the network is in between.")
  }
}
