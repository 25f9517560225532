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
  static func isLiteral(_ sql: String) -> Bool {
    if ["NULL", "TRUE", "FALSE"].contains(sql.uppercased()) { return true }
    if let body = quoted(sql) { return !body.replacing("''", with: "").contains("'") }
    if sql.first == "x" || sql.first == "X", let digits = quoted(String(sql.dropFirst())) {
      return digits.allSatisfy(\.isHexDigit)
    }
    let number = sql.first == "-" || sql.first == "+" ? sql.dropFirst() : sql[...]
    return number.first.map { $0.isNumber || $0 == "." } == true
      && number.allSatisfy { $0.isASCII && ($0.isHexDigit || "xX.+-eE".contains($0)) }
  }

  private static func quoted(_ sql: String) -> String? {
    guard sql.count >= 2, sql.first == "'", sql.last == "'" else { return nil }
    return String(sql.dropFirst().dropLast())
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
