import Testing

/// A tiny program per library product that links it alone, and the C libraries that this pulls in.
struct Client: Sendable, CustomTestStringConvertible {
  var product: String
  /// Of those that the project uses at all; no more, no less.
  var libraries: Set<String>

  /// `DimpleStore` has `StoreClient`, `CSQLite` has `CSQLiteClient`.
  var name: String { product.trimmingPrefix("Dimple") + "Client" }

  var testDescription: String { name }

  static let all: [Client] = [
    Client(product: "CSQLite", libraries: ["libsqlite3"]),
    Client(product: "CCurl", libraries: ["libcurl"]),
    Client(product: "COpenSSL", libraries: ["libcrypto"]),
    Client(product: "DimpleStore", libraries: ["libsqlite3"]),
    Client(product: "DimpleChangelog", libraries: ["libsqlite3"]),
    Client(product: "DimpleReactive", libraries: ["libsqlite3"]),
    Client(product: "DimpleRemote", libraries: []),
    Client(product: "DimpleS3", libraries: ["libcurl", "libcrypto"]),
    Client(product: "DimpleCrypto", libraries: ["libcrypto"]),
    Client(product: "DimpleSync", libraries: ["libsqlite3", "libcrypto", "libz"]),
    Client(product: "DimpleDb", libraries: ["libsqlite3", "libcurl", "libcrypto", "libz"]),
    Client(product: "DimpleTestSupport", libraries: ["libsqlite3", "libcrypto", "libz"]),
  ]

  /// The shared libraries that the project could ask for.
  static let watched: Set<String> = ["libsqlite3", "libcurl", "libcrypto", "libssl", "libz"]

  /// The watched libraries among those that `readelf -d` says the file itself needs.
  static func libraries(inDynamicSection text: String) -> Set<String> {
    let names = text.matches(of: #/\(NEEDED\).*\[([^\]]+?)\.so[^\]]*\]/#).map { String($0.1) }
    // Debian's libcurl-openssl flavour names itself libcurl.
    return Set(names).intersection(watched)
  }
}
