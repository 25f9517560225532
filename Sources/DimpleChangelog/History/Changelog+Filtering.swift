internal import DimpleStore

extension Changelog {
  /// The changes made in this database that satisfy a filter. Those that came from other replicas are not among them.
  ///
  /// The log has no index, so that writes stay cheap: this reads it from the first transaction that the filter allows to
  /// the last, one transaction in memory at a time, beside what it returns. A range of transactions makes it fast.
  ///
  /// - Parameters:
  ///   - filter: Which changes.
  ///   - order: The oldest first, unless said otherwise.
  ///   - limit: At most so many: the first ones in that order.
  /// - Throws: ``ChangelogError``: `.damagedLog`, `.notAttached`; `StoreError`.
  public func changes(
    matching filter: ChangeFilter, order: ChangeOrder = .oldestFirst, limit: Int? = nil
  ) throws -> [Change] {
    try database(for: "read the log").read { connection in
      try changes(connection, matching: filter, order: order, limit: limit)
    }
  }

  /// As the synchronous form, on a thread of the database's own. Cancelling the task ends it.
  public func changes(
    matching filter: ChangeFilter, order: ChangeOrder = .oldestFirst, limit: Int? = nil
  ) async throws -> [Change] {
    try await database(for: "read the log").read { connection in
      try self.changes(connection, matching: filter, order: order, limit: limit)
    }
  }

  private func changes(
    _ connection: Connection, matching filter: ChangeFilter, order: ChangeOrder, limit: Int?
  ) throws -> [Change] {
    let matcher = ChangeMatcher(filter)
    let limit = max(0, limit ?? .max)
    if limit == 0 { return [] }
    var found: [Change] = []
    try transactions(connection, after: matcher.after) { transaction in
      if matcher.isPast(transaction) { return false }
      found += transaction.changes.filter(matcher.matches)
      switch order {
      case .oldestFirst: return found.count < limit
      case .newestFirst:
        // Now and then, so that what is kept stays small and nothing is moved for every change.
        if found.count / 2 > limit { found.removeFirst(found.count - limit) }
        return true
      }
    }
    switch order {
    case .oldestFirst: return Array(found.prefix(limit))
    case .newestFirst: return Array(found.suffix(limit).reversed())
    }
  }
}
