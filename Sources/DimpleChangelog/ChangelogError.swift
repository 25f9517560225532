internal import DimpleStore

/// Why changes could not be tracked or read, and what to do about it.
///
/// Match on the code: `catch let error as ChangelogError where error.code == .missingPrimaryKey`. A write that a tracking
/// trigger refuses surfaces as the store's error, with this error's text in its message.
public struct ChangelogError: Error, Sendable, CustomStringConvertible {
  /// The kind of failure; compare with the static members.
  public struct Code: Sendable, Hashable, CustomStringConvertible {
    private enum Kind: String {
      case missingPrimaryKey, unsupportedTable, nullKey, damagedLog, newerFormat, clockExhausted, notInTransaction
      case notAttached, alreadyAttached, internalMismatch
      case unknownTable, noSuchMoment, historyRemoved, foreignHistoryUnknown, undoConflict, nothingToUndo
      case invalidIdentifier, untrackableColumn, wrongKey
    }
    private let kind: Kind
    private init(_ kind: Kind) { self.kind = kind }

    /// A tracked table has no primary key, so its rows have no name by which devices could agree on them.
    public static let missingPrimaryKey = Code(.missingPrimaryKey)
    /// A tracked table is beyond what the log can describe, such as a key of more than 31 columns.
    public static let unsupportedTable = Code(.unsupportedTable)
    /// A column of ``Changelog/Options/untrackedColumns`` cannot be left out: it is of the primary key, or it is `NOT NULL`
    /// without a default.
    public static let untrackableColumn = Code(.untrackableColumn)
    /// A row has `NULL` in its primary key, which SQLite allows in most tables and tracking cannot.
    public static let nullKey = Code(.nullKey)
    /// A row of the log, or of its catalogue, does not decode.
    public static let damagedLog = Code(.damagedLog)
    /// The database was written by a newer version of this library.
    public static let newerFormat = Code(.newerFormat)
    /// The hybrid clock has reached the last time it can express, or would have to.
    public static let clockExhausted = Code(.clockExhausted)
    /// Something that must be part of a write transaction was called outside one.
    public static let notInTransaction = Code(.notInTransaction)
    /// The changelog belongs to no open database.
    public static let notAttached = Code(.notAttached)
    /// The changelog belongs to another open database.
    public static let alreadyAttached = Code(.alreadyAttached)
    /// A trigger and the function it calls disagree: the trigger was not made by this version.
    public static let internalMismatch = Code(.internalMismatch)
    /// A table was asked for that is not tracked, or not there.
    public static let unknownTable = Code(.unknownTable)
    /// A row was asked for by a key that has not as many values as its table's primary key has columns.
    public static let wrongKey = Code(.wrongKey)
    /// A moment was asked for that this database's history does not have: a transaction to come, another replica's change.
    public static let noSuchMoment = Code(.noSuchMoment)
    /// The log does not reach back far enough: what is asked for was removed from it, or never in it.
    public static let historyRemoved = Code(.historyRemoved)
    /// What is asked for depends on a value that came from another replica and is not kept.
    public static let foreignHistoryUnknown = Code(.foreignHistoryUnknown)
    /// Undoing would lose later changes.
    public static let undoConflict = Code(.undoConflict)
    /// There is nothing to undo or redo.
    public static let nothingToUndo = Code(.nothingToUndo)
    /// An SQL function for identifiers was given something else.
    public static let invalidIdentifier = Code(.invalidIdentifier)

    /// The code's name.
    public var description: String { kind.rawValue }
  }

  /// The kind of failure.
  public var code: Code
  /// What was being done: `track "Todo"`.
  public var operation: String
  /// What happened, for people; never holds a value of the user's.
  public var message: String
  /// What to do next.
  public var hint: String
  /// Whether the same call may succeed later unchanged; always `false` so far.
  public var isRetryable: Bool
  /// What the lower layer said.
  public var underlying: (any Error)?

  /// An error from its parts.
  public init(
    _ code: Code, operation: String, message: String, hint: String = "", isRetryable: Bool = false,
    underlying: (any Error)? = nil
  ) {
    self.code = code
    self.operation = operation
    self.message = message
    self.hint = hint
    self.isRetryable = isRetryable
    self.underlying = underlying
  }

  /// One line: code, operation, message, hint.
  public var description: String {
    "\(code): \(operation): \(message.sentence)" + (hint.isEmpty ? "" : " \(hint)")
  }
}
