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
  let decode: @Sendable ([Row]) throws -> Element

  init(_ database: Database, _ sql: SQL, decode: @escaping @Sendable ([Row]) throws -> Element) {
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
    /// - Throws: `StoreError`, for SQL that fails, rows that do not decode, a database that was closed.
    public mutating func next() async throws -> Element? {
      let observation = self.observation ?? QueryObservation(query.database)
      self.observation = observation
      while await observation.waitUntilDirty() {
        let snapshot = try await fetch(observation)
        if let last, last == snapshot { continue }
        last = snapshot
        return try query.decode(snapshot)
      }
      return nil
    }

    /// The rows, read in one snapshot together with what the query reads: a migration may have changed that.
    private func fetch(_ observation: QueryObservation) async throws -> [Row] {
      let sql = query.sql
      let (rows, readSet) = try await query.database.read { connection in
        (try connection.rows(sql), try connection.readSet(of: sql))
      }
      observation.narrow(to: readSet)
      return rows
    }
  }
}
