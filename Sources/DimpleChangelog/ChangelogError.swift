/// What change tracking cannot do, and what to do about it.
public struct ChangelogError: Error, Sendable, CustomStringConvertible {
  /// The kind of failure; compare with the static members.
  public struct Code: Sendable, Hashable, CustomStringConvertible {
    private enum Kind: String { case missingPrimaryKey, nullKey, damagedLog, newerFormat, noReplica }
    private let kind: Kind
    private init(_ kind: Kind) { self.kind = kind }

    /// A table without a primary key cannot be tracked: nothing names its rows on other devices.
    public static let missingPrimaryKey = Code(.missingPrimaryKey)
    /// A row with NULL in its primary key was written.
    public static let nullKey = Code(.nullKey)
    /// A row of the log cannot be read.
    public static let damagedLog = Code(.damagedLog)
    /// The tracking tables were written by a newer version of this library.
    public static let newerFormat = Code(.newerFormat)
    /// The database is not tracked (yet).
    public static let noReplica = Code(.noReplica)

    /// The code's name.
    public var description: String { kind.rawValue }
  }

  /// The kind of failure.
  public var code: Code
  /// What was being done.
  public var operation: String
  /// What happened, for people.
  public var message: String
  /// What to do next.
  public var hint: String

  /// An error.
  public init(_ code: Code, operation: String, message: String, hint: String = "") {
    self.code = code
    self.operation = operation
    self.message = message
    self.hint = hint
  }

  /// One line: code, operation, message, hint.
  public var description: String {
    "\(code): \(operation): \(message)" + (hint.isEmpty ? "" : " \(hint)")
  }
}
