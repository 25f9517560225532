internal import DimpleStore

/// The live result of a query: its value now, then again after every commit that changes it.
///
/// ```swift
/// for try await todos in database.observe(Todo.self, "SELECT * FROM Todo ORDER BY text") {
///   show(todos)
/// }
/// ```
///
/// A commit re-runs the query only if it wrote a column that the query reads, and only a result that differs from the last
/// is delivered. The query runs on a reader, in a snapshot that contains the commit, never on the writer and never in the
/// committing task. A loop that is slower than the commits skips to the newest result; it never misses the last one.
///
/// Each loop is its own observation, from its first `next()` to its end or cancellation; nothing runs between calls.
public struct LiveQuery<Element: Sendable>: AsyncSequence, Sendable {
  let database: Database
  let sql: SQL
  let decode: @Sendable (Connection, SQL, [Row]) throws -> Element

  /// - Parameter decode: Makes the element of a result that has changed, in the snapshot that the rows are from.
  init(
    _ database: Database, _ sql: SQL, decode: @escaping @Sendable (Connection, SQL, [Row]) throws -> Element
  ) {
    self.database = database
    self.sql = sql
    self.decode = decode
  }

  /// Starts an observation.
  public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(query: self) }

  /// One observation. Confined to one task.
  public struct AsyncIterator: AsyncIteratorProtocol {
    private let query: LiveQuery
    private var observation: QueryObservation?
    private var last: [Row]?

    init(query: LiveQuery) { self.query = query }

    /// The next result that differs from the last; `nil` once the task is cancelled.
    ///
    /// - Throws: `StoreError`, for SQL that fails, rows that do not decode, a database that was closed. While it is suspended, the
    ///   query waits.
    public mutating func next() async throws -> Element? {
      let observation = self.observation ?? QueryObservation(query.database)
      self.observation = observation
      while await observation.waitUntilDirty() {
        let fetched: Fetched
        do {
          fetched = try await fetch()
        } catch let error as StoreError where error.code == .suspended {
          // When the database is resumed, that counts as a commit.
          continue
        }
        observation.narrow(to: fetched.readSet)
        guard let element = fetched.element else { continue }
        last = fetched.rows
        return element
      }
      return nil
    }

    private struct Fetched: Sendable {
      var rows: [Row]
      /// With the rows, because a migration may have changed it.
      var readSet: ReadSet
      /// `nil` if the rows are the last ones.
      var element: Element?
    }

    private func fetch() async throws -> Fetched {
      let (query, last) = (query, last)
      return try await query.database.read { connection in
        let rows = try connection.rows(query.sql)
        return Fetched(
          rows: rows, readSet: try connection.readSet(of: query.sql),
          element: rows == last ? nil : try query.decode(connection, query.sql, rows))
      }
    }
  }
}
