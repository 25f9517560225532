internal import DimpleRemote

/// Which bucket of which server, and as whom. Prints without its secrets.
public struct S3Configuration: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// How a bucket is named in a request.
  public enum Addressing: Sendable, Hashable {
    /// In the path, `https://host/bucket/key`: works almost everywhere.
    case path
    /// In the host name, `https://bucket.host/key`: some services allow nothing else.
    case virtualHost
  }

  /// `https://s3.eu-central-1.amazonaws.com`, `http://127.0.0.1:9000`, …
  public let endpoint: String
  /// The bucket's name.
  public let bucket: String
  /// `us-east-1`, `auto`, …
  public let region: String
  /// Comes before every key of an ``S3Storage``: empty, or ending in a slash.
  public let prefix: String
  /// How the bucket is named in a request.
  public let addressing: Addressing
  /// As whom.
  public let credentials: S3Credentials
  let location: S3Endpoint

  /// Checks what can be checked without asking the server.
  ///
  /// - Parameters:
  ///   - endpoint: `http` or `https`, a host, perhaps a port and a path; the bucket is not part of it.
  ///   - sessionToken: For temporary credentials.
  ///   - prefix: A folder in the bucket, so that several vaults share it; slashes at its ends make no difference. Used by
  ///     ``S3Storage`` alone.
  /// - Throws: ``RemoteError/Code/invalidConfiguration``.
  public init(
    endpoint: String, bucket: String, region: String, accessKey: String, secretKey: String, sessionToken: String? = nil,
    prefix: String = "", addressing: Addressing = .path
  ) throws {
    location = try S3Endpoint(endpoint)
    self.endpoint = endpoint
    guard (1...255).contains(bucket.utf8.count), KeyRules.isValid(bucket), !bucket.contains("/") else {
      throw Self.invalid("\(bucket) is no bucket's name.", hint: "Use its name alone, without slashes or s3://.")
    }
    self.bucket = bucket
    guard !region.isEmpty, KeyRules.isValid(region) else {
      throw Self.invalid("The region is empty or malformed.", hint: "Services without regions take us-east-1 or auto.")
    }
    self.region = region
    for (name, value) in [("access key", accessKey), ("secret key", secretKey), ("session token", sessionToken)] {
      guard let value else { continue }
      guard !value.isEmpty, value.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
        throw Self.invalid(
          "The \(name) is empty or holds a character that no key has.", hint: "Copy it again, without spaces around.")
      }
    }
    credentials = S3Credentials(accessKey: accessKey, secretKey: secretKey, sessionToken: sessionToken)
    self.prefix = try Self.folder(prefix)
    self.addressing = addressing
  }

  private static func folder(_ prefix: String) throws -> String {
    let trimmed = prefix.drop { $0 == "/" }
    guard let last = trimmed.lastIndex(where: { $0 != "/" }) else { return "" }
    let folder = String(trimmed[...last])
    guard KeyRules.isValid(folder) else {
      throw invalid("The prefix \(prefix) holds what no key may hold.", hint: "Use A-Z a-z 0-9 . _ - and slashes.")
    }
    return folder + "/"
  }

  private static func invalid(_ message: String, hint: String) -> RemoteError {
    RemoteError(.invalidConfiguration, operation: "configure S3", message: message, hint: hint)
  }

  /// `s3://bucket/prefix`
  public var description: String { "s3://\(bucket)/\(prefix)".droppingLastSlash }

  /// The location, without secrets.
  public var debugDescription: String { "\(description) at \(endpoint), region \(region), \(credentials)" }

  /// Shows to `dump` and debuggers what is no secret.
  public var customMirror: Mirror {
    Mirror(self, children: ["endpoint": endpoint, "bucket": bucket, "region": region, "prefix": prefix])
  }

  /// The `Host` of requests for the bucket.
  var host: String {
    switch addressing {
    case .path: location.authority
    case .virtualHost: "\(bucket).\(location.authority)"
    }
  }

  /// The path of an object, or of the bucket where `key` is `nil`; not percent-encoded.
  func path(_ key: String?) -> String {
    switch addressing {
    case .path: "\(location.path)/\(bucket)" + (key.map { "/\($0)" } ?? "")
    case .virtualHost: "\(location.path)/\(key ?? "")"
    }
  }

  /// An absolute URL; `query` is percent-encoded already.
  func url(_ key: String?, query: String) -> String {
    "\(location.scheme)://\(host)\(RequestSigner.canonicalPath(path(key)))" + (query.isEmpty ? "" : "?\(query)")
  }
}

extension String {
  fileprivate var droppingLastSlash: String { hasSuffix("/") ? String(dropLast()) : self }
}
