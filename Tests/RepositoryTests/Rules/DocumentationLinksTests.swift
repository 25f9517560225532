import Testing

@Suite("Links in documentation") struct DocumentationLinksTests {
  private let target = MarkdownPage(path: "docs/B.md", text: "# Heading one\n")

  private func check(_ text: String) -> [Finding] {
    DocumentationLinks.check(MarkdownPage(path: "docs/A.md", text: text)) {
      ["docs/A.md", "docs/B.md", "LICENSE"].contains($0)
    } page: {
      $0 == "docs/B.md" ? target : nil
    }
  }

  @Test(
    "A broken link or heading is found",
    arguments: ["[a](C.md)", "[a](../C)", "x\n[a](B.md#two)", "[a](#nowhere.md/x)"])
  func findsBroken(_ text: String) {
    let isAnchorOnUnknownPage = text.contains("](#")
    #expect(check(text).count == (isAnchorOnUnknownPage ? 0 : 1))
  }

  @Test(
    "A link that leads somewhere is not",
    arguments: ["[a](B.md)", "[a](B.md#heading-one)", "[a](../LICENSE)", "[a](https://a.b)"])
  func passesGood(_ text: String) {
    #expect(check(text).isEmpty)
  }

  @Test("A path in code that is not there is found") func findsMissingPath() {
    let page = MarkdownPage(path: "README.md", text: "`scripts/test` and `scripts/none`, `Sources/A/`, `docs/*.md`")
    let findings = DocumentationLinks.checkPaths(page) { ["scripts/test", "Sources/A"].contains($0) }
    #expect(findings.map(\.message) == ["there is no scripts/none"])
  }

  @Test("The project's links and paths lead somewhere") func projectLinksResolve() throws {
    let pages = try Repository.pages
    #expect(pages.contains { $0.path == "docs/ARCHITECTURE.md" })
    for page in pages {
      expectNone(
        DocumentationLinks.check(page, exists: Repository.exists) { path in pages.first { $0.path == path } })
      expectNone(DocumentationLinks.checkPaths(page, exists: Repository.exists))
    }
  }
}
