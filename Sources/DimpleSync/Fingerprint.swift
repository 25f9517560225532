internal import DimpleChangelog
internal import DimplePrimitives
public import DimpleStore

/// A hash of every tracked row: equal on replicas that agree, whatever order they got there in.
///
/// Each row is a line of JSON, `{"table":…,"key":[…],"columns":{…}}`, columns sorted by name, values as in packs
/// (docs/FORMAT.md). A table's digest is the sum of its rows' SHA-256 hashes, as 256-bit big-endian numbers modulo 2^256;
/// the whole is the SHA-256 over a line `name rows digest` for each table, sorted by name.
public struct Fingerprint: Sendable, Hashable, CustomStringConvertible {
  /// One table's part.
  public struct Table: Sendable, Hashable {
    /// The table's name.
    public var name: String
    /// How many rows it shows.
    public var rowCount: Int
    /// 64 hexadecimal digits.
    public var digest: String
  }

  /// Sorted by name.
  public var tables: [Table]
  /// 64 hexadecimal digits over all tables.
  public var description: String
}

extension Database {
  /// Hashes every tracked row, in one snapshot and constant memory.
  ///
  /// - Throws: ``SyncError/Code/notTracked``; `StoreError`.
  public func fingerprint() throws -> Fingerprint {
    guard let changelog = `extension`(Changelog.self) else {
      throw SyncError(
        .notTracked, operation: "fingerprint", message: "The database was opened without change tracking.",
        hint: "Open it with Database.open(…).")
    }
    return try read { connection in
      let tables = try changelog.trackedTables(connection)
        .sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        .map { try FingerprintBuilder.table($0, connection) }
      let lines = tables.map { "\($0.name) \($0.rowCount) \($0.digest)\n" }.joined()
      return Fingerprint(tables: tables, description: Hex.encode(SHA256.hash(Array(lines.utf8))))
    }
  }
}

private enum FingerprintBuilder {
  static func table(_ table: TrackedTable, _ connection: Connection) throws -> Fingerprint.Table {
    let columns = table.columns.enumerated().sorted { $0.1.name.utf8.lexicographicallyPrecedes($1.1.name.utf8) }
    let selection = (table.keyColumns + columns.map(\.1)).map { SQL.quoted(identifier: $0.name) }
    let statement = try connection.prepare(
      "SELECT \(selection.joined(separator: ", ")) FROM \(SQL.quoted(identifier: table.name))")
    defer { statement.reset() }
    var sum = [UInt8](repeating: 0, count: 32)
    var count = 0
    while try statement.step() {
      var writer = JSONWriter()
      writer.raw(#"{"table":"#)
      writer.string(table.name)
      writer.raw(#","key":"#)
      writer.list(0..<table.keyColumns.count, from: UInt8(ascii: "["), to: UInt8(ascii: "]")) {
        ValueJSON.write(statement.value(Int32($1)), to: &$0)
      }
      writer.raw(#","columns":"#)
      writer.list(columns.indices, from: UInt8(ascii: "{"), to: UInt8(ascii: "}")) { writer, index in
        writer.string(columns[index].1.name)
        writer.raw(":")
        ValueJSON.write(statement.value(Int32(table.keyColumns.count + index)), to: &writer)
      }
      writer.raw("}")
      add(SHA256.hash(writer.bytes), to: &sum)
      count += 1
    }
    return Fingerprint.Table(name: table.name, rowCount: count, digest: Hex.encode(sum))
  }

  /// 256-bit addition modulo 2^256.
  private static func add(_ digest: [UInt8], to sum: inout [UInt8]) {
    var carry: UInt16 = 0
    for index in sum.indices.reversed() {
      carry += UInt16(sum[index]) + UInt16(digest[index])
      sum[index] = UInt8(truncatingIfNeeded: carry)
      carry >>= 8
    }
  }
}

/// A digest of the merged state: of what was written when and by whom, shown or not. Equal on replicas that merged the same
/// changes.
public struct StateFingerprint: Sendable, Hashable, CustomStringConvertible {
  let digest: StateDigest

  /// 32 hexadecimal digits.
  public var description: String { digest.hexadecimal }

  /// The first 12 digits in groups, to compare by eye.
  public var short: String { description.inGroups }
}

extension Fingerprint {
  /// The first 12 digits in groups, to compare by eye.
  public var short: String { description.inGroups }
}

extension String {
  fileprivate var inGroups: String {
    stride(from: 0, to: 12, by: 4).map { String(dropFirst($0).prefix(4)) }.joined(separator: "-")
  }
}

extension Database {
  /// The digest of the merged state as the last sync left it; `nil` for a database that never synced. Kept, not computed: costs
  /// a lookup.
  ///
  /// - Throws: `StoreError`.
  public func stateFingerprint() throws -> StateFingerprint? {
    try read { try DigestKeeper.stored($0).map { StateFingerprint(digest: $0) } }
  }
}
