internal import DimpleStore

/// What stopped a sync, or one object of it, and what to do about it.
///
/// Failures of the far side arrive as `RemoteError`, of the database as `StoreError`; this type is for what sync itself
/// finds wrong.
public struct SyncError: Error, Sendable, CustomStringConvertible {
  /// The kind of failure; compare with the static members.
  public struct Code: Sendable, Hashable, CustomStringConvertible {
    private enum Kind: String {
      case damagedObject, unsupportedFormat, forgedAuthor, brokenChain, notTracked, newerDatabase, damagedState
      case historyRemoved, fromTheFuture, unknownValues, ambiguousRename, transactionTooLarge
    }
    private let kind: Kind
    private init(_ kind: Kind) { self.kind = kind }

    /// An object of the bucket is not what its name says: cut short, altered, or something else altogether.
    public static let damagedObject = Code(.damagedObject)
    /// The object was written by a newer version of this library.
    public static let unsupportedFormat = Code(.unsupportedFormat)
    /// The object claims a replica whose key it was not signed with.
    public static let forgedAuthor = Code(.forgedAuthor)
    /// The object's transactions do not continue those already merged from the same replica.
    public static let brokenChain = Code(.brokenChain)
    /// The database was opened without change tracking.
    public static let notTracked = Code(.notTracked)
    /// The sync tables of the database were written by a newer version of this library.
    public static let newerDatabase = Code(.newerDatabase)
    /// What a row held is not known on this device.
    public static let unknownValues = Code(.unknownValues)
    /// A declared rename contradicts the schema or one declared before.
    public static let ambiguousRename = Code(.ambiguousRename)
    /// A row of the sync tables cannot be read.
    public static let damagedState = Code(.damagedState)
    /// A transaction is larger than ``SyncEngine/Options/maximumObjectSize``: others would not read it.
    public static let transactionTooLarge = Code(.transactionTooLarge)
    /// The log was trimmed, and the vault lacks what is gone.
    public static let historyRemoved = Code(.historyRemoved)

    /// A snapshot has writes that lie too far ahead of this device's clock.
    public static let fromTheFuture = Code(.fromTheFuture)

    /// The code's name.
    public var description: String { kind.rawValue }
  }

  /// The kind of failure.
  public var code: Code
  /// What was being done.
  public var operation: String
  /// What happened, for people; never holds a secret or a row's values.
  public var message: String
  /// What to do next.
  public var hint: String
  /// Whether the same call may succeed later unchanged.
  public var isRetryable: Bool
  /// What the lower layer said.
  public var underlying: (any Error)?

  /// An error.
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
