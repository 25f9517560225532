internal import ArgumentParser
internal import DimpleDb

/// The credentials of an S3 service.
struct S3Keys {
  var access: String
  var secret: String
  var sessionToken: String?

  /// From AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.
  static func fromEnvironment() throws -> S3Keys {
    guard let access = Environment["AWS_ACCESS_KEY_ID"], let secret = Environment["AWS_SECRET_ACCESS_KEY"] else {
      throw Failure("S3 needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment.")
    }
    // Empty is how shells and CI systems say that there is none.
    let token = Environment["AWS_SESSION_TOKEN"].flatMap { $0.isEmpty ? nil : $0 }
    return S3Keys(access: access, secret: secret, sessionToken: token)
  }
}

/// Where s3://bucket/… is.
struct S3Options: ParsableArguments {
  @Option(help: ArgumentHelp("The service's address, for s3:// URLs.", valueName: "url"))
  var endpoint: String?
  @Option(help: "The bucket's region.")
  var region = "us-east-1"
  @Flag(help: "Name the bucket in the host, https://bucket.host/key, as some services require.")
  var virtualHost = false

  private var addressing: S3Configuration.Addressing { virtualHost ? .virtualHost : .path }

  /// A folder, or s3://bucket/prefix.
  func remote(_ text: String) throws -> Remote {
    guard text.hasPrefix("s3://") else { return .directory(text) }
    let url = try S3URL(text)
    let keys = try S3Keys.fromEnvironment()
    return .s3(
      endpoint: try address(), bucket: url.bucket, prefix: url.key, region: region, accessKey: keys.access,
      secretKey: keys.secret, sessionToken: keys.sessionToken, addressing: addressing)
  }

  /// A client for a bucket.
  func client(bucket: String) throws -> S3Client {
    let keys = try S3Keys.fromEnvironment()
    return S3Client(
      try S3Configuration(
        endpoint: try address(), bucket: bucket, region: region, accessKey: keys.access, secretKey: keys.secret,
        sessionToken: keys.sessionToken, addressing: addressing))
  }

  private func address() throws -> String {
    if let endpoint { return endpoint }
    // Amazon's own address follows from the region; every other service has one of its own.
    return "https://s3.\(region).amazonaws.com"
  }
}

/// s3://bucket/key
struct S3URL {
  var bucket: String
  /// May be empty.
  var key: String

  init(_ text: String) throws {
    let parts = text.dropFirst("s3://".count).split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard text.hasPrefix("s3://"), let bucket = parts.first, !bucket.isEmpty else {
      throw Failure("\(text) is not of the form s3://bucket/key.")
    }
    self.bucket = String(bucket)
    key = parts.count > 1 ? String(parts[1]) : ""
  }
}
