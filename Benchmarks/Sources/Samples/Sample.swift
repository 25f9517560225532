// Public, so that it is compiled into what uses it; nobody else does.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

/// A row of a table that the benchmarks store and fetch.
public protocol Sample: Codable, Sendable {
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

extension Array {
  /// What all rows come to. Does not copy rows, and is compiled where it is called, so that no contender pays more than others.
  @inlinable
  public func sum(_ value: (Element) -> Int) -> Int {
    var sum = 0
    withUnsafeBufferPointer { rows in for index in rows.indices { sum &+= value(rows[index]) } }
    return sum
  }
}

extension Array where Element: Sample {
  @inlinable public var checksum: Int { sum { $0.checksum } }
}

extension String? {
  @inlinable public var length: Int { self?.utf8.count ?? 0 }
}
