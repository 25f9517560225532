internal import DimpleChangelog
internal import DimpleStore

#if canImport(FoundationEssentials)
  internal import FoundationEssentials
#else
  internal import Foundation
#endif

/// What a column holds in a row whose writer did not know the column. It must come out the same on every replica, so only
/// constants count, and the CURRENT_* keywords, which are taken from the time of the row's insert.
enum ColumnDefault: Equatable {
  case constant(SQLValue)
  case currentTime
  case currentDate
  case currentTimestamp

  /// From the text that `PRAGMA table_xinfo` gives; `evaluate` computes an SQL literal. Anything that is neither a literal
  /// nor CURRENT_* counts as no default.
  init(sql: String?, evaluate: (String) throws -> SQLValue) rethrows {
    guard let sql else {
      self = .constant(.null)
      return
    }
    switch sql.uppercased() {
    case "CURRENT_TIME": self = .currentTime
    case "CURRENT_DATE": self = .currentDate
    case "CURRENT_TIMESTAMP": self = .currentTimestamp
    default: self = .constant(Self.isLiteral(sql) ? try evaluate(sql) : .null)
    }
  }

  /// Numbers, strings, blobs, NULL, TRUE and FALSE (https://sqlite.org/syntax/literal-value.html), signed or not.
  ///
  /// By bytes, as SQLite reads: to Swift, a quote and an accent after it are one character.
  static func isLiteral(_ sql: String) -> Bool {
    if ["NULL", "TRUE", "FALSE"].contains(sql.uppercased()) { return true }
    let bytes = Array(sql.utf8)
    if let body = quoted(bytes[...]) { return hasOnlyDoubledQuotes(body) }
    if let first = bytes.first, first | 0x20 == UInt8(ascii: "x"), let digits = quoted(bytes.dropFirst()) {
      return digits.allSatisfy(isHexDigit)
    }
    let isSigned = bytes.first == UInt8(ascii: "-") || bytes.first == UInt8(ascii: "+")
    let number = bytes.dropFirst(isSigned ? 1 : 0).drop { isSigned && $0 == UInt8(ascii: " ") }
    guard let first = number.first, isDigit(first) || first == UInt8(ascii: ".") else { return false }
    return number.allSatisfy { isHexDigit($0) || Array("xX.+-".utf8).contains($0) }
  }

  private static func quoted(_ sql: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    guard sql.count >= 2, sql.first == quote, sql.last == quote else { return nil }
    return sql.dropFirst().dropLast()
  }

  private static func hasOnlyDoubledQuotes(_ body: ArraySlice<UInt8>) -> Bool {
    var rest = body
    while let position = rest.firstIndex(of: quote) {
      guard position + 1 < rest.endIndex, rest[position + 1] == quote else { return false }
      rest = rest[(position + 2)...]
    }
    return true
  }

  private static let quote = UInt8(ascii: "'")

  private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

  private static func isHexDigit(_ byte: UInt8) -> Bool {
    isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte | 0x20)
  }

  /// The value in a row inserted at `stamp`.
  func value(insertedAt stamp: Stamp?) -> SQLValue {
    if case .constant(let value) = self { return value }
    guard let stamp else { return .null }
    let seconds = Double(stamp.time.milliseconds / 1000)
    // 2026-11-23T10:00:00Z
    let text = Date(timeIntervalSince1970: seconds).formatted(.iso8601)
    let date = text.prefix(10)
    let time = text.dropFirst(11).prefix(8)
    return switch self {
    case .currentDate: .text(String(date))
    case .currentTime: .text(String(time))
    default: .text("\(date) \(time)")
    }
  }
}
