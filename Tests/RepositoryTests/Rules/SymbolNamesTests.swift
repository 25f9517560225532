import Testing

@Suite("Symbol names in documentation") struct SymbolNamesTests {
  private let source = SwiftSource(
    path: "Sources/A/A.swift",
    text: "/// See ``Database/close()`` and ``Missing``.\nclass Database { func open(_ x: Int) {} ; close() }")
  private var known: Set<String> { SymbolNames.identifiers(of: [source]) }

  @Test("A name that the code lacks is found, in pages") func findsInPages() {
    let page = MarkdownPage(path: "A.md", text: "``Database/open(_:)``\n``Database/shut()``")
    #expect(SymbolNames.check(page, known: known).map(\.line) == [2])
  }

  @Test("A name that the code lacks is found, in comments") func findsInComments() {
    #expect(SymbolNames.check(source, known: known).map(\.message) == ["Missing: nothing in Sources is called Missing"])
  }

  @Test("A name that the code lacks is found, in the table") func findsInTable() {
    let page = MarkdownPage(path: "A.md", text: "## T\n|a|b|\n|-|-|\n|x|`Sources/A`: `Database.open(_:)`, `Gone`|")
    #expect(SymbolNames.checkTable(page, heading: "T", known: known).count == 1)
  }

  @Test("The project's documentation names what exists") func projectNamesExist() throws {
    let sources = try Repository.swiftSources(in: "Sources")
    let known = SymbolNames.identifiers(of: sources)
    let pages = try Repository.pages
    expectNone(pages.flatMap { SymbolNames.check($0, known: known) })
    expectNone(sources.flatMap { SymbolNames.check($0, known: known) })
    let architecture = try #require(pages.first { $0.path == "docs/ARCHITECTURE.md" })
    #expect(architecture.table(under: "Where things live").count > 5)
    expectNone(SymbolNames.checkTable(architecture, heading: "Where things live", known: known))
  }
}
