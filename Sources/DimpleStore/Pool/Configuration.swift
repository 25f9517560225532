public import Logging

/// How a database is opened.
public struct Configuration: Sendable {
  /// How many connections read at once, beside the one that writes; at least 1. They are opened when first needed.
  /// An in-memory database has one connection for all.
  public var readerCount = 4
  /// How long a statement waits for another connection's or program's lock before it throws `busy`.
  public var busyTimeout: Duration = .seconds(5)
  /// Whether foreign keys are enforced: https://sqlite.org/foreignkeys.html
  public var foreignKeys = true
  /// Whether the file is opened without the right to write; it must exist.
  public var isReadOnly = false
  /// Whether errors show the values that were bound. Off, no error holds a value, and errors can be logged anywhere.
  public var exposesValuesInErrors = false
  /// How many compiled statements each connection keeps.
  public var statementCacheCapacity = 128
  /// A name for the database in logs and queue labels.
  public var label = "database"
  /// Where to log; silent if `nil`. Values are never logged.
  public var logger: Logger?
  /// What takes part in the database's life, in order; each belongs to one database only.
  package var extensions: [any DatabaseExtension] = []

  /// The defaults.
  public init() {}

  var busyTimeoutMilliseconds: Int32 {
    let (seconds, attoseconds) = busyTimeout.components
    guard seconds < Int64(Int32.max / 1000) else { return .max }
    return Int32(max(0, seconds * 1000 + attoseconds / 1_000_000_000_000_000))
  }
}
