/// Tests that a page names, `SuiteTests/testName`, must be tests of the project.
enum NamedTests {
  static func check(_ page: MarkdownPage, sources: [SwiftSource]) -> [Finding] {
    names(page).compactMap { name in
      let parts = name.text.split(separator: "/")
      let file = "/\(parts[0]).swift"
      let isThere = sources.contains { source in
        source.path.hasSuffix(file) && source.code.contains { $0.contains("func \(parts[1])(") }
      }
      return isThere
        ? nil : Finding(path: page.path, line: name.line, message: "\(name.text): there is no such test")
    }
  }

  /// `CollectionsTests/rowsAreDictionaries`, between single backticks.
  static func names(_ page: MarkdownPage) -> [MarkdownPage.Piece] {
    page.inlineCode.filter { $0.text.wholeMatch(of: #/\w+Tests\/\w+/#) != nil }
  }
}
