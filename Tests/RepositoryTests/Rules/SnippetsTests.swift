import Testing

@Suite("Code in pages") struct SnippetsTests {
  private let source = "a()\n  // snippet: part\n  let x = 1\n\n    b(x)\n  // end\n"

  private func check(_ block: String, mark: String = "<!-- A.swift#part -->\n") -> [Finding] {
    let page = MarkdownPage(path: "README.md", text: "\(mark)```swift\n\(block)\n```\n")
    return Snippets.check(page, everyBlock: true) { $0 == "A.swift" ? source : nil }
  }

  @Test("The same code passes, whatever its indentation") func passesEqual() {
    #expect(check("let x = 1\n\n  b(x)").isEmpty)
  }

  @Test("Different code is found", arguments: ["let x = 2\n\n  b(x)", "let x = 1", "let x = 1\n\n  b(x)\nc()"])
  func findsDifferent(_ block: String) {
    #expect(check(block).count == 1)
  }

  @Test(
    "A mark that is missing or names nothing is found",
    arguments: ["", "<!-- A.swift#other -->\n", "<!-- B.swift#part -->\n"])
  func findsUnmarked(_ mark: String) {
    #expect(check("let x = 1\n\n  b(x)", mark: mark).count == 1)
  }

  @Test("README's code is compiled code, and so is every marked block") func projectSnippetsAreCompiled() throws {
    for page in try Repository.pages {
      expectNone(Snippets.check(page, everyBlock: page.path == "README.md") { try? Repository.text($0) })
    }
    let readme = MarkdownPage(path: "README.md", text: try Repository.text("README.md"))
    #expect(readme.blocks.contains { $0.language == "swift" })
  }
}
