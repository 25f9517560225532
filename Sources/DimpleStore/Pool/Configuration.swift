public import Logging

/// How a database is opened.
public struct Configuration: Sendable {
  /// How many connections read at once, beside the one that writes; at least 1. They are opened when first needed.
  /// An in-memory database, and one without a write-ahead log, has one connection for all.
  public var readerCount = 4
  /// How long a statement waits for another connection's or program's lock before it throws `busy`.
  public var busyTimeout: Duration = .seconds(5)
  /// Whether foreign keys are enforced: https://sqlite.org/foreignkeys.html
  public var foreignKeys = true
  /// Whether the file is opened without the right to write; it must exist.
  public var isReadOnly = false
  /// Whether errors show the values that were bound. Off, no error holds a value, and errors can be logged anywhere.
  public var exposesValuesInErrors = false
  /// How changes reach the file; a file that is in another mode is converted when it is opened to write.
  public var journalMode = JournalMode.wal
  /// How often the disk is told to flush.
  public var synchronous = Synchronous.normal
  /// How many bytes of pages each connection keeps in memory; SQLite's own default, 2 MB, if `nil`.
  public var cacheSizeBytes: Int?
  /// How many snapshots may be pinned at once by ``Database/snapshot()``, and cursors of the database be open at once,
  /// both counted together; each keeps a connection of its own.
  public var maximumSnapshotCount = 8
  /// Functions in Swift that every connection can call from SQL.
  public var functions: [SQLFunction] = []
  /// Aggregate functions in Swift that every connection can call from SQL.
  public var aggregates: [SQLAggregate] = []
  /// Collating sequences in Swift that every connection can use.
  public var collations: [SQLCollation] = []
  /// The file's key, for an SQLite that encrypts, as SQLCipher does; asked for each time a connection is opened, and
  /// not kept. With an SQLite that does not encrypt, opening throws `unsupportedFeature` rather than write plain text.
  public var encryptionKey: (@Sendable () throws -> EncryptionKey)?
  /// Called with each new connection once it is set up, outside a transaction, on the thread that opens it: for
  /// `ATTACH`, `PRAGMA` and temporary tables. Connections are opened when first needed, and again after a failure or
  /// ``Database/resume()``. What it throws, the access that needed the connection throws.
  public var prepareConnection: (@Sendable (Connection) throws -> Void)?
  /// Called after each statement, on the thread that ran it; it must be quick and must not use the database. Costs
  /// nothing if `nil`.
  public var trace: (@Sendable (StatementTrace) -> Void)?
  /// How many compiled statements each connection keeps.
  public var statementCacheCapacity = 128
  /// For development only: a database whose migrations were edited, removed or reordered is erased and built anew,
  /// instead of refused. All data is lost; never with data that is tracked or synced, where it has no effect.
  public var erasesOnMigrationChange = false
  /// A name for the database in logs and queue labels.
  public var label = "database"
  /// Where to log; silent if `nil`. Values are never logged. At level `trace`, every statement is.
  public var logger: Logger?
  /// What takes part in the database's life, in order; each belongs to one database only.
  package var extensions: [any DatabaseExtension] = []

  /// The defaults.
  public init() {}

  /// https://sqlite.org/pragma.html#pragma_journal_mode
  public struct JournalMode: Sendable, Hashable {
    let name: String
    /// A write-ahead log: readers and the writer do not wait for each other.
    public static let wal = JournalMode(name: "wal")
    /// A rollback journal, deleted after each transaction: for one file without neighbours, as on a medium that is
    /// to be read only later. Reads then wait for writes.
    public static let delete = JournalMode(name: "delete")
    /// A rollback journal that is cut to nothing after each transaction.
    public static let truncate = JournalMode(name: "truncate")
  }

  /// https://sqlite.org/pragma.html#pragma_synchronous
  public struct Synchronous: Sendable, Hashable {
    let name: String
    /// Never: a power cut may damage the file.
    public static let off = Synchronous(name: "OFF")
    /// With a write-ahead log, at checkpoints: a power cut leaves the file intact and may lose the last commits; a crash
    /// of the program loses nothing.
    public static let normal = Synchronous(name: "NORMAL")
    /// At each commit: what is committed survives a power cut.
    public static let full = Synchronous(name: "FULL")
    /// As ``full``, and the folder too, once a rollback journal was deleted.
    public static let extra = Synchronous(name: "EXTRA")
  }

  /// Whether reads have connections of their own.
  var hasReaders: Bool { journalMode == .wal }

  var busyTimeoutMilliseconds: Int32 { Int32(clamping: max(0, busyTimeout.wholeMilliseconds)) }
}
