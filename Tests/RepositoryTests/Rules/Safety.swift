/// What production code may not hold.
enum Safety {
  static func check(_ source: SwiftSource) -> [Finding] {
    unfinished(source) + crashes(source) + unexplained(source)
  }

  /// Marks of unfinished work, in code or comment.
  static func unfinished(_ source: SwiftSource) -> [Finding] {
    zip(1..., source.lines).filter { $0.1.contains(#/(?:FIXME|TODO|XXX)|notImplemented|not implemented/#) }
      .map { Finding(path: source.path, line: $0.0, message: "unfinished: \($0.1.trimmed)") }
  }

  /// Ways to end the process of the app that uses this.
  static func crashes(_ source: SwiftSource) -> [Finding] {
    source.findings(#/\bfatalError\b/#, "crashes")
      + source.findings(#/\btry!|\bas!/#, "crashes where it could throw")
      + source.findings(#/(?:[)\]]|\b(?!(?:try|as)\b)\w+)!(?=[\s.,;)\]?:\[(]|$)/#, "forced unwrapping")
  }

  /// Where the compiler is told to trust, the reader is told why, on the same line.
  static func unexplained(_ source: SwiftSource) -> [Finding] {
    source.findings(#/@unchecked\s+Sendable|nonisolated\(unsafe\)/#, "no reason on the line")
      .filter { !source.comments[$0.line - 1].contains(#/\/\/ *\w+/#) }
  }
}
