internal import DimpleStore

/// ``Changelog/Options/untrackedColumns``, in any case.
struct LocalNames: Sendable, Equatable {
  private(set) var columns: [SQLName: Set<SQLName>] = [:]

  init(_ names: [String: Set<String>] = [:]) {
    for (table, names) in names where !names.isEmpty {
      columns[SQLName(table), default: []].formUnion(names.map { SQLName($0) })
    }
  }

  func contains(_ column: String, of table: String) -> Bool {
    columns[SQLName(table)]?.contains(SQLName(column)) == true
  }

  var isEmpty: Bool { columns.isEmpty }

  // MARK: - In `dimple_meta`

  /// The names in order, each table's followed by how many columns it has and theirs.
  var bytes: [UInt8] {
    var writer = ByteWriter()
    for (table, names) in columns.sorted(by: { $0.key < $1.key }) {
      writer.value(.text(table.text))
      writer.value(.integer(Int64(names.count)))
      for name in names.sorted() { writer.value(.text(name.text)) }
    }
    return writer.bytes
  }

  init(bytes: [UInt8]) throws {
    var reader = ByteReader(bytes)
    while !reader.isAtEnd {
      guard case .text(let table) = try reader.value(), case .integer(let count) = try reader.value(), count > 0 else {
        throw reader.damage("no list of columns")
      }
      for _ in 0..<count {
        guard case .text(let name) = try reader.value() else { throw reader.damage("no list of columns") }
        columns[SQLName(table), default: []].insert(SQLName(name))
      }
    }
  }
}
