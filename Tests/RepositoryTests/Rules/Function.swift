/// A declaration with a body that runs: a function, an initialiser, a subscript, a computed property.
struct Function: Equatable {
  /// `func`'s name, else `init`, `deinit`, `subscript` or the property's name.
  var name: String
  /// From the line of its keyword to that of its closing brace.
  var lines: ClosedRange<Int>

  var lineCount: Int { lines.count }
}

extension SwiftSource {
  /// In the order of their ends.
  var functions: [Function] {
    var scanner = FunctionScanner()
    for (line, text) in zip(1..., code) { scanner.scan(text, line: line) }
    return scanner.found
  }
}

/// Follows braces and parentheses through blanked code.
private struct FunctionScanner {
  private(set) var found: [Function] = []
  /// Per open brace: what it is the body of, if of a function.
  private var open: [(name: String, line: Int)?] = []
  /// A declaration whose body may follow.
  private var pending: (name: String, line: Int, depth: Int)?
  /// Of parentheses and brackets.
  private var depth = 0

  mutating func scan(_ text: String, line: Int) {
    // A stored property or a requirement ends with its line; a function's body may begin on a later one.
    if let pending, pending.name.hasPrefix("var "), depth == pending.depth { self.pending = nil }
    let tokens = text.matches(of: #/[\w`]+|[{}()\[\]=.?]/#).map { String($0.0) }
    for (index, token) in tokens.enumerated() {
      let next = index + 1 < tokens.count ? tokens[index + 1] : ""
      let isMember = index > 0 && tokens[index - 1] == "."
      switch token {
      case "(", "[": depth += 1
      case ")", "]": depth -= 1
      case "{": openBrace()
      case "}": closeBrace(line: line)
      case _ where isMember: break
      case "func": pending = (next, line, depth)
      case "init", "deinit", "subscript": pending = (token, line, depth)
      case "var": pending = ("var \(next)", line, depth)
      case "=" where pending?.name.hasPrefix("var ") == true && pending?.depth == depth: pending = nil
      default: break
      }
    }
  }

  private mutating func openBrace() {
    if let declaration = pending, declaration.depth == depth {
      open.append((declaration.name, declaration.line))
      pending = nil
    } else {
      open.append(nil)
    }
  }

  private mutating func closeBrace(line: Int) {
    if pending?.depth == depth { pending = nil }
    guard let body = open.popLast() ?? nil else { return }
    found.append(Function(name: body.name.trimmingPrefix("var ").description, lines: body.line...line))
  }
}
