/// What went wrong in the local database, and what to do about it.
///
/// Match on the code: `catch let error as StoreError where error.code == .diskFull`. Values never appear in it.
public struct StoreError: Error, Sendable, CustomStringConvertible {
  /// The kind of failure; compare with the static members.
  public struct Code: Sendable, Hashable, CustomStringConvertible {
    private enum Kind: String {
      case busy, diskFull, corrupt, notADatabase, readOnly, ioFailed, cannotOpen, interrupted, sql, misuse, notAllowed
      case uniqueConstraint, primaryKeyConstraint, notNullConstraint, checkConstraint, foreignKeyConstraint
      case dataTypeConstraint, otherConstraint, schemaChanged, tooBig, outOfMemory, nestedAccess, closed,
        transactionLost
      case typeMismatch, missingColumn, notFound, migrationHistoryChanged, newerDatabase, other
    }
    private let kind: Kind
    private init(_ kind: Kind) { self.kind = kind }

    /// Another connection holds the lock longer than the busy timeout.
    public static let busy = Code(.busy)
    /// No space left.
    public static let diskFull = Code(.diskFull)
    /// The file is damaged.
    public static let corrupt = Code(.corrupt)
    /// The file is not an SQLite database, or is encrypted.
    public static let notADatabase = Code(.notADatabase)
    /// A write to a database, connection or file that only reads.
    public static let readOnly = Code(.readOnly)
    /// The operating system failed to read or write.
    public static let ioFailed = Code(.ioFailed)
    /// The file cannot be opened or created.
    public static let cannotOpen = Code(.cannotOpen)
    /// The statement was interrupted.
    public static let interrupted = Code(.interrupted)
    /// The SQL is wrong: syntax, unknown table or column, several statements.
    public static let sql = Code(.sql)
    /// The library is used in a way it cannot be.
    public static let misuse = Code(.misuse)
    /// SQL that only the library may run.
    public static let notAllowed = Code(.notAllowed)
    /// A UNIQUE constraint.
    public static let uniqueConstraint = Code(.uniqueConstraint)
    /// A PRIMARY KEY constraint.
    public static let primaryKeyConstraint = Code(.primaryKeyConstraint)
    /// A NOT NULL constraint.
    public static let notNullConstraint = Code(.notNullConstraint)
    /// A CHECK constraint.
    public static let checkConstraint = Code(.checkConstraint)
    /// A FOREIGN KEY constraint.
    public static let foreignKeyConstraint = Code(.foreignKeyConstraint)
    /// A value of the wrong type for a STRICT column or an INTEGER PRIMARY KEY.
    public static let dataTypeConstraint = Code(.dataTypeConstraint)
    /// Another constraint: a trigger's RAISE, a virtual table.
    public static let otherConstraint = Code(.otherConstraint)
    /// The schema changed while a statement ran.
    public static let schemaChanged = Code(.schemaChanged)
    /// A value or statement beyond SQLite's limits.
    public static let tooBig = Code(.tooBig)
    /// Out of memory.
    public static let outOfMemory = Code(.outOfMemory)
    /// A read or write inside another of the same database: it would wait for itself.
    public static let nestedAccess = Code(.nestedAccess)
    /// SQLite rolled the transaction back in its middle, after a failure that was caught.
    public static let transactionLost = Code(.transactionLost)
    /// The database was closed.
    public static let closed = Code(.closed)
    /// A value that does not fit the Swift type it is read as.
    public static let typeMismatch = Code(.typeMismatch)
    /// The result lacks a column that the Swift type asks for.
    public static let missingColumn = Code(.missingColumn)
    /// There is no such row.
    public static let notFound = Code(.notFound)
    /// A migration that was applied is not the one in the code any more.
    public static let migrationHistoryChanged = Code(.migrationHistoryChanged)
    /// The database was migrated by a newer version of the app.
    public static let newerDatabase = Code(.newerDatabase)
    /// Anything else SQLite reports.
    public static let other = Code(.other)

    /// Any of the constraints.
    public var isConstraint: Bool {
      [
        .uniqueConstraint, .primaryKeyConstraint, .notNullConstraint, .checkConstraint, .foreignKeyConstraint,
        .dataTypeConstraint, .otherConstraint,
      ].contains(self)
    }

    /// The code's name.
    public var description: String { kind.rawValue }
  }

  /// The kind of failure.
  public var code: Code
  /// SQLite's extended result code, where SQLite failed: https://sqlite.org/rescode.html.
  public var sqliteCode: Int32?
  /// What was being done.
  public var operation: String
  /// The statement, with `?` for values.
  public var sql: String?
  /// What happened, for people.
  public var message: String
  /// What to do next.
  public var hint: String

  /// Whether the same call may succeed later unchanged.
  public var isRetryable: Bool { code == .busy || code == .interrupted || code == .schemaChanged }

  /// An error.
  public init(_ code: Code, operation: String, sql: String? = nil, message: String, hint: String = "") {
    self.code = code
    self.operation = operation
    self.sql = sql
    self.message = message
    self.hint = hint
  }

  /// One line: code, operation, message, hint, statement.
  public var description: String {
    "\(code): \(operation): \(message)" + (hint.isEmpty ? "" : " \(hint)") + (sql.map { " [\($0)]" } ?? "")
  }
}
