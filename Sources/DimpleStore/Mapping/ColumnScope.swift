/// The columns that a value is decoded from: all of a row, or those of a nested value, without the dotted part before.
struct ColumnScope {
  /// In the row's order.
  let names: [String]
  /// Where each stands in the row.
  private let positions: [Int32]
  private let columns: [String: Int32]

  /// All columns of a row.
  init(_ names: [String]) { self.init(names: names, positions: names.indices.map(Int32.init)) }

  private init(names: [String], positions: [Int32]) {
    self.names = names
    self.positions = positions
    // Of columns with the same name, the first counts.
    columns = Dictionary(zip(names, positions), uniquingKeysWith: { first, _ in first })
  }

  /// Where the column of a name stands in the row; case counts only where it must.
  func column(_ name: String) -> Int32? {
    if let column = columns[name] { return column }
    let lowercased = name.lowercased()
    return names.firstIndex { $0.lowercased() == lowercased }.map { positions[$0] }
  }

  /// The columns named `name.…`, if there are any.
  func nested(_ name: String) -> ColumnScope? {
    let prefix = name.lowercased() + "."
    let inner = zip(names, positions).filter { $0.0.lowercased().hasPrefix(prefix) && !$0.0.hasSuffix(".*") }
    guard !inner.isEmpty else { return nil }
    return ColumnScope(names: inner.map { String($0.0.dropFirst(prefix.count)) }, positions: inner.map(\.1))
  }

  /// Whether all columns are `NULL` in the current row.
  func isNull(in statement: Statement) -> Bool { positions.allSatisfy { statement.isNull($0) } }

  /// The names of a result's columns, a prefix before those that follow a column named `prefix.*`.
  ///
  /// `SELECT Album.*, NULL AS "artist.*", Artist.* FROM …` names the artist's columns `artist.id`, `artist.name`.
  static func prefixed(_ names: [String]) -> [String] {
    guard names.contains(where: { $0.hasSuffix(".*") }) else { return names }
    var prefix = ""
    return names.map { name in
      guard name.hasSuffix(".*") else { return prefix + name }
      prefix = name == ".*" ? "" : String(name.dropLast())
      return name
    }
  }
}
