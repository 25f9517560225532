/// What proves to the server who asks. Never printed: not by `print`, not by `dump`, not in an error.
public struct S3Credentials: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// The public half, `AKIA…`.
  public let accessKey: String
  /// The secret half.
  public let secretKey: String
  /// For temporary credentials.
  public let sessionToken: String?

  /// Credentials as the provider handed them out.
  public init(accessKey: String, secretKey: String, sessionToken: String? = nil) {
    self.accessKey = accessKey
    self.secretKey = secretKey
    self.sessionToken = sessionToken
  }

  /// The access key's last four characters at most.
  public var description: String { "S3Credentials(…\(accessKey.count > 8 ? accessKey.suffix(4) : ""))" }

  /// The same as `description`.
  public var debugDescription: String { description }

  /// Shows nothing to `dump` and debuggers.
  public var customMirror: Mirror { Mirror(self, children: ["credentials": description]) }
}
