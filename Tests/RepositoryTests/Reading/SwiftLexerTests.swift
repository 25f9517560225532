import Testing

@Suite("The lexer behind the rules") struct SwiftLexerTests {
  private func code(_ text: String) -> String { SwiftSource(path: "a.swift", text: text).code.joined(separator: "\n") }
  private func comments(_ text: String) -> String {
    SwiftSource(path: "a.swift", text: text).comments.map(\.trimmed).joined(separator: "\n")
  }

  @Test("Comments are blanked, nested ones whole") func blanksComments() {
    #expect(code("a // b\nc") == "a     \nc")
    #expect(code("a /* b /* c */ d */ e") == "a " + String(repeating: " ", count: 17) + " e")
    #expect(comments("a // b\n/* c\nd */ e") == "// b\n/* c\nd */")
  }

  @Test("A string's text is blanked, its quotes stay") func blanksStrings() {
    #expect(code(#"a("x // y { \" z")"#) == #"a("             ")"#)
    #expect(
      code("let s = \"\"\"\n  { \"quoted\" \\(\n  x)\n  \"\"\"") == "let s = \"\"\"\n              (\n  x)\n  \"\"\"")
    #expect(code("#\"a \\(no) \"b\"#") == "#\"" + String(repeating: " ", count: 10) + "\"#")
  }

  @Test("What is interpolated is code, at any depth") func keepsInterpolations() {
    #expect(code(#""a \(b(c) + "d \(e)") f" g"#) == #""   (b(c) + "   (e)")  " g"#)
    #expect(code("#\"a \\#(b) c\"#") == "#\"    (b)  \"#")
  }

  @Test("A regular expression's text is blanked") func blanksRegularExpressions() {
    #expect(code("a(#/\"{/#) { b }") == "a(#/  /#) { b }")
  }

  @Test("Lines keep their numbers, and an open string does not run away") func keepsLines() {
    #expect(code("a \"b\nc").split(separator: "\n").count == 2)
    #expect(code("a \"b\nc // d\ne").hasSuffix("\nc     \ne"))
  }
}
