/// Tells code, comments and string contents of a Swift file apart; knows just enough of the language for that.
///
/// Nested comments, raw and multi-line strings, interpolation at any depth and `#/…/#` regular expressions are understood;
/// bare `/…/` regular expressions are taken for code.
struct SwiftLexer {
  /// As long as the file, with blanks where something else stands.
  private(set) var code: [UInt8]
  /// As long as the file, with blanks where something else stands.
  private(set) var comments: [UInt8]
  private let bytes: [UInt8]
  private var index = 0

  init(_ text: String) {
    bytes = Array(text.utf8)
    let blank = bytes.map { $0 == UInt8(ascii: "\n") ? $0 : UInt8(ascii: " ") }
    code = blank
    comments = blank
  }

  mutating func run() {
    while index < bytes.count {
      scanCode(insideInterpolation: false)
      takeCode()  // a closing parenthesis too many: not our business
    }
  }

  /// Up to the end, or up to the parenthesis that closes an interpolation.
  private mutating func scanCode(insideInterpolation: Bool) {
    var depth = 0
    while index < bytes.count {
      if starts("//") {
        while index < bytes.count, bytes[index] != UInt8(ascii: "\n") { takeComment() }
      } else if starts("/*") {
        scanBlockComment()
      } else if let hashes = hashes(before: "/") {
        scanRegularExpression(hashes: hashes)
      } else if let hashes = hashes(before: "\"") {
        scanString(hashes: hashes)
      } else {
        if bytes[index] == UInt8(ascii: "(") { depth += 1 }
        if bytes[index] == UInt8(ascii: ")") {
          if depth == 0, insideInterpolation { return }
          depth -= 1
        }
        takeCode()
      }
    }
  }

  private mutating func scanBlockComment() {
    var depth = 0
    repeat {
      if starts("/*") {
        depth += 1
        takeComment(2)
      } else if starts("*/") {
        depth -= 1
        takeComment(2)
      } else {
        takeComment()
      }
    } while depth > 0 && index < bytes.count
  }

  private mutating func scanRegularExpression(hashes: Int) {
    takeCode(hashes + 1)
    let end = "/" + String(repeating: "#", count: hashes)
    while index < bytes.count, !starts(end) { index += 1 }
    takeCode(end.utf8.count)
  }

  private mutating func scanString(hashes: Int) {
    takeCode(hashes)
    let quotes = starts("\"\"\"") ? "\"\"\"" : "\""
    takeCode(quotes.utf8.count)
    let end = quotes + String(repeating: "#", count: hashes)
    let escape = "\\" + String(repeating: "#", count: hashes)
    while index < bytes.count, !starts(end) {
      if starts(escape + "(") {
        index += escape.utf8.count
        takeCode()
        scanCode(insideInterpolation: true)
        takeCode()
      } else if starts(escape) {
        index += escape.utf8.count + 1
      } else if bytes[index] == UInt8(ascii: "\n"), quotes.utf8.count == 1 {
        return  // not a string after all
      } else {
        index += 1
      }
    }
    takeCode(end.utf8.count)
  }

  /// How many `#` stand here before the mark: 0 or more for a quote, 1 or more for a slash, else `nil`.
  private func hashes(before mark: Character) -> Int? {
    var end = index
    while end < bytes.count, bytes[end] == UInt8(ascii: "#") { end += 1 }
    guard end < bytes.count, bytes[end] == mark.asciiValue, mark == "\"" || end > index else { return nil }
    return end - index
  }

  private func starts(_ text: String) -> Bool { bytes[index...].starts(with: text.utf8) }

  private mutating func takeCode(_ count: Int = 1) {
    for _ in 0..<count where index < bytes.count {
      code[index] = bytes[index]
      index += 1
    }
  }

  private mutating func takeComment(_ count: Int = 1) {
    for _ in 0..<count where index < bytes.count {
      comments[index] = bytes[index]
      index += 1
    }
  }
}
