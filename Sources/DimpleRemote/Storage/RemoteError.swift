/// What went wrong on the far side, and what to do about it.
///
/// Match on the code: `catch let error as RemoteError where error.code == .accessDenied`.
public struct RemoteError: Error, Sendable, CustomStringConvertible {
  /// The kind of failure; compare with the static members.
  public struct Code: Sendable, Hashable, CustomStringConvertible {
    private enum Kind: String {
      case notFound, invalidKey, tooLarge, preconditionFailed, accessDenied, bucketNotFound, unreachable, timedOut
      case throttled, serverFailed, damaged, storageFull, invalidConfiguration, wrongPassphrase, unsupportedVersion
      case notEncrypted, encrypted, ioFailed, endlessListing
    }
    private let kind: Kind
    private init(_ kind: Kind) { self.kind = kind }

    /// There is no object under the key.
    public static let notFound = Code(.notFound)
    /// The key breaks the rules of ``ObjectStorage``.
    public static let invalidKey = Code(.invalidKey)
    /// The object is longer than the caller accepts.
    public static let tooLarge = Code(.tooLarge)
    /// A conditional put met an existing object.
    public static let preconditionFailed = Code(.preconditionFailed)
    /// The credentials are wrong or may not do this.
    public static let accessDenied = Code(.accessDenied)
    /// The bucket (or the folder that stands for it) does not exist.
    public static let bucketNotFound = Code(.bucketNotFound)
    /// Nobody answers at the endpoint: name resolution, connection or TLS failed.
    public static let unreachable = Code(.unreachable)
    /// The answer took longer than the limit; the outcome is unknown.
    public static let timedOut = Code(.timedOut)
    /// The far side asks for fewer requests.
    public static let throttled = Code(.throttled)
    /// The far side failed by its own account (HTTP 5xx).
    public static let serverFailed = Code(.serverFailed)
    /// What came back is not what was stored, or not what the protocol allows.
    public static let damaged = Code(.damaged)
    /// No space left on the far side.
    public static let storageFull = Code(.storageFull)
    /// An endpoint, bucket, region or path that cannot work.
    public static let invalidConfiguration = Code(.invalidConfiguration)
    /// The passphrase or key does not open the vault.
    public static let wrongPassphrase = Code(.wrongPassphrase)
    /// The vault was made by a newer version of this library.
    public static let unsupportedVersion = Code(.unsupportedVersion)
    /// Encryption was asked for, but the remote holds a vault without.
    public static let notEncrypted = Code(.notEncrypted)
    /// No encryption was asked for, but the remote holds an encrypted vault.
    public static let encrypted = Code(.encrypted)
    /// Reading or writing the far side's files failed.
    public static let ioFailed = Code(.ioFailed)
    /// A listing has more pages than any should have, or repeats itself.
    public static let endlessListing = Code(.endlessListing)

    /// The code's name.
    public var description: String { kind.rawValue }
  }

  /// The kind of failure.
  public var code: Code
  /// What was being done: `put log/abc.age`.
  public var operation: String
  /// What happened, for people; never holds a secret.
  public var message: String
  /// What to do next.
  public var hint: String
  /// Whether the same call may succeed later unchanged.
  public var isRetryable: Bool
  /// How long the far side asked to wait, if it did; from zero to ``maximumRetryAfter``.
  public var retryAfter: Duration? {
    didSet { retryAfter = Self.bounded(retryAfter) }
  }
  /// What the lower layer said.
  public var underlying: (any Error)?

  /// An error; `isRetryable` is set from the code unless given.
  public init(
    _ code: Code, operation: String, message: String, hint: String = "", isRetryable: Bool? = nil,
    retryAfter: Duration? = nil, underlying: (any Error)? = nil
  ) {
    self.code = code
    self.operation = operation
    self.message = message
    self.hint = hint
    self.isRetryable = isRetryable ?? [.unreachable, .timedOut, .throttled, .serverFailed].contains(code)
    self.retryAfter = Self.bounded(retryAfter)
    self.underlying = underlying
  }

  /// The far side may ask for any time, by mistake or to keep a device away: an hour is the longest that it gets.
  public static let maximumRetryAfter = Duration.seconds(3600)

  private static func bounded(_ duration: Duration?) -> Duration? {
    duration.map { min(max($0, .zero), maximumRetryAfter) }
  }

  /// One line: code, operation, message, hint.
  public var description: String {
    "\(code): \(operation): \(message.sentence)" + (hint.isEmpty ? "" : " \(hint)")
  }
}

extension String {
  /// With a full stop, unless it ends like a sentence: libraries' own messages do not.
  fileprivate var sentence: String { last.map { ".!?…".contains($0) } ?? true ? self : self + "." }
}
