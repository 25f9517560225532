/// The rows of a query as a sequence, a few at a time: for results that should not be in memory as a whole.
///
/// ```swift
/// for try await track in db.cursor(Track.self, "SELECT * FROM Track ORDER BY Name") {
///   …
/// }
/// ```
///
/// Made by `cursor` of a ``Database`` or a ``DatabaseSnapshot``. Each iteration runs the query anew.
/// Of a database, it has a connection of its own from its first row to its last, and all rows are of the moment of the
/// first: writes meanwhile, the consumer's own too, neither wait nor are seen. Of a snapshot, the rows are of the
/// snapshot's moment, and cursors and reads on it take turns.
///
/// Rows are decoded when the consumer has used up those before, `batchSize` at a time, on a thread of the database's own;
/// in between nothing runs. At most that many are decoded ahead and in memory; what SQLite itself needs comes on top, as for
/// an `ORDER BY` that no index serves, where it sorts the whole result before the first row. The connection is given back when the last
/// row has been read, an error was thrown, or the loop is left by `break`, `return` or `throw`; an iterator that is used
/// without a loop gives it back when it is let go. Until then it counts as one of
/// ``Configuration/maximumSnapshotCount``, and the write-ahead log cannot be emptied beyond its moment.
///
/// A database in memory, or without a write-ahead log, has one connection for all: there, the first row reads the whole
/// result into memory, and the connection is free again before the consumer sees it. For files without a write-ahead log,
/// `read { connection in try connection.forEach… }` reads row after row, while others wait.
///
/// Errors, from the iterator's `next()`; the sequence ends with them:
/// - What goes wrong in a row, or in computing it, comes after the rows before it: `typeMismatch`, `functionFailed`, ….
/// - `tooManySnapshots`, if too many snapshots and cursors are open; what is wrong with the SQL: `sqlError`, `readOnly`
///   for a statement that writes, ….
/// - `CancellationError` if the task is cancelled: the query that runs is interrupted, rows that were read and not
///   consumed are dropped.
/// - `closed`, `suspended`, `interrupted`, if the database was closed, suspended or interrupted meanwhile; `closed` too, if
///   the snapshot was released. Rows that were read before still come.
///
/// `Sendable`, and so is its iterator, for one consumer at a time.
public struct RowCursor<Element: Sendable>: AsyncSequence, Sendable {
  /// Appends the next rows, up to a limit.
  @usableFromInline typealias Fill = @Sendable (CursorStatement, Int, inout [Element]) throws -> Void

  struct Query: Sendable {
    let sql: SQL
    let batchSize: Int
    let fill: Fill
  }

  private let source: CursorSource
  private let query: Query

  @usableFromInline init(_ source: CursorSource, _ sql: SQL, batchSize: Int, fill: @escaping Fill) {
    self.source = source
    query = Query(sql: sql, batchSize: batchSize < 1 ? 1 : batchSize, fill: fill)
  }

  /// An iteration of its own; nothing is opened or read before its first row is asked for.
  public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(source: source, query: query) }

  /// One run of the query.
  public struct AsyncIterator: AsyncIteratorProtocol, Sendable {
    private enum Stage {
      case fresh
      case open(CursorLease)
      /// The connection was given back; the error is due after the rows at hand.
      case failed(any Error)
      case ended
    }

    /// Kept with the iteration: a database that is let go is closed.
    private let source: CursorSource
    private let query: Query
    private var stage = Stage.fresh
    @usableFromInline var rows: [Element] = []
    @usableFromInline var position = 0

    init(source: CursorSource, query: Query) {
      self.source = source
      self.query = query
    }

    /// The next row; `nil` after the last, and after an error.
    @inlinable
    public mutating func next() async throws -> Element? { try await next(isolation: nil) }

    /// The next row; `nil` after the last, and after an error. Rows that are at hand come without a change of thread.
    @inlinable
    public mutating func next(isolation actor: isolated (any Actor)?) async throws -> Element? {
      if position >= rows.count || Task.isCancelled {
        guard try await refill(isolation: actor) else { return nil }
      }
      defer { position += 1 }
      return rows[position]
    }

    /// Fetches rows; false if there are none left.
    @usableFromInline
    mutating func refill(isolation actor: isolated (any Actor)?) async throws -> Bool {
      let areRowsLeft = position < rows.count
      // Freed before the next are decoded, not after.
      rows = []
      position = 0
      if case .ended = stage, !areRowsLeft { return false }
      do {
        // Rows are passed over only when the task is cancelled.
        if areRowsLeft { throw CancellationError() }
        if case .failed(let error) = stage { throw error }
        try Task.checkCancellation()
        let batch = try await fetch(isolation: actor)
        rows = batch.rows
        switch batch.ending {
        case nil: break
        case .finished: stage = .ended
        case .failed(let error) where rows.isEmpty: throw error
        case .failed(let error): stage = .failed(error)
        }
        return !rows.isEmpty
      } catch {
        stage = .ended
        throw error
      }
    }

    private mutating func fetch(isolation actor: isolated (any Actor)?) async throws -> CursorBatch<Element> {
      if case .open(let lease) = stage { return try await lease.nextBatch(query) }
      let lease: CursorLease
      switch source {
      case .snapshot(let snapshot): lease = CursorLease(snapshot: snapshot)
      case .database(let database) where database.readers === database.writer: return try await fetchAll(from: database)
      case .database(let database): lease = try CursorLease(database: database)
      }
      stage = .open(lease)
      return try await lease.firstBatch(query)
    }

    private func fetchAll(from database: Database) async throws -> CursorBatch<Element> {
      let query = query
      return try await database.readers.run { connection in
        try connection.inSingleRead { try $0.wholeBatch(query.sql, fill: query.fill) }
      }
    }
  }
}
