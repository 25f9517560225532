import Testing

/// What makes a test slow, flaky or silent.
enum TestHygiene {
  static func check(_ source: SwiftSource) -> [Finding] {
    source.findings(#/^(?!.*\bfunc\s).*\b(?:sleep|usleep|nanosleep)\s*\(/#, "waits for time to pass; await an event")
      + source.findings(#/\.disabled\s*\(|\bXCTSkip/#, "switched off")
  }
}

@Suite("Tests") struct TestHygieneTests {
  private func check(_ line: String) -> [Finding] { TestHygiene.check(SwiftSource(path: "a.swift", text: line)) }

  // In parts, so that a plain search of the tests for these words finds nothing.
  private static let wait = "sl" + "eep"
  private static let off = "dis" + "abled"

  @Test(
    "Sleeping and switching off are found",
    arguments: [
      "try await Task.\(wait)(for: .seconds(1))", "Thread.\(wait)(forTimeInterval: 1)", "u\(wait)(10)",
      "try await clock.\(wait)(until: x)", "@Test(.\(off)()) func a() {}", "throw XCT" + "Skip(a)",
    ])
  func findsSleep(_ line: String) {
    #expect(check(line).count == 1)
  }

  @Test("Words that only sound like it are not") func passesHarmless() {
    #expect(check("let \(Self.wait)er = 1  // never \(Self.wait)(1)").isEmpty)
    #expect(check("func \(Self.wait)(until deadline: Instant) async throws {").isEmpty, "a clock must have one")
  }

  @Test("The project's tests neither sleep nor are switched off") func projectTestsAreClean() throws {
    let sources = try Repository.swiftSources(in: "Tests")
    #expect(sources.count > 10, "the tests were not found")
    expectNone(sources.flatMap(TestHygiene.check))
  }
}
