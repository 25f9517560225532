internal import DimpleChangelog
internal import DimpleRemote
internal import DimpleStore

/// Reads the merged state for a snapshot, a part at a time, all of one moment.
struct SnapshotSource {
  /// Where the next part begins.
  struct Position: Sendable {
    /// In the order of ``tables``.
    var table = 0
    /// After this key.
    var key: [UInt8]?
  }

  struct EncodedPart: Sendable {
    var lines: [UInt8]
    var rows: Int64
    var latest: HybridTime
    /// The values too large to stand in it.
    var large: [LargeCell]
    /// `nil` after the last.
    var next: Position?
  }

  struct Coverage: Sendable {
    var replicas: [ReplicaID: SnapshotManifest.Coverage]
    var publicKey: [UInt8]
    var signingKey: [UInt8]
    var digest: StateDigest?
  }

  /// A part whose rows refer to so much in large values is long enough, in bytes: a reader has them all beside it.
  private static let largeSize: Int64 = 64 << 20

  let connection: Connection
  let changelog: Changelog
  let schema: MergeSchema
  let vault: any Vault

  /// What the state covers; `nil` while it cannot be told apart from what the app has written since: when something of the
  /// log is not folded yet, or not sent.
  func coverage() throws -> Coverage? {
    guard case .blob(let signingKey) = try SyncSetting.signingKey.get(connection) else { return nil }
    let table = SeenTable(vault: vault.id, connection: connection)
    let last = try changelog.lastTransaction(connection)
    let pushed = try table.pushed()
    let offset = try changelog.identities(connection).last?.offset ?? 0
    guard offset + pushed.last == last, try SyncSetting.folded.integer(connection) ?? 0 == last else { return nil }
    let publicKey = try vault.publicKey(of: signingKey)
    let known = try ReplicaTable(connection)
    var replicas: [ReplicaID: SnapshotManifest.Coverage] = [:]
    for (replica, runs) in try table.load().runs {
      guard let key = try known.publicKey(of: replica, connection) else { continue }
      replicas[replica] = SnapshotManifest.Coverage(publicKey: key, runs: runs)
    }
    if pushed.last > 0 {
      let chain = PackChain(before: LogChain.start, after: pushed.chain)
      replicas[changelog.replicaID] = SnapshotManifest.Coverage(
        publicKey: publicKey, runs: [Seen.Run(range: 1...pushed.last, chain: chain)])
    }
    return Coverage(
      replicas: replicas, publicKey: publicKey, signingKey: signingKey, digest: try DigestKeeper.stored(connection))
  }

  /// The rows from `position` on, up to about `size` bytes; the last part has no ``EncodedPart/next``.
  ///
  /// - Throws: ``MissingValue`` where a live row has a value that neither the state nor a table knows.
  func part(_ index: Int, from position: Position, size: Int) throws -> EncodedPart {
    let names = try NameTable(connection)
    let store = try RowStore(connection)
    let tables = tables(names)
    var encoder = SnapshotPartEncoder(
      vault: vault.id, writer: changelog.replicaID, index: index, replicas: store.replicas.all)
    var position = position
    while position.table < tables.count {
      let reader = SnapshotRowReader(tables[position.table], schema, names, connection)
      let isWhole = try store.forEach(in: tables[position.table], after: position.key) { key, entry in
        let (row, shape) = try reader.row(key, entry)
        try encoder.append(row, of: shape)
        position.key = key.key
        return encoder.size < size && encoder.largeSize < Self.largeSize
      }
      if !isWhole { return part(encoder, next: position) }
      position = Position(table: position.table + 1)
    }
    return part(encoder, next: nil)
  }

  private func part(_ encoder: SnapshotPartEncoder, next: Position?) -> EncodedPart {
    EncodedPart(
      lines: encoder.bytes, rows: encoder.rows, latest: encoder.latest, large: encoder.large, next: next)
  }

  /// A large value; `nil` where the row does not have it any more.
  func value(of cell: LargeCell) throws -> SQLValue? {
    try values(likelyOf: cell).first { BigReference($0) == cell.reference }
  }

  /// The values of the row that have a large value's size.
  func values(likelyOf cell: LargeCell) throws -> [SQLValue] {
    let names = try NameTable(connection)
    guard let table = names.number(ofTable: cell.table) else { return [] }
    let key = RowKey(table: table, key: KeyCodec.encode(cell.key))
    guard let entry = try RowStore(connection).load(key) else { return [] }
    let (row, _) = try SnapshotRowReader(table, schema, names, connection).row(key, entry)
    return row.cells.compactMap { $0?.value }.filter { BigReference.byteCount(of: $0) == cell.reference.size }
  }

  /// Parents before children, then what is not part of the schema.
  private func tables(_ names: NameTable) -> [Int64] {
    names.tables.sorted { (schema.rank(of: $0), $0) < (schema.rank(of: $1), $1) }
  }
}

/// A live row of a table has a value that neither the state nor the table knows: a snapshot without it would lose it.
struct MissingValue: Error {}

/// Makes rows of one table's states.
private struct SnapshotRowReader {
  private struct Columns {
    var ids: [Int64]
    var shape: SnapshotShape

    init(_ columns: [(id: Int64, name: String)], of table: String) {
      ids = columns.map(\.id)
      shape = SnapshotShape(table: table, columns: columns.map(\.name))
    }
  }

  /// Without those that are the key here.
  private let columns: Columns
  /// For rows of an app to which the key is another.
  private let allColumns: Columns
  private let keyColumns: Set<Int64>
  private let table: MergeTable?
  private let access: TableAccess?

  init(_ id: Int64, _ schema: MergeSchema, _ names: NameTable, _ connection: Connection) {
    table = schema.position(of: id).map { schema.tables[$0] }
    access = table.map { TableAccess($0, connection) }
    let keys = Set(table?.keyColumns.map(\.id) ?? [])
    keyColumns = keys
    let name = names.name(id) ?? ""
    allColumns = Columns(names.columns(of: id), of: name)
    columns = Columns(names.columns(of: id).filter { !keys.contains($0.id) }, of: name)
  }

  func row(_ key: RowKey, _ entry: RowStore.Entry) throws -> (SnapshotRow, SnapshotShape) {
    var state = entry.state
    let keyValues = try KeyCodec.decode(key.key)
    if let table, let access, state.cells.items.contains(where: { $0.cell.value == nil }),
      keyValues.count == table.keyColumns.count, let shown = try access.read(keyValues)
    {
      state.fill(zip(table.columns, shown.dropFirst(keyValues.count)).map { ($0.id, $1) })
    }
    if let table, state.lacksValue(table) { throw MissingValue() }
    let columns = state.cells.items.contains { keyColumns.contains($0.column) } ? allColumns : columns
    let row = SnapshotRow(
      key: keyValues, inserted: state.inserted, deleted: state.deleted, cells: columns.ids.map { state.cells[$0] },
      isHeld: entry.status != .settled && entry.status != .unknownColumns)
    return (row, columns.shape)
  }
}
