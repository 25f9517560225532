/// The text of a DEFAULT clause, as SQLite tells it.
///
/// SQLite takes a name for a string there, with or without quotes of any kind: `DEFAULT active`, `DEFAULT "active"`
/// (https://sqlite.org/quirks.html#double_quoted_string_literals_are_accepted). Elsewhere it would be a column's, or an error.
enum DefaultText {
  /// The same with a name written as the string that it is.
  static func literal(_ sql: String) -> String {
    let bytes = Array(sql.utf8)
    guard let name = quoted(bytes) ?? bare(bytes) else { return sql }
    return "'" + String(decoding: name.flatMap { $0 == quote ? [quote, quote] : [$0] }, as: UTF8.self) + "'"
  }

  private static let quote = UInt8(ascii: "'")
  private static let keywords: Set<String> = [
    "NULL", "TRUE", "FALSE", "CURRENT_TIME", "CURRENT_DATE", "CURRENT_TIMESTAMP",
  ]

  /// What is between double quotes, backquotes or brackets, if there is nothing else.
  private static func quoted(_ sql: [UInt8]) -> [UInt8]? {
    guard sql.count >= 2, let last = sql.last else { return nil }
    let body = sql.dropFirst().dropLast()
    switch (sql[0], last) {
    case (UInt8(ascii: "["), UInt8(ascii: "]")): return body.contains(last) ? nil : Array(body)
    case (UInt8(ascii: "\""), UInt8(ascii: "\"")), (UInt8(ascii: "`"), UInt8(ascii: "`")):
      return withoutDoubled(last, body)
    default: return nil
    }
  }

  private static func withoutDoubled(_ mark: UInt8, _ body: ArraySlice<UInt8>) -> [UInt8]? {
    var name: [UInt8] = []
    var rest = body
    while let byte = rest.popFirst() {
      if byte == mark, rest.popFirst() != mark { return nil }
      name.append(byte)
    }
    return name
  }

  private static func bare(_ sql: [UInt8]) -> [UInt8]? {
    guard let first = sql.first, isLetter(first), sql.allSatisfy({ isLetter($0) || isDigit($0) }),
      !keywords.contains(String(decoding: sql, as: UTF8.self).uppercased())
    else { return nil }
    return sql
  }

  private static func isLetter(_ byte: UInt8) -> Bool {
    byte >= 0x80 || byte == UInt8(ascii: "_") || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "$") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }
}
