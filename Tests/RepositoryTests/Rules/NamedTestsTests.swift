import Testing

@Suite("Tests that pages name") struct NamedTestsTests {
  private let source = SwiftSource(path: "Tests/A/RowTests.swift", text: "@Test func oneRow() throws {}")

  private func check(_ text: String) -> [Finding] {
    NamedTests.check(MarkdownPage(path: "A.md", text: text), sources: [source])
  }

  @Test("One that exists passes") func passes() {
    #expect(check("| rows | `RowTests/oneRow` |\n`Tests/RowTests/` and `RowTests`").isEmpty)
  }

  @Test("One that does not is found") func finds() {
    #expect(check("x\n`RowTests/twoRows`").map(\.line) == [2])
    #expect(check("`OtherTests/oneRow`").count == 1)
  }

  @Test("The project's pages name tests that exist") func projectPages() throws {
    let sources = try Repository.swiftSources(in: "Tests")
    let pages = try Repository.pages
    expectNone(pages.flatMap { NamedTests.check($0, sources: sources) })
    #expect(pages.contains { !NamedTests.names($0).isEmpty })
  }
}
