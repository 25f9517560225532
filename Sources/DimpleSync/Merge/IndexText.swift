/// What a CREATE INDEX statement says: https://sqlite.org/lang_createindex.html. Its parts are texts that SQLite can be asked
/// to evaluate for a row of the table; only where one ends is found out here.
struct IndexText {
  /// Columns and expressions, with their COLLATE, without ASC and DESC.
  private(set) var terms: [String] = []
  /// What follows WHERE.
  private(set) var predicate: String?
  /// Whatever in it may be the name of a column, in lower case.
  private(set) var names: Set<String> = []

  /// - Parameter sql: As `sqlite_schema` has it.
  /// - Returns: `nil` where it is not of that form.
  init?(_ sql: String) {
    let bytes = Array(sql.utf8)
    let tokens = Token.all(in: bytes)
    guard let open = tokens.firstIndex(where: { $0.isSymbol("(") }) else { return nil }
    var depth = 0
    var first = open + 1
    var close: Int?
    scan: for index in open..<tokens.count {
      switch tokens[index].kind {
      case .symbol(UInt8(ascii: "(")): depth += 1
      case .symbol(UInt8(ascii: ",")) where depth == 1:
        terms.append(Self.term(tokens[first..<index], bytes))
        first = index + 1
      case .symbol(UInt8(ascii: ")")):
        depth -= 1
        guard depth == 0 else { continue }
        terms.append(Self.term(tokens[first..<index], bytes))
        close = index
        break scan
      default: continue
      }
    }
    guard let close, !terms.contains("") else { return nil }
    var rest = tokens[(close + 1)...]
    if let word = rest.popFirst() {
      guard word.isWord("where", bytes), !rest.isEmpty else { return nil }
      predicate = Self.text(rest, bytes)
    }
    names = Set(tokens[open...].compactMap { $0.name(bytes) })
  }

  private static func term(_ tokens: ArraySlice<Token>, _ bytes: [UInt8]) -> String {
    var tokens = tokens
    if tokens.count > 1, let last = tokens.last, last.isWord("asc", bytes) || last.isWord("desc", bytes) {
      tokens.removeLast()
    }
    return text(tokens, bytes)
  }

  /// As it was written, with a space for each comment and each stretch of white space.
  private static func text(_ tokens: ArraySlice<Token>, _ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    var end = tokens.first?.range.lowerBound ?? 0
    for token in tokens {
      if token.range.lowerBound > end { text.append(UInt8(ascii: " ")) }
      text += bytes[token.range]
      end = token.range.upperBound
    }
    return String(decoding: text, as: UTF8.self)
  }
}

/// A piece of SQL text that is neither white space nor comment, as far as it matters for where an expression ends.
private struct Token {
  enum Kind: Equatable {
    /// A keyword, a name, or a number.
    case word
    /// In quotes of any kind: a name or a string.
    case quoted
    case symbol(UInt8)
  }

  var kind: Kind
  var range: Range<Int>

  func isSymbol(_ symbol: Unicode.Scalar) -> Bool { kind == .symbol(UInt8(ascii: symbol)) }

  func isWord(_ word: String, _ bytes: [UInt8]) -> Bool { kind == .word && name(bytes) == word }

  func name(_ bytes: [UInt8]) -> String? {
    switch kind {
    case .word: return String(decoding: bytes[range], as: UTF8.self).lowercased()
    case .quoted:
      let quote = Character(Unicode.Scalar(bytes[range.upperBound - 1]))
      let name = String(decoding: bytes[range].dropFirst().dropLast(), as: UTF8.self).lowercased()
      return quote == "]"
        ? name
        : name.split(separator: "\(quote)\(quote)", omittingEmptySubsequences: false)
          .joined(separator: "\(quote)")
    case .symbol: return nil
    }
  }

  static func all(in bytes: [UInt8]) -> [Token] {
    var tokens: [Token] = []
    var position = 0
    while position < bytes.count {
      let start = position
      position += 1
      switch bytes[start] {
      case 0x09...0x0D, 0x20: continue
      case UInt8(ascii: "-") where byte(position, bytes) == UInt8(ascii: "-"):
        position = bytes[position...].firstIndex(of: 0x0A) ?? bytes.count
        continue
      case UInt8(ascii: "/") where byte(position, bytes) == UInt8(ascii: "*"):
        position = endOfComment(bytes, from: position + 1)
        continue
      case UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "`"):
        position = endOfQuotes(bytes, from: position, bytes[start])
        tokens.append(Token(kind: .quoted, range: start..<position))
      case UInt8(ascii: "["):
        position = bytes[position...].firstIndex(of: UInt8(ascii: "]")).map { $0 + 1 } ?? bytes.count
        tokens.append(Token(kind: .quoted, range: start..<position))
      case let first where isWordByte(first):
        while position < bytes.count, isWordByte(bytes[position]) { position += 1 }
        tokens.append(Token(kind: .word, range: start..<position))
      case let symbol: tokens.append(Token(kind: .symbol(symbol), range: start..<position))
      }
    }
    return tokens
  }

  private static func byte(_ position: Int, _ bytes: [UInt8]) -> UInt8 {
    position < bytes.count ? bytes[position] : 0
  }

  private static func endOfComment(_ bytes: [UInt8], from start: Int) -> Int {
    var position = start
    while position + 1 < bytes.count {
      if bytes[position] == UInt8(ascii: "*"), bytes[position + 1] == UInt8(ascii: "/") { return position + 2 }
      position += 1
    }
    return bytes.count
  }

  /// Behind the quote that is not doubled.
  private static func endOfQuotes(_ bytes: [UInt8], from start: Int, _ quote: UInt8) -> Int {
    var position = start
    while position < bytes.count {
      position += 1
      guard bytes[position - 1] == quote else { continue }
      if byte(position, bytes) != quote { return position }
      position += 1
    }
    return bytes.count
  }

  private static func isWordByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "$"), 0x80...0xFF:
      true
    default: false
    }
  }
}
