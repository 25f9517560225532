public import Logging

/// How a database's connections behave.
public struct Configuration: Sendable {
  /// How much a commit waits for: https://sqlite.org/pragma.html#pragma_synchronous.
  public enum Synchronous: Int, Sendable {
    /// A commit may be undone by a power cut, never by a crash of the process; the file stays whole.
    case normal = 1
    /// A commit survives a power cut.
    case full = 2
  }

  /// Snapshot readers that may run at a time, besides the writer. In-memory databases have none of their own.
  public var readerCount = 4
  /// How long a statement waits for another connection's lock.
  public var busyTimeout: Duration = .seconds(5)
  /// Whether foreign keys are enforced.
  public var foreignKeys = true
  /// How much a commit waits for.
  public var synchronous = Synchronous.normal
  /// Refuse every write, and an absent file.
  public var isReadOnly = false
  /// Prepared statements kept per connection.
  public var statementCacheSize = 128
  /// The longest text, blob or row accepted, in bytes; at most about 2 billion.
  public var maximumValueSize = 1_000_000_000
  /// Where to log; silent by default.
  public var logger: Logger?
  /// What reacts to connections, transactions and schema changes.
  package var extensions: [any DatabaseExtension] = []

  /// The defaults.
  public init() {}
}
