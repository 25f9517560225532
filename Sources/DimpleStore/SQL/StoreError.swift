/// What went wrong in the store, where, and what to do about it.
///
/// Match on the code: `catch let error as StoreError where error.code == .busy`.
public struct StoreError: Error, Sendable, CustomStringConvertible {
  /// The kind of failure; compare with the static members.
  public struct Code: Sendable, Hashable, CustomStringConvertible {
    private enum Kind: String {
      case busy, diskFull, corrupt, notADatabase, readOnly, ioFailed, cannotOpen, outOfMemory, tooBig
      case uniqueConstraint, foreignKeyConstraint, notNullConstraint, checkConstraint
      case dataTypeConstraint, constraint
      case sqlError, notAllowed, wrongArgumentCount, multipleStatements, functionFailed
      case typeMismatch, missingColumn, rowNotFound, tooManyRows, duplicateKey, unsupportedMapping, blobExpired
      case nestedTransaction, transactionLost, outsideClosure, interrupted, closed, suspended, tooManySnapshots
      case migrationHistoryChanged, newerDatabase, unsupportedFeature
    }
    private let kind: Kind
    private init(_ kind: Kind) { self.kind = kind }

    /// Another connection holds the lock, and went on holding it for ``Configuration/busyTimeout``.
    public static let busy = Code(.busy)
    /// The disk, or the quota, is full.
    public static let diskFull = Code(.diskFull)
    /// The file's contents contradict themselves.
    public static let corrupt = Code(.corrupt)
    /// The file is not an SQLite database, or is encrypted.
    public static let notADatabase = Code(.notADatabase)
    /// A write where only reading is possible.
    public static let readOnly = Code(.readOnly)
    /// The operating system failed to read or write the file.
    public static let ioFailed = Code(.ioFailed)
    /// The file cannot be opened.
    public static let cannotOpen = Code(.cannotOpen)
    /// SQLite could not allocate memory.
    public static let outOfMemory = Code(.outOfMemory)
    /// A value or a row beyond SQLite's limit of a billion bytes, or bytes beyond the end of a blob.
    public static let tooBig = Code(.tooBig)
    /// A `UNIQUE` constraint or a primary key refused the row.
    public static let uniqueConstraint = Code(.uniqueConstraint)
    /// A foreign key refused the row.
    public static let foreignKeyConstraint = Code(.foreignKeyConstraint)
    /// A `NOT NULL` constraint refused the row.
    public static let notNullConstraint = Code(.notNullConstraint)
    /// A `CHECK` constraint refused the row.
    public static let checkConstraint = Code(.checkConstraint)
    /// The type of a `STRICT` table's column, or of an `INTEGER PRIMARY KEY`, refused the value.
    public static let dataTypeConstraint = Code(.dataTypeConstraint)
    /// Another constraint refused the row: `RAISE(ABORT)` in a trigger, a virtual table's.
    public static let constraint = Code(.constraint)
    /// The SQL is wrong: syntax, or a table or a column that does not exist.
    public static let sqlError = Code(.sqlError)
    /// The statement is one that the store keeps for itself: transactions, its own tables, its own settings.
    public static let notAllowed = Code(.notAllowed)
    /// More or fewer values than the SQL has placeholders.
    public static let wrongArgumentCount = Code(.wrongArgumentCount)
    /// More than one statement where one is expected, or none.
    public static let multipleStatements = Code(.multipleStatements)
    /// A function implemented in Swift threw.
    public static let functionFailed = Code(.functionFailed)
    /// The stored value does not fit the Swift type without loss.
    public static let typeMismatch = Code(.typeMismatch)
    /// The type asks for a column that the row does not have.
    public static let missingColumn = Code(.missingColumn)
    /// There is no such row.
    public static let rowNotFound = Code(.rowNotFound)
    /// There is more than one row where one is expected.
    public static let tooManyRows = Code(.tooManyRows)
    /// Two rows have the same key.
    public static let duplicateKey = Code(.duplicateKey)
    /// The row of a blob that is read or written as a stream was changed meanwhile.
    public static let blobExpired = Code(.blobExpired)
    /// The type's Codable form is not one that fits a row.
    public static let unsupportedMapping = Code(.unsupportedMapping)
    /// A database was used inside a closure that already holds one of its connections: that would wait for itself.
    public static let nestedTransaction = Code(.nestedTransaction)
    /// SQLite ended the transaction by itself after an earlier error that was caught and passed over.
    public static let transactionLost = Code(.transactionLost)
    /// A connection was used after the closure that it was given to.
    public static let outsideClosure = Code(.outsideClosure)
    /// The statement was stopped.
    public static let interrupted = Code(.interrupted)
    /// The database is closed.
    public static let closed = Code(.closed)
    /// The database is suspended, so that it holds no lock: ``Database/suspend()``.
    public static let suspended = Code(.suspended)
    /// As many snapshots and cursors are open as ``Configuration/maximumSnapshotCount`` allows.
    public static let tooManySnapshots = Code(.tooManySnapshots)
    /// A migration that was applied is not what it was, or not where it was.
    public static let migrationHistoryChanged = Code(.migrationHistoryChanged)
    /// The database has migrations that this program does not know.
    public static let newerDatabase = Code(.newerDatabase)
    /// This build of SQLite cannot do it.
    public static let unsupportedFeature = Code(.unsupportedFeature)

    /// Whether a constraint of the schema refused the row.
    public var isConstraint: Bool {
      switch kind {
      case .uniqueConstraint, .foreignKeyConstraint, .notNullConstraint, .checkConstraint, .constraint: true
      default: false
      }
    }

    /// The code's name.
    public var description: String { kind.rawValue }
  }

  /// The kind of failure.
  public var code: Code
  /// SQLite's extended result code (https://sqlite.org/rescode.html); 0 if the failure is not SQLite's.
  public var extendedCode: Int32
  /// What was being done: `prepare`, `step`, `migrate "create Todo"`.
  public var operation: String
  /// The statement, if there is one, as it was written: placeholders in place of the values, unless
  /// ``Configuration/exposesValuesInErrors`` is set.
  public var sql: String?
  /// What happened, for people.
  public var message: String
  /// What to do next.
  public var hint: String
  /// Whether the same call may succeed later unchanged.
  public var isRetryable: Bool
  /// The cause, if it was thrown by other code: a function, a Codable implementation.
  public var underlying: (any Error)?

  /// An error; `isRetryable` is set from the code unless given.
  public init(
    _ code: Code, extendedCode: Int32 = 0, operation: String, sql: String? = nil, message: String, hint: String = "",
    isRetryable: Bool? = nil, underlying: (any Error)? = nil
  ) {
    self.code = code
    self.extendedCode = extendedCode
    self.operation = operation
    self.sql = sql
    self.message = message
    self.hint = hint
    self.isRetryable = isRetryable ?? [.busy, .diskFull, .interrupted, .suspended, .tooManySnapshots].contains(code)
    self.underlying = underlying
  }

  /// One line: code, operation, message, hint, SQL.
  public var description: String {
    var text = "\(code): \(operation): \(message.sentence)"
    if !hint.isEmpty { text += " \(hint)" }
    if let sql { text += " SQL: \(sql)" }
    return text
  }
}

extension String {
  /// With a full stop, unless it ends like a sentence: libraries' own messages do not.
  package var sentence: String { last.map { ".!?…".contains($0) } ?? true ? self : self + "." }
}
