/// The name of a table or column, compared as SQLite compares names: bytes, with ASCII letters in either case.
///
/// Swift's own comparison would take two spellings of one accented letter for the same name, and `lowercased()` would fold
/// letters that SQLite tells apart.
struct SQLName: Sendable, Hashable, Comparable {
  private let folded: [UInt8]

  init(_ name: String) { folded = name.utf8.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 } }

  /// The name, its ASCII letters small.
  var text: String { String(decoding: folded, as: UTF8.self) }

  func hasPrefix(_ prefix: StaticString) -> Bool { folded.starts(with: "\(prefix)".utf8) }

  static func < (left: SQLName, right: SQLName) -> Bool { left.folded.lexicographicallyPrecedes(right.folded) }
}

extension String {
  /// Whether both are the same UTF-8. Swift's own comparison takes canonically equivalent texts for equal.
  func hasSameBytes(as other: String) -> Bool { utf8.elementsEqual(other.utf8) }
}
