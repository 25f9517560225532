import Testing

@testable import DimpleSync

@Suite("The text of an index")
struct IndexTextTests {
  @Test func termsAndCondition() throws {
    let text = try #require(IndexText("CREATE UNIQUE INDEX i ON t(a, lower(b) DESC, c COLLATE NOCASE asc) WHERE d > 1"))
    #expect(text.terms == ["a", "lower(b)", "c COLLATE NOCASE"])
    #expect(text.predicate == "d > 1")
    #expect(text.names.isSuperset(of: ["a", "b", "c", "d"]))
  }

  @Test func quotesParenthesesAndCommentsEndNothing() throws {
    let text = try #require(
      IndexText(
        """
        CREATE UNIQUE INDEX "i(,)" ON [t)] -- (
        (coalesce(a, '),''('), /* , ) */ `b``,`, x'2C' || "c"",", 1e-5) WHERE a <> 'where)' /* end
        """))
    #expect(text.terms == ["coalesce(a, '),''(')", "`b``,`", #"x'2C' || "c"",""#, "1e-5"])
    #expect(text.predicate == "a <> 'where)'")
    #expect(text.names.isSuperset(of: ["a", "b`,", "c\","]))
  }

  @Test func aColumnMayBeCalledDesc() throws {
    let text = try #require(IndexText(#"CREATE INDEX i ON t("desc", desc, "asc" asc)"#))
    #expect(text.terms == [#""desc""#, "desc", #""asc""#])
    #expect(text.predicate == nil)
  }

  @Test(arguments: [
    "", "CREATE INDEX i ON t", "CREATE INDEX i ON t(a", "CREATE INDEX i ON t()", "CREATE INDEX i ON t(a,)",
    "CREATE INDEX i ON t(a) b", "CREATE INDEX i ON t(a) WHERE", "CREATE INDEX i ON t('a) WHERE b",
  ])
  func whatIsNoIndexIsNothing(sql: String) { #expect(IndexText(sql)?.terms == nil) }
}
