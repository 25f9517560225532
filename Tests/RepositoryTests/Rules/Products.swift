/// The products of Package.swift.
enum Products {
  struct Product: Hashable {
    var name: String
    var isLibrary: Bool
  }

  static func declared(in manifest: SwiftSource) -> Set<Product> {
    // The lexer blanks the names; it is only asked which lines are code.
    Set(
      zip(manifest.code, manifest.lines).filter { $0.0.contains(#/\.(?:library|executable)\s*\(/#) }
        .flatMap { $0.1.matches(of: #/\.(library|executable)\s*\(\s*name:\s*"(\w+)"/#) }
        .map { Product(name: String($0.2), isLibrary: $0.1 == "library") })
  }

  /// The column "product" of the modules' table: `library`, `executable`, or a dash.
  static func documented(in page: MarkdownPage) -> Set<Product> {
    var products: Set<Product> = []
    for row in page.table(under: "Modules") where row.count == 4 && row[1] != "–" {
      for name in row[0].matches(of: #/\w+/#) {
        products.insert(Product(name: String(name.0), isLibrary: row[1] == "library"))
      }
    }
    return products
  }

  static var ofProject: Set<Product> {
    get throws { declared(in: SwiftSource(path: "Package.swift", text: try Repository.text("Package.swift"))) }
  }
}
