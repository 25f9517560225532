import Testing

@Suite("Sizes") struct SizeTests {
  private func functions(_ text: String) -> [Function] { SwiftSource(path: "a.swift", text: text).functions }

  @Test("Finds functions with their lines, whatever stands in strings and comments") func findsFunctions() {
    let text = """
      struct A {
        func one(_ body: () -> Void = {}) async throws -> [Int] {
          let s = "}" // }
          if true { body() }
        }
        init?(
          x: Int
        ) {
        }
        deinit { close() }
        subscript(i: Int) -> Int { i }
      }
      """
    #expect(
      functions(text) == [
        Function(name: "one", lines: 2...5), Function(name: "init", lines: 6...9),
        Function(name: "deinit", lines: 10...10),
        Function(name: "subscript", lines: 11...11),
      ])
  }

  @Test("Requirements, stored properties and calls are not functions") func skipsOthers() {
    let text = """
      protocol P {
        func required() throws
        init(x: Int)
      }
      struct B {
        var stored = [1, 2].map { $0 + 1 }
        var later: Int
        let made = B.init(later: { 3 }())
        var computed: Int {
          get { 1 }
          set { print(newValue) }
        }
      }
      """
    #expect(functions(text) == [Function(name: "computed", lines: 9...12)])
  }

  @Test("A function inside a function is measured by itself, too") func findsNested() {
    #expect(functions("func a() {\n  func b() {\n  }\n}").map(\.name) == ["b", "a"])
  }

  @Test("What is too long is found, what just fits is not") func findsTooLong() {
    func function(lines: Int) -> SwiftSource {
      SwiftSource(path: "a.swift", text: "func a() {\n" + String(repeating: "  b()\n", count: lines - 2) + "}\n")
    }
    #expect(Size.checkFunctions(function(lines: 70)).isEmpty)
    #expect(Size.checkFunctions(function(lines: 71)).map(\.line) == [1])
    #expect(Size.checkFile(function(lines: 400)).isEmpty)
    #expect(Size.checkFile(function(lines: 401)).count == 1)
  }

  @Test("The project's files and functions fit") func projectFits() throws {
    let sources = try Repository.swiftSources(in: "Sources")
    #expect(sources.map(\.functions.count).reduce(0, +) > 20, "no functions were found")
    expectNone(sources.flatMap(Size.checkFile))
    expectNone(sources.flatMap(Size.checkFunctions))
  }
}
