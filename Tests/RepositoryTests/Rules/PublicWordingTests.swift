import Testing

@Suite("Wording") struct PublicWordingTests {
  @Test(
    "What is true on one machine only is found",
    arguments: [
      "see /" + "home/me/project", "`/" + "Users/me/x`", "(/" + "work/main)", "pip --" + "index-url x",
      "at http://10" + ".0.0.7/",
    ])
  func findsLocal(_ line: String) {
    #expect(PublicWording.check(path: "a.md", text: "fine\n\(line)").map(\.line) == [2])
  }

  @Test(
    "Relative paths and public addresses are not",
    arguments: ["docs/home/flow.md", "~/home/x", "https://sqlite.org/home/x", "/dev/null"])
  func passesPublic(_ line: String) {
    #expect(PublicWording.check(path: "a.md", text: line).isEmpty)
  }

  @Test("The project speaks of itself alone") func projectIsPublic() throws {
    let texts = Repository.files.filter { path in
      [".md", ".swift", ".sh", ".py", ".h", ".modulemap"].contains { path.hasSuffix($0) } || path.hasPrefix("scripts/")
    }
    expectNone(try texts.flatMap { PublicWording.check(path: $0, text: try Repository.text($0)) })
  }
}
