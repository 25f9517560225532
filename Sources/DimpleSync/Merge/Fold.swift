internal import DimpleChangelog
internal import DimpleStore

/// Takes what the app itself wrote since the last time from the log into the merged state.
struct Fold {
  private static let batchSize = 50_000

  let session: MergeSession
  let changelog: Changelog

  /// - Parameter reportsRows: Whether the caller needs to know which rows were written.
  /// - Returns: Those rows; in any case, those that are to be decided.
  func run(reportsRows: Bool) throws -> Set<RowKey> {
    let connection = session.connection
    let folded = try SyncSetting.folded.integer(connection)
    var position = folded ?? 0
    var touched: Set<RowKey> = []
    let authors = try changelog.identities(connection).map { identity in
      (identity: identity, number: try session.store.replicas.number(of: identity.replica, connection))
    }
    let numbers = LogNumbers(session, try changelog.logNames(connection))
    var batch = ChangeBatch()
    func fold() throws {
      let merger = try RowMerger(session, schemaChanged: false, nil, nil)
      _ = try merger.merge(batch)
      touched.formUnion(merger.undecided)
      if reportsRows { touched.formUnion(batch.rowKeys) }
      batch = ChangeBatch()
    }
    try changelog.payloads(connection, after: position) { time, payload in
      var author = authors[authors.count - 1].number
      if authors.count > 1 {
        let number = try changelog.transaction(ofPayload: payload, at: time)
        author = authors.first { $0.identity.contains(number) }?.number ?? author
      }
      position = try batch.append(payload, at: time.rawValue, by: author, numbers)
      if batch.count >= Self.batchSize || batch.borrows { try fold() }
      return true
    }
    if !batch.isEmpty { try fold() }
    if position != folded {
      try SyncSetting.folded.set(.integer(position), connection)
      try SyncTables.noteNeeded(changelog, connection)
    }
    return touched
  }
}
