internal import DimpleMutex
internal import DimpleStore

/// How far adoption is.
public struct AdoptionProgress: Sendable, Equatable {
  /// The table under way.
  public var table: String
  /// The rows of it adopted by this call so far.
  public var rows: Int
}

extension Changelog {
  /// Makes changes of the rows that were in their tables before tracking began, once.
  ///
  /// Opening the database does so by itself; call this to go on with what failed then. Rows go in batches of 2,000, each a
  /// transaction of its own, so memory is bounded, other writes come in between, and a crash or an error costs one batch.
  ///
  /// - Parameter progress: Called after every batch, on this thread; by throwing, it stops until the next call or opening.
  /// - Throws: ``ChangelogError``: `.nullKey` for a row without a key, `.notAttached`; `StoreError`; what `progress` throws.
  public func adopt(progress: (AdoptionProgress) throws -> Void = { _ in }) throws {
    let database = try database(for: "adopt rows")
    let pending = try database.write { connection in
      let schema = try connection.withInternalAccess { try writerSchema(connection) }
      return schema.tables.filter { schema.catalog.tables[$0.id]?.state == .adopting }
    }
    for table in pending {
      var state = AdoptionProgress(table: table.name, rows: 0)
      var hasMore = true
      while hasMore {
        let batch = try database.write { connection in
          try connection.withInternalAccess { try AdoptionBatch(changelog: self, connection: connection).adopt(table) }
        }
        state.rows += batch.rows
        hasMore = batch.hasMore
        try progress(state)
      }
    }
  }
}
