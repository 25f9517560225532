internal import DimpleChangelog

/// The tables of the own log that a vault does not get, by the names that they have in each transaction.
struct LeftTables {
  /// In small letters.
  private let periods: [(range: ClosedRange<Int64>, names: Set<String>)]

  /// - Parameter keys: What they are called, in small letters: now, or in some transaction.
  init(_ keys: Set<String>, _ history: LogNameHistory) {
    let left = history.present.tables.filter { keys.contains($0.value.lowercased()) }.keys
    periods = history.all.map { names in
      (names.range, keys.union(left.compactMap { names.tables[$0]?.lowercased() }))
    }
  }

  /// - Parameters:
  ///   - table: By its name then.
  ///   - transaction: By its number in the log.
  func contains(_ table: String, in transaction: Int64) -> Bool {
    let name = table.lowercased()
    return periods.first { $0.range.contains(transaction) }?.names.contains(name) ?? false
  }
}
