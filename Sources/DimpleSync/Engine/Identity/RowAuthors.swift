public import DimpleChangelog
public import DimpleStore

/// Who wrote what of a row, as the merged state has it.
public struct RowAuthors: Sendable, Hashable {
  /// One write: by whom, and when.
  public struct Author: Sendable, Hashable {
    /// Time and replica; its `uuid` is the change's identity.
    public var stamp: Stamp
    /// The key that the replica's packs must be signed with, as ``KnownReplica/keyFingerprint``; `nil` for a
    /// database that never synced, and for a row that was there before the database was tracked.
    public var keyFingerprint: String?

    /// Who.
    public var replica: ReplicaID { stamp.replica }
    /// When, by the writer's clock.
    public var time: HybridTime { stamp.time }
  }

  /// The latest insert.
  public var inserted: Author?
  /// The latest delete.
  public var deleted: Author?
  /// The latest write of each column outside the key, by its name.
  public var columns: [String: Author]
}

extension Database {
  /// Who wrote a row, and each of its columns, last. Needs no network; ``SyncEngine/proof(of:)`` finds the signed object.
  ///
  /// Reads that part of the log that was made since the last sync, which has no index by row: all of it where the database never
  /// synced. Large values are not read.
  ///
  /// - Parameters:
  ///   - key: The primary key's values, in the key's order.
  ///   - table: The table's name, in any case; one that this version of the app does not have, as others spell it.
  /// - Returns: `nil` for a row of which nothing is known.
  /// - Throws: `StoreError`; `ChangelogError`: `.unknownTable`, `.wrongKey`, `.damagedLog`; ``SyncError/Code/damagedState``.
  public func authors(of key: [SQLValue], in table: String) throws -> RowAuthors? {
    let changelog = `extension`(Changelog.self)
    return try read { try RowAuthorsReader(connection: $0, changelog: changelog).authors(of: key, in: table) }
  }
}

private struct RowAuthorsReader {
  let connection: Connection
  let changelog: Changelog?

  func authors(of key: [SQLValue], in table: String) throws -> RowAuthors? {
    var authors = RowAuthors(columns: [:])
    let isSynced = try SyncSetting.format.integer(connection) != nil
    let table = try name(of: table, keyCount: key.count, isSynced)
    if isSynced { try read(key, table, into: &authors) }
    let folded = isSynced ? try SyncSetting.folded.integer(connection) ?? 0 : 0
    try changelog?.changes(of: key, in: table, after: folded, connection) { change, large in
      try apply(change, large, to: &authors)
    }
    return authors == RowAuthors(columns: [:]) ? nil : authors
  }

  /// As the schema has it. Of a table that it does not have, others' rows are held, under its name.
  private func name(of table: String, keyCount: Int, _ isSynced: Bool) throws -> String {
    guard let changelog else { return table }
    do {
      return try changelog.table(table, keyCount: keyCount, operation: "tell a row's authors", connection).name
    } catch let error as ChangelogError where error.code == .unknownTable {
      guard isSynced, try NameTable(connection).number(ofTable: table) != nil else { throw error }
      return table
    }
  }

  private func read(_ key: [SQLValue], _ table: String, into authors: inout RowAuthors) throws {
    let names = try NameTable(connection)
    guard let id = names.number(ofTable: table),
      let state = try RowStore(connection).load(RowKey(table: id, key: KeyCodec.encode(key)))?.state
    else { return }
    authors.inserted = try state.inserted.map(author)
    authors.deleted = try state.deleted.map(author)
    for item in state.cells.items {
      if let name = names.name(item.column) { authors.columns[name] = try author(item.cell.stamp) }
    }
  }

  /// A change that is not in the state yet; own changes are later than all that was seen.
  private func apply(_ change: Change, _ large: [LargeColumn], to authors: inout RowAuthors) throws {
    let author = try author(change.stamp)
    switch change.operation {
    case .insert: authors.inserted = author
    case .delete:
      authors.deleted = author
      return
    case .update: break
    }
    for name in change.columns.map(\.name) + large.map(\.name) { authors.columns[name] = author }
  }

  private func author(_ stamp: Stamp) throws -> RowAuthors.Author {
    RowAuthors.Author(stamp: stamp, keyFingerprint: try KnownReplica.keyFingerprint(of: stamp.replica, connection))
  }
}
