/// A row of a table that the benchmarks store and fetch.
package protocol Sample: Codable, Sendable {
  static var createTable: String { get }
  /// With a `?` per column.
  static var insertSQL: String { get }
  /// All rows, all columns.
  static var selectSQL: String { get }

  /// The same for the same number, whoever asks.
  init(number: Int)

  /// What each contender makes of what it fetched: all must agree, and none can skip a column.
  var checksum: Int { get }
}

extension Sequence where Element: Sample {
  package var checksum: Int { reduce(0) { $0 &+ $1.checksum } }
}

extension String? {
  var length: Int { self?.utf8.count ?? 0 }
}
