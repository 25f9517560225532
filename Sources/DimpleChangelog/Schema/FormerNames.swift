internal import DimpleStore

/// What tables and columns were called before they were renamed, and up to which transaction: `formerNames` in `dimple_meta`.
///
/// What others were sent must keep its bytes, so that the names at a transaction's commit count for it for good. Before
/// anybody synced, there is nothing to keep.
struct FormerNames: Sendable {
  private struct Entry {
    /// The last transaction that goes by this name.
    var last: Int64
    var table: Int64
    /// `nil` for the table itself.
    var column: Int64?
    var name: String
  }

  private static let name = "formerNames"

  /// `last` ascends.
  private var entries: [Entry] = []

  /// None.
  init() {}

  /// - Throws: ``ChangelogError`` `.damagedLog`.
  init(_ connection: Connection) throws {
    guard case .blob(let bytes) = try MetaTable(connection: connection)[Self.name] else { return }
    do {
      var reader = ByteReader(bytes)
      while !reader.isAtEnd {
        let (last, table) = (try reader.identifier(), try reader.identifier())
        let column = try reader.varint()
        guard case .text(let name) = try reader.value(), let column = Int64(exactly: column),
          last >= entries.last?.last ?? 0
        else { throw reader.damage("no former name") }
        entries.append(Entry(last: last, table: table, column: column == 0 ? nil : column, name: name))
      }
    } catch {
      throw ChangelogError(
        .damagedLog, operation: "read the former names of tables and columns", message: "They do not decode: \(error).",
        hint: "Restore the database from a backup, or sync into a new one.", underlying: error)
    }
  }

  var isEmpty: Bool { entries.isEmpty }

  /// The last transactions that go by some name or other, ascending.
  var lastTransactions: [Int64] { Set(entries.map(\.last)).sorted() }

  /// Puts the names that count for a transaction in the place of those of now.
  func apply(to catalog: Catalog, of transaction: Int64) -> Catalog {
    var tables = catalog.tables
    // Of several names, the earliest one that still counts is put last.
    for entry in entries.reversed() where entry.last >= transaction {
      if let column = entry.column {
        guard let index = tables[entry.table]?.columns.firstIndex(where: { $0.id == column }) else { continue }
        tables[entry.table]?.columns[index].name = entry.name
      } else {
        tables[entry.table]?.name = entry.name
      }
    }
    return Catalog(Array(tables.values))
  }

  // MARK: - Writing

  /// Notes what the running transaction has renamed.
  ///
  /// - Parameter last: The transaction before it.
  /// - Returns: Whether anything has changed.
  mutating func note(from old: Catalog, to new: Catalog, after last: Int64) -> Bool {
    if last == 0 { return false }
    var hasChanged = false
    func note(_ column: Int64?, of table: Int64, from old: String, to new: String) {
      if !old.hasSameBytes(as: new), self.note(table, column, old, new, last) { hasChanged = true }
    }
    for (id, table) in new.tables.sorted(by: { $0.key < $1.key }) {
      guard let known = old.tables[id], known != table else { continue }
      note(nil, of: id, from: known.name, to: table.name)
      for column in table.columns {
        guard let name = known.columns.first(where: { $0.id == column.id })?.name else { continue }
        note(column.id, of: id, from: name, to: column.name)
      }
    }
    return hasChanged
  }

  private mutating func note(
    _ table: Int64, _ column: Int64?, _ old: String, _ new: String, _ last: Int64
  ) -> Bool {
    guard let index = entries.firstIndex(where: { $0.last == last && $0.table == table && $0.column == column }) else {
      entries.append(Entry(last: last, table: table, column: column, name: old))
      return true
    }
    // Renamed once more since that transaction: what it was called then stays, unless it is called so again.
    guard entries[index].name.hasSameBytes(as: new) else { return false }
    entries.remove(at: index)
    return true
  }

  func save(_ connection: Connection) throws {
    var writer = ByteWriter()
    for entry in entries {
      writer.varint(UInt64(entry.last))
      writer.varint(UInt64(entry.table))
      writer.varint(UInt64(entry.column ?? 0))
      writer.value(.text(entry.name))
    }
    try MetaTable(connection: connection).set(Self.name, entries.isEmpty ? .null : .blob(writer.bytes))
  }
}
