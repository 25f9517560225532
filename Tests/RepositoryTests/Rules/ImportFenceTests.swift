import Testing

@Suite("Import fences") struct ImportFenceTests {
  private func source(_ path: String, _ text: String) -> SwiftSource { SwiftSource(path: path, text: text) }

  @Test("Every form of import is read; comments and strings are not") func readsImports() {
    let text = """
      import A
      public import B
      @testable import C
      @_exported public import D
      import struct E.F
        internal import G
      // import H
      let import_ = "import I"
      """
    #expect(source("a.swift", text).imports.map(\.name) == ["A", "B", "C", "D", "E", "G"])
  }

  @Test("A forbidden import is found, an allowed and a system one are not") func findsForbidden() {
    let bad = source("Sources/DimpleCrypto/A.swift", "import DimpleRemote\nimport Dispatch\nimport CSQLite\n")
    #expect(
      ImportFence.check(bad) == [
        Finding(path: "Sources/DimpleCrypto/A.swift", line: 3, message: "DimpleCrypto may not import CSQLite")
      ])
    #expect(!ImportFence.check(source("Sources/DimpleNew/A.swift", "")).isEmpty)
  }

  @Test("A C library in two places is found") func findsWideReach() {
    let one = source("Sources/DimpleS3/A.swift", "internal import CCurl")
    let two = source("Sources/DimpleS3/B.swift", "internal import CCurl")
    #expect(ImportFence.checkReach([one]).isEmpty)
    #expect(ImportFence.checkReach([one, two]).map(\.path) == ["Sources/DimpleS3/B.swift"])

    let folder = ["A", "B"].map { source("Sources/DimpleStore/SQLite/\($0).swift", "internal import CSQLite") }
    let outside = source("Sources/DimpleStore/Pool/C.swift", "internal import CSQLite")
    #expect(ImportFence.checkReach(folder).isEmpty)
    #expect(ImportFence.checkReach(folder + [outside]).count == 1)
  }

  @Test("A module's reach has what it is made of, and no more") func reachIsTransitive() {
    #expect(
      ImportFence.reach(of: "DimpleCrypto") == [
        "DimpleCrypto", "DimpleRemote", "DimplePrimitives", "COpenSSL", "DimpleMutex", "Synchronization",
      ])
  }

  @Test("Foundation without its smaller half is found") func findsFoundation() {
    let fenced = """
      #if canImport(FoundationEssentials)
        internal import FoundationEssentials
      #else
        internal import Foundation
      #endif
      """
    #expect(ImportFence.checkFoundation(source("a.swift", fenced)).isEmpty)
    #expect(ImportFence.checkFoundation(source("a.swift", "import A\nimport Foundation")).map(\.line) == [2])
  }

  @Test("The project keeps its fences") func projectKeepsFences() throws {
    let sources = try Repository.swiftSources(in: "Sources")
    #expect(sources.count > 10, "the sources were not found")
    expectNone(sources.flatMap(ImportFence.check))
    expectNone(ImportFence.checkReach(sources))
    expectNone(sources.flatMap(ImportFence.checkFoundation))
  }

  @Test("docs/ARCHITECTURE.md shows the same table") func architectureShowsTable() throws {
    let page = MarkdownPage(path: "docs/ARCHITECTURE.md", text: try Repository.text("docs/ARCHITECTURE.md"))
    var shown: [String: Set<String>] = [:]
    for row in page.table(under: "Modules") where row.count == 4 {
      let imports = Set(row[3].matches(of: #/\w+/#).map { String($0.0) })
      for module in row[0].matches(of: #/\w+/#) { shown[String(module.0)] = imports }
    }
    #expect(shown == ImportFence.allowed)
  }
}
