/// Names in documentation must be names in the code.
enum SymbolNames {
  /// DocC links of a page: ``Database/open(_:)``. Every part's base name must be known.
  static func check(_ page: MarkdownPage, known: Set<String>) -> [Finding] {
    page.symbolLinks.compactMap { check($0, in: page.path, known: known) }
  }

  /// DocC links in a source's own comments.
  static func check(_ source: SwiftSource, known: Set<String>) -> [Finding] {
    zip(1..., source.comments).flatMap { number, line in
      MarkdownPage.code(in: line, line: number, backticks: 2)
        .compactMap { check($0, in: source.path, known: known) }
    }
  }

  /// The names in the table "Where things live" of docs/ARCHITECTURE.md.
  static func checkTable(_ page: MarkdownPage, heading: String, known: Set<String>) -> [Finding] {
    page.table(under: heading).flatMap { row in
      row.joined(separator: " ").matches(of: #/`([^`]+)`/#).map { String($0.1) }.filter { !$0.contains("/") }
        .compactMap { check(.init(line: 0, text: $0.replacing(".", with: "/")), in: page.path, known: known) }
    }
  }

  /// Every identifier that code uses: what is declared nowhere cannot be used, or it would not compile.
  static func identifiers(of sources: [SwiftSource]) -> Set<String> {
    Set(sources.flatMap { $0.code.flatMap { $0.matches(of: #/[A-Za-z_]\w*/#).map { String($0.0) } } })
  }

  private static func check(_ name: MarkdownPage.Piece, in path: String, known: Set<String>) -> Finding? {
    let unknown = name.text.split(separator: "/").map { String($0.prefix { $0 != "(" && $0 != "<" }) }
      // `method-swift.enum` and the like tell overloads apart.
      .map { String($0.prefix { $0 != "-" }) }.filter { !$0.isEmpty && !known.contains($0) }
    guard let first = unknown.first else { return nil }
    return Finding(path: path, line: name.line, message: "\(name.text): nothing in Sources is called \(first)")
  }
}
