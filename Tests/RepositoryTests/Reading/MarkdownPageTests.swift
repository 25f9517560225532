import Testing

@Suite("The reader of documentation") struct MarkdownPageTests {
  private let page = MarkdownPage(
    path: "docs/PAGE.md",
    text: """
      # A page: its `parts`
      See [the rules](RULES.md#first "title") and `[not](this.md)`, `Sources/A.swift` and ``Database/open(_:)``.

      <!-- Examples/a.swift#part -->
      ```swift
      let link = "[x](y.md)"
      ```

      ## Table
      | name | is |
      |---|---|
      | `a` | one |
      | b | two |

      | other | table |
      """)

  @Test("Finds links outside code") func findsLinks() {
    #expect(page.links == [.init(line: 2, text: "RULES.md#first")])
  }

  @Test("Finds inline code and symbol links") func findsCode() {
    #expect(page.inlineCode.map(\.text) == ["parts", "[not](this.md)", "Sources/A.swift", "a"])
    #expect(page.symbolLinks == [.init(line: 2, text: "Database/open(_:)")])
  }

  @Test("Finds a block with its mark") func findsBlocks() {
    #expect(
      page.blocks == [
        .init(line: 6, language: "swift", mark: "Examples/a.swift#part", lines: ["let link = \"[x](y.md)\""])
      ])
  }

  @Test("Finds a table by its heading, and headings as anchors") func findsTables() {
    #expect(page.table(under: "Table") == [["`a`", "one"], ["b", "two"]])
    #expect(page.anchors == ["a-page-its-parts", "table"])
  }
}
