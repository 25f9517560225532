/// A Swift file, its code told apart from its comments and from the text of its strings.
struct SwiftSource {
  let path: String
  /// As they are.
  let lines: [String]
  /// The same lines with comments, and what stands between quotes, blanked; interpolated expressions are code.
  let code: [String]
  /// The same lines with everything but comments blanked.
  let comments: [String]

  init(path: String, text: String) {
    self.path = path
    var lexer = SwiftLexer(text)
    lexer.run()
    lines = Self.split(text)
    code = Self.split(String(decoding: lexer.code, as: UTF8.self))
    comments = Self.split(String(decoding: lexer.comments, as: UTF8.self))
  }

  /// The module that the file belongs to: `Sources/<Module>/…`.
  var module: String? {
    let parts = path.split(separator: "/")
    return parts.count > 2 && parts[0] == "Sources" ? String(parts[1]) : nil
  }

  /// Without the file's name.
  var folder: String { path.split(separator: "/").dropLast().joined(separator: "/") }

  /// Where `pattern` matches in the code, one finding a line.
  func findings(_ pattern: Regex<Substring>, _ message: String) -> [Finding] {
    // By default a full stop between letters is no word boundary: `Task.cancel` would be one word.
    let pattern = pattern.wordBoundaryKind(.simple)
    return zip(1..., code).filter { $0.1.contains(pattern) }
      .map { Finding(path: path, line: $0.0, message: "\(message): \(lines[$0.0 - 1].trimmed)") }
  }

  private static func split(_ text: String) -> [String] {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    if lines.last == "" { lines.removeLast() }
    return lines
  }
}

extension String {
  var trimmed: String { String(trimming { $0.isWhitespace }) }

  private func trimming(_ isDropped: (Character) -> Bool) -> Substring {
    let start = drop(while: isDropped)
    guard let last = start.lastIndex(where: { !isDropped($0) }) else { return "" }
    return start[...last]
  }
}
