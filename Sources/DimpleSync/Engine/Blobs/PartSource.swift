internal import DimplePrimitives
internal import DimpleStore

/// Finds parts of large values in the rows that have them. Confined to one read.
struct PartSource {
  private let schema: MergeSchema
  private let source: SnapshotSource
  private let connection: Connection

  /// - Returns: `nil` as long as nothing was merged.
  init?(_ session: SyncSession, _ connection: Connection) {
    guard let schema = session.schemas.known else { return nil }
    self.schema = schema
    self.connection = connection
    source = SnapshotSource(
      connection: connection, changelog: session.changelog, schema: schema, vault: session.vault)
  }

  /// A part's bytes; `nil` where no row has them.
  ///
  /// What a table with rowids shows is read from its place, no more than the part. Otherwise the row is in memory meanwhile.
  func bytes(ofPart hash: [UInt8], in cells: [LargeCell]) throws -> [UInt8]? {
    for cell in cells {
      let indexes = cell.reference.parts.indices.filter { cell.reference.parts[$0] == hash }
      // All of them have the same bytes.
      guard let index = indexes.first else { continue }
      if let bytes = try shown(hash, index, cell) ?? stored(hash, index, cell) { return bytes }
    }
    return nil
  }

  /// From the table.
  private func shown(_ hash: [UInt8], _ index: Int, _ cell: LargeCell) throws -> [UInt8]? {
    guard let id = try NameTable(connection).number(ofTable: cell.table), let position = schema.position(of: id) else {
      return nil
    }
    let table = schema.tables[position]
    guard !table.isWithoutRowID, table.keyColumns.count == cell.key.count, let row = try rowID(cell.key, table) else {
      return nil
    }
    for column in table.columns {
      let blob: BlobReader
      do {
        blob = try connection.readBlob(table: table.name, column: column.name, rowID: row)
      } catch let error as StoreError where [.typeMismatch, .rowNotFound, .notAllowed].contains(error.code) {
        // A number or NULL; or a column that only has the rowid's name.
        continue
      }
      defer { blob.close() }
      guard blob.count == cell.reference.size else { continue }
      let bytes = try blob.read(offset: index * BigReference.partSize, count: BigReference.partSize)
      if SHA256.hash(bytes) == hash { return bytes }
    }
    return nil
  }

  private func rowID(_ key: [SQLValue], _ table: MergeTable) throws -> Int64? {
    let names = Set(table.allColumns.map { $0.name.lowercased() } + table.localColumns.map { $0.lowercased() })
    guard let name = ["rowid", "_rowid_", "oid"].first(where: { !names.contains($0) }) else { return nil }
    let access = TableAccess(table, connection)
    let columns = (table.keyColumns.map { SQL.quoted(identifier: $0.name) } + [name]).joined(separator: ", ")
    let rows = try access.select(
      "SELECT \(columns) FROM \(access.quotedName) WHERE \(access.keyCondition)", key, count: key.count + 1)
    guard case .integer(let row) = rows.first(where: { Array($0.prefix(key.count)) == key })?.last else { return nil }
    return row
  }

  /// From the merged state, or a table without rowids.
  private func stored(_ hash: [UInt8], _ index: Int, _ cell: LargeCell) throws -> [UInt8]? {
    do {
      for value in try source.values(likelyOf: cell) {
        let bytes = BigReference.bytes(of: value, ofPart: index)
        if SHA256.hash(bytes) == hash { return bytes }
      }
    } catch is MissingValue {
      // The row waits for a merge.
    }
    return nil
  }
}
