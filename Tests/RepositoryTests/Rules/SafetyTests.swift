import Testing

@Suite("Safety") struct SafetyTests {
  private func source(_ line: String) -> SwiftSource { SwiftSource(path: "a.swift", text: line + "\n") }

  @Test(
    "Unfinished work is found",
    arguments: ["let a = 1  // TODO: more", "/// FIXME", ".notImplemented", "// XXX", "\"not implemented yet\""])
  func findsUnfinished(_ line: String) {
    #expect(Safety.unfinished(source(line)).count == 1)
  }

  @Test(
    "What crashes is found",
    arguments: [
      "fatalError()", "let a = try! b()", "let a = b as! C", "a!.b()", "let a = b[0]!", "f(a!)", "return a.first!",
    ])
  func findsCrashes(_ line: String) {
    #expect(Safety.crashes(source(line)).count == 1)
  }

  @Test(
    "What does not crash is not found",
    arguments: ["if a != b {}", "!a.isEmpty && !b", "\"fatalError() a!\"", "// try! this", "let todo = Todo()"])
  func passesHarmless(_ line: String) {
    #expect(Safety.check(source(line)).isEmpty)
  }

  @Test("Trust without a reason is found") func findsUnexplained() {
    #expect(Safety.unexplained(source("final class A: @unchecked Sendable {")).count == 1)
    #expect(Safety.unexplained(source("nonisolated(unsafe) var a = 1  //")).count == 1)
    #expect(Safety.unexplained(source("final class A: @unchecked Sendable {  // confined to its queue")).isEmpty)
  }

  @Test("The project's sources are finished and safe") func projectIsSafe() throws {
    expectNone(try Repository.swiftSources(in: "Sources").flatMap(Safety.check))
  }
}
