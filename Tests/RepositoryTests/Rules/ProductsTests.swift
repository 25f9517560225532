import Testing

@Suite("Products") struct ProductsTests {
  @Test("Products are read from a manifest and from a table") func readsProducts() {
    let manifest = """
      products: [
        .library(name: "A", targets: ["A"]), .library(name: "B", targets: ["B"]),
        .executable(name: "c", targets: ["c"]),
        // .library(name: "D", targets: ["D"]),
      ],
      """
    let expected: Set<Products.Product> = [
      .init(name: "A", isLibrary: true), .init(name: "B", isLibrary: true), .init(name: "c", isLibrary: false),
    ]
    #expect(Products.declared(in: SwiftSource(path: "Package.swift", text: manifest)) == expected)
    let table = """
      ## Modules
      | module | product | is for | may import |
      |---|---|---|---|
      | `A`, `B` | library | x | – |
      | `c` | executable | x | – |
      | `D` | – | x | – |
      """
    #expect(Products.documented(in: MarkdownPage(path: "a.md", text: table)) == expected)
  }

  @Test("docs/ARCHITECTURE.md lists the products of Package.swift") func documentationListsProducts() throws {
    let page = MarkdownPage(path: "docs/ARCHITECTURE.md", text: try Repository.text("docs/ARCHITECTURE.md"))
    let declared = try Products.ofProject
    #expect(declared.count > 10)
    #expect(Products.documented(in: page) == declared)
  }

  @Test("Every library has a client under Tests/Clients that links it alone") func everyLibraryHasClient() throws {
    let libraries = try Products.ofProject.filter(\.isLibrary).map(\.name)
    #expect(Set(libraries) == Set(Client.all.map(\.product)), "the table of clients is not that of the products")
    expectNone(
      Client.all.filter { !Repository.exists("Tests/Clients/\($0.name)/main.swift") }
        .map { Finding(path: "Tests/Clients/\($0.name)/main.swift", message: "\($0.product) has no client") })
  }

  @Test("Every client imports its product, else only what that is made of") func clientsImportTheirOwn()
    throws
  {
    for client in Client.all where Repository.exists("Tests/Clients/\(client.name)") {
      let sources = try Repository.swiftSources(in: "Tests/Clients/\(client.name)")
      let imported = Set(sources.flatMap { $0.imports.map(\.name) }).subtracting(ImportFence.platform)
        .subtracting(["ClientSupport"])
      #expect(imported.contains(client.product))
      #expect(imported.subtracting(ImportFence.reach(of: client.product)).isEmpty, "\(client.name)")
    }
  }
}
