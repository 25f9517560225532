internal import DimpleMutex
public import DimpleStore

/// Tracks every change of a database: any INSERT, UPDATE or DELETE of a tracked table, by API or plain SQL, cascades and
/// triggers included, is in the log in the same transaction, or rolled back with it.
///
/// There is one for each database opened with `Database.open`, as ``DimpleStore/Database/changelog``.
///
/// ```swift
/// for change in try db.changelog?.changes(after: 41) ?? [] {
///   print(change.stamp.uuid, change.operation, change.table, change.key, change.columns)
/// }
/// ```
///
/// ## How it works
/// Each tracked table has three triggers, which the database file carries. They call functions that this library defines on
/// its own connections: the functions pack the rows' changes into a few bytes each, and before the transaction commits
/// these are appended to `dimple_log`, a run of changes in a row. So a transaction costs one row more; the log commits and
/// rolls back with the write, follows savepoints and statements that fail; and another program's write, for which the
/// functions are missing, is refused by SQLite rather than lost. A value is logged when its type or bytes change, to the bit.
///
/// Every change has a ``Stamp``: a hybrid logical time, which rises with the clock and never falls, and the ``ReplicaID`` of
/// the database file. As a UUID of version 7 it is the change's identity.
///
/// ## What is tracked
/// All ordinary tables but those named in ``Options/untracked``; generated columns, virtual tables and their shadow tables,
/// views, temporary and attached tables are not. A tracked table needs a primary key, by whose values devices know its rows:
/// without one, it is refused when it is made or found. Where the key may be `NULL`, only a write that makes it so is refused.
/// Tables and columns have stable ids in the log, so that renaming or rebuilding a table does not lose its history. Rows that
/// were there before a table was tracked become changes once, when the database is opened.
///
/// docs/CHANGELOG_FORMAT.md has the stored bytes, and the limits.
///
/// Safe to use from any thread. The log's methods block; reads of it run beside writes.
public final class Changelog: DatabaseExtension {
  /// How tracking behaves. All processes that open a database should choose alike.
  public struct Options: Sendable {
    /// Tables that stay on this device, in any case.
    public var untracked: Set<String> = []
    /// Columns that stay on this device, by their table, both in any case: `["Photo": ["localPath"]]`.
    ///
    /// Changing only such a column logs nothing, and what comes from other replicas leaves its value alone; a row that is
    /// new from elsewhere has the column's default. So the column must be one that may be left out of an insert, and not of
    /// the primary key: opening throws ``ChangelogError`` `.untrackableColumn` otherwise. Names follow the schema of the
    /// moment: a column or table renamed to another name is treated by that name.
    ///
    /// A change of this option is followed when the database is next opened. A column that is tracked from then on, or
    /// again, has its values logged as updates in one transaction: all of them if it was tracked before, and otherwise
    /// those that differ from the column's default.
    public var untrackedColumns: [String: Set<String>] = [:]
    /// Tables, in any case, in which a write to a row's columns outlives a delete that is older and did not know of it: where one
    /// device deletes a row and another changes it later, the row is shown with all its values. In all other tables it stays
    /// deleted, and is brought back by `undelete` alone.
    ///
    /// This is part of what the app's schema means, like a foreign key: all its devices should choose alike, as all processes
    /// should. What syncs is the same either way; a device that has chosen otherwise, or has an older version of the app, shows
    /// such rows as deleted until it chooses so, too. A change of this option is followed by the next sync. Rows whose values a
    /// device no longer knows, as it deleted them before it chose so, are held there until somebody writes them anew.
    public var updateRevives: Set<String> = []
    /// Whether history keeps the values that come from other replicas, and not only who changed which row and column when:
    /// for ``DimpleStore/Database/asOf(_:tables:)`` and undo over what others wrote. Costs about as much room as the log has
    /// for one's own changes. Counts from when it is set.
    public var keepsMergedValues = false
    /// Whether a copy of the database file is found when it is opened, by the number and the birth time that the file system
    /// gives to each file, and becomes a replica of its own before it writes. Renaming and moving a file makes no copy of it;
    /// moving it to another disk does, and so does restoring a backup. Turn it off where files get new numbers by
    /// themselves, as on some network and removable disks: copies are then found when they sync.
    public var detectsCopies = true
    /// How long the log is kept: all of it, unless said otherwise. See ``Changelog/trim()-swift.method``.
    public var retention = Retention.all
    /// Whether the log is trimmed beside the app's work. Tests do it themselves.
    package var trimsByItself = true
    /// Told how far opening the database is with rows that were there before they were tracked, after every batch: see
    /// ``Changelog/adopt(progress:)``. Called on the thread that opens it, and must not use it.
    public var adoptionDidProgress: @Sendable (AdoptionProgress) -> Void = { _ in }
    /// The device's clock.
    public var clock = WallClock.system
    /// 64 random bits; for new replica ids.
    public var random: @Sendable () -> UInt64 = { UInt64.random(in: 0...UInt64.max) }

    /// Everything is tracked.
    public init() {}
  }

  struct State {
    /// For the writer's thread alone.
    var recorder: ChangeRecorder
    var replica = ReplicaID(rawValue: 0)
    /// To go back to if the running transaction changes it and is rolled back.
    var committedReplica = ReplicaID(rawValue: 0)
    /// The tracking tables are there.
    var isSetUp = false
    /// `databaseDidOpen` is through: from now on, a table without an id is untracked.
    var isOpen = false
    /// `PRAGMA data_version` of the writer when the recorder was last in step with the file.
    var dataVersion: Int64?
    /// As the writer's running transaction sees it.
    var schema: TrackedSchema?
    /// As a reader saw it last.
    var readerTables: (version: Int64, tables: [TrackedTable])?
    /// What the running transaction did to the schema.
    var changes = SchemaChanges()
    /// Up to where others' commits were looked at; `nil` before the first look.
    var observed: ObservedCommits?
    /// From which transaction on undo stacks need the log.
    var undoHolds: [ObjectIdentifier: Int64] = [:]
    weak var database: Database?
    /// Alive as long as the writer connection is.
    weak var writer: WriterLink?
  }

  let options: Options
  let state: Mutex<State>
  let trimming = BackgroundTrimming()
  /// Tells a database in memory from what it was copied from, or to.
  let memoryNumber = UInt64.random(in: 0...UInt64.max)

  /// A changelog for one database, of which it becomes a part by being opened with it.
  public init(_ options: Options = Options()) {
    self.options = options
    state = Mutex(State(recorder: ChangeRecorder(RunningStatement(), clock: options.clock)))
  }

  /// This database file's identity; all zero before the first write. It gets another one, with all that is in the log, when it
  /// first syncs, since the file may have been copied before; and later only where it is found to be a copy.
  public var replicaID: ReplicaID { state.withLock { $0.replica } }

  /// What the device's clock says.
  package func now() -> HybridTime { HybridClock.time(ofMilliseconds: options.clock.milliseconds()) }

  /// For the writer's thread alone.
  var recorder: ChangeRecorder { state.withLock { $0.recorder } }

  func isUntracked(_ table: String) -> Bool {
    let name = SQLName(table)
    return options.untracked.contains { SQLName($0) == name }
  }

  /// What the options keep out of a table's changes.
  var localNames: LocalNames { LocalNames(options.untrackedColumns) }

  /// Reads the schema with what the options say of it.
  func schemaReader(_ connection: Connection) -> SchemaReader {
    SchemaReader(
      connection: connection, local: localNames, updateRevives: Set(options.updateRevives.map { SQLName($0) }))
  }

  func database(for operation: String) throws -> Database {
    guard let database = state.withLock({ $0.database }) else {
      throw ChangelogError(
        .notAttached, operation: operation, message: "The changelog has no open database.",
        hint: "Use the changelog of a database that is open: `database.changelog`.")
    }
    return database
  }
}

extension Database {
  /// The change log of a database opened with tracking; `nil` for the store alone.
  public var changelog: Changelog? { `extension`(Changelog.self) }
}
